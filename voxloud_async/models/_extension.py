"""An internal number, whichever way an endpoint writes it."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

__all__ = ["Extension"]


def _text_or_number(_: object, __: object, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TypeError(f"An extension is a str or an int, not {type(value).__name__}")


@frozen(eq=False)
class Extension:
    """An internal number. The API writes it as a number for users, as a string for click-to-call (anomaly U3).

    It equals its text and its number: `Extension("101") == "101" == str(Extension(101))` and `Extension("101") == 101`.
    Leading zeros count: `Extension("0101") != 101`. It hashes as its text, so look it up in a dict by its text. It has
    no order.

    Raises:
        TypeError: the value is neither str nor int.
    """

    raw: str | int = field(validator=_text_or_number)
    """The value as the service wrote it."""

    def __str__(self) -> str:
        return str(self.raw)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, bool) or not isinstance(other, Extension | str | int):
            return NotImplemented
        return str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))
