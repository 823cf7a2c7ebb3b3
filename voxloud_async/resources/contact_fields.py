"""The fields of a contact, and how a caller's are checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Required, TypedDict

from ..errors import ArgumentTypeError, InvalidArgumentError
from ..protocol import arguments


class OptionalContactFields(TypedDict, total=False):
    """Some fields of a contact. A field left out is not sent; None is sent as null."""

    last_name: str | None
    phones: list[str] | tuple[str, ...] | None  # no Sequence: a str is one
    """Secondary numbers, in E.164 format."""
    primary_email: str | None
    emails: list[str] | tuple[str, ...] | None
    company_name: str | None
    job_title: str | None
    website: str | None
    crm_name: str | None
    """Which CRM the contact is from; "Voxloud" where it is left out."""
    crm_contact_url: str | None


class ContactFields(OptionalContactFields, total=False):
    """A whole contact: `first_name` and `primary_phone` are required."""

    first_name: Required[str]
    primary_phone: Required[str]
    """In E.164 format, such as +390312345678."""


class ContactChanges(OptionalContactFields, total=False):
    """Any fields of a contact, to change them."""

    first_name: str
    primary_phone: str


_REQUIRED = ("first_name", "primary_phone")
_LISTS = ("phones", "emails")
FIELDS = (*_REQUIRED, *OptionalContactFields.__annotations__)


def whole(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The checked wire object of a whole contact."""
    arguments.known(fields, FIELDS)
    for name in _REQUIRED:
        if name not in fields:
            raise ArgumentTypeError(name, "is required")
    return part(fields)


def part(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The checked wire object of some fields of a contact."""
    arguments.known(fields, FIELDS)
    if not fields:
        raise InvalidArgumentError("fields", "must not be empty")
    return {name: _checked(name, value) for name, value in fields.items()}


def _checked(name: str, value: object) -> object:
    if name in _REQUIRED:
        return arguments.text(name, value)
    return arguments.texts(name, value) if name in _LISTS else arguments.optional_text(name, value)
