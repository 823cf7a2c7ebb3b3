"""Contacts in bulk: what creating, replacing and deleting one of many takes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from attrs import frozen

from ..models import Contact, PhoneNumber
from ..protocol import arguments, operations
from ..session.caller import Caller
from .bulk.change import Change
from .contact_fields import whole
from .deletion import delete

NewOf = Callable[[str, Callable[[], float]], Awaitable[Sequence[Contact]]]
"""Finds the contacts of this number that were made since a moment of the service's clock."""


@frozen
class Creation:
    """Creates contacts. Two of one number go one after the other: only so can a lost one be told from another."""

    _caller: Caller
    _new_of: NewOf
    _has_fields: Callable[[Contact, Mapping[str, Any]], bool]

    purpose = "create contacts"

    async def greet(self) -> None:
        """Hear what time it is at the service, by which a later run looks for what this one made."""
        await self._caller.call(operations.SEARCH_CONTACTS, query={"offset": "0", "limit": "1"})

    def prepare(self, item: Mapping[str, Any]) -> Change[Contact]:
        """Check the fields."""
        body = whole(_mapping(item))
        phone = body["primary_phone"]
        return Change(
            key=number_key(phone),
            content=sorted(body.items()),
            send=lambda _: self._caller.call(operations.CREATE_CONTACT, body=body),
            identify=_id_of,
            look=partial(self._new_of, phone),
            # Of one that tells no time nobody knows whether it was there before.
            same=lambda contact: contact.created_at is not None and self._has_fields(contact, body),
            # The service may write another number in a way of its own (anomaly C20), under which it is not found.
            recognisable=lambda: all(
                PhoneNumber.parse(number).e164 == number for number in [phone, *(body.get("phones") or ())]
            ),
        )


@frozen
class Replacement:
    """Replaces contacts; several changes of one go in the order in which they were given."""

    _caller: Caller

    purpose = "update contacts"

    async def greet(self) -> None:
        """Do nothing: what replaces may be sent again."""

    def prepare(self, item: tuple[str, Mapping[str, Any]]) -> Change[Contact]:
        """Check the id and the fields."""
        identifier, fields = _pair(item)
        segment, body = arguments.segment("id", identifier), whole(_mapping(fields))
        return Change(
            key=segment,
            content=[segment, sorted(body.items())],
            send=lambda _: self._caller.call(operations.UPDATE_CONTACT, segment=segment, body=body),
            identify=_id_of,
        )


@frozen
class Deletion:
    """Deletes contacts."""

    _caller: Caller
    _missing_ok: bool

    purpose = "delete contacts"

    async def greet(self) -> None:
        """Do nothing: what deletes may be sent again."""

    def prepare(self, item: str) -> Change[None]:
        """Check the id."""
        segment = arguments.segment("id", item)
        return Change(
            key=segment,
            content=segment,
            send=lambda again: delete(
                self._caller, operations.DELETE_CONTACT, segment, missing_ok=again or self._missing_ok
            ),
            identify=lambda _: segment,
        )


def number_key(phone: str) -> str:
    """What two spellings of a number have in common."""
    # +39031..., 0039031... and 031... may become one number at the service (anomaly C20): they end alike.
    return "".join(filter(str.isdigit, phone))[-7:] or phone


def _id_of(contact: Contact) -> str:
    return contact.id


def _mapping(fields: object) -> Mapping[str, Any]:
    if not isinstance(fields, Mapping):
        raise TypeError(f"fields must be a mapping of contact fields, not {type(fields).__name__}")
    return fields


def _pair(item: object) -> tuple[object, object]:
    if not isinstance(item, tuple) or len(item) != 2:  # noqa: PLR2004 - a pair
        raise TypeError("an item must be a tuple of two: an id, and a mapping of fields")
    return item
