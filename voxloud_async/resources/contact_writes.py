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
from .contact_fields import ContactFields, whole
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

    def prepare(self, item: ContactFields) -> Change[Contact]:
        """Check the fields."""
        body = whole(_mapping(item))
        phone = body["primary_phone"]
        return Change(
            key="".join(phone.split()),
            content=sorted(body.items()),
            send=lambda _: self._caller.call(operations.CREATE_CONTACT, body=body),
            identify=_id_of,
            look=partial(self._new_of, phone),
            same=lambda contact: self._has_fields(contact, body),
            # The service may write another number in a way of its own (anomaly C20), under which it is not found.
            recognisable=all(
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

    def prepare(self, item: tuple[str, ContactFields]) -> Change[Contact]:
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


def _id_of(contact: Contact) -> str:
    return contact.id


def _mapping(fields: object) -> Mapping[str, Any]:
    if not isinstance(fields, Mapping):
        raise TypeError(f"fields must be a mapping of contact fields, not {type(fields).__name__}")
    return fields


def _pair(item: object) -> tuple[object, object]:
    if not isinstance(item, tuple) or len(item) != 2:  # noqa: PLR2004 - a pair
        raise TypeError(f"an item must be a pair of id and fields, not {type(item).__name__}")
    return item
