"""What a row of a file becomes."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen


@frozen
class ContactRow:
    """A contact that can be created, from this line of the file."""

    line: int
    """Where the row begins, from 1."""

    fields: dict[str, Any] = field(repr=lambda fields: f"<{len(fields)} fields>")
    """Arguments of `client.contacts.create`: what is empty in the file is left out, numbers are in E.164 format."""


@frozen
class RejectedRow:
    """A row that cannot be created. The text quotes no value of the row."""

    line: int
    """Where the row begins, from 1."""

    column: str
    """The column at fault, as the file names it, else the field; "-" where the whole row is."""

    reason: str
    """What kind of value stands there, such as "is a national number"."""

    remedy: str = ""
    """What to do about it, where that is not evident."""

    def __str__(self) -> str:
        """Return the line of text for a report."""
        remedy = f" ({self.remedy})" if self.remedy else ""
        return f"line {self.line}: {self.column}: {self.reason}{remedy}"


@frozen
class RawRow:
    """The values of a row under the names of its columns, strings in CSV and anything in JSON."""

    line: int
    values: dict[str, Any]
