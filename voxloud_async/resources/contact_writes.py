"""Contacts, written one by one and in bulk: what creating, replacing and deleting one takes."""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping
from typing import Any, Protocol

from attrs import Factory, field, frozen

from ..errors import ArgumentTypeError, BadRequestError, NotFoundError
from ..models import Contact, PhoneNumber
from ..protocol import arguments, operations
from ..session.caller import Caller
from .bulk.change import Repeatable
from .contact_fields import whole
from .contact_traits import key_of, number_key, traits, traits_of
from .created import Traits
from .deletion import delete

_WHOLE_SECONDS = 2.0  # the service has both its time and that of a contact without fractions
_CARRIED_OUT = 7.0  # seconds after the loss of its response in which a create may still be carried out


class Search(Protocol):
    """Starts a search of contacts; its requests count `max_wait` from `started`, or each from its beginning."""

    def __call__(
        self, started: float | None, *, phone: str | None = None, first_name: str | None = None
    ) -> AsyncIterable[Contact]:
        """Search for contacts that contain the texts."""
        ...


@frozen
class ContactCreation:
    """The create of one contact. Contacts whose numbers end alike are of one key."""

    _caller: Caller
    _search: Search
    body: Mapping[str, Any] = field(repr=False)
    key: str = field(default=Factory(lambda it: number_key(it.body["primary_phone"]), takes_self=True), init=False)
    traits: Traits = field(default=Factory(lambda it: traits(it.body), takes_self=True), init=False, repr=False)

    async def send(self) -> Contact:
        """Send it once."""
        return await self._caller.call(operations.CREATE_CONTACT, body=self.body)

    async def look(self, started: float | None) -> list[Contact]:
        """Return all contacts of the key that a search finds."""
        phone = self.body["primary_phone"]
        if PhoneNumber.parse(phone).e164 == phone:
            return await self._of_key(self._search(started, phone=phone))
        # The service may have written the number its own way (anomaly C20), and may search for whole ones only (C7).
        try:
            return await self._of_key(self._search(started, phone=self.key))
        except BadRequestError:
            return await self._of_key(self._search(started, first_name=self.body["first_name"]))

    def traits_of(self, thing: Contact) -> Traits:
        """Return what a contact says."""
        return traits_of(thing)

    def is_recent(self, thing: Contact, started: float, ended: float) -> bool:
        """Return True if its `created_at` lies within the call, or soon after it, by the service's clock."""
        if thing.created_at is None:
            return False
        origin = self._caller.service_time() - self._caller.now()
        oldest, newest = origin + started - _WHOLE_SECONDS, origin + ended + _CARRIED_OUT
        return oldest <= thing.created_at.timestamp() <= newest

    async def _of_key(self, found: AsyncIterable[Contact]) -> list[Contact]:
        return [each async for each in found if key_of(each) == self.key]


@frozen
class Creations:
    """Creates contacts."""

    _caller: Caller
    _search: Search
    purpose = "create contacts"

    @property
    def catalogue(self) -> Creations:
        """What exists."""
        return self

    def prepare(self, item: Mapping[str, Any]) -> ContactCreation:
        """Check the fields."""
        return ContactCreation(self._caller, self._search, whole(_mapping(item)))

    def existing(self) -> AsyncIterable[Contact]:
        """Read all contacts."""
        return self._search(None)

    async def has(self, identifier: str) -> bool:
        """Return True if a contact exists."""
        try:
            await self._caller.call(operations.GET_CONTACT, segment=arguments.segment("id", identifier))
        except NotFoundError:
            return False
        return True

    def key_of(self, thing: Contact) -> str:
        """Return the key of the creates whose result a contact may be."""
        return key_of(thing)


@frozen
class Replacements:
    """Replaces contacts; several changes of one go in the order in which they were given."""

    _caller: Caller
    purpose = "update contacts"
    catalogue = None

    def prepare(self, item: tuple[str, Mapping[str, Any]]) -> Repeatable[Contact]:
        """Check the id and the fields."""
        identifier, fields = _pair(item)
        segment, body = arguments.segment("id", identifier), whole(_mapping(fields))

        async def send(_: bool) -> Contact:  # noqa: FBT001 - see `Repeatable`
            return await self._caller.call(operations.UPDATE_CONTACT, segment=segment, body=body)

        return Repeatable(key=segment, content=[segment, sorted(body.items())], send=send)


@frozen
class Deletions:
    """Deletes contacts."""

    _caller: Caller
    _missing_ok: bool
    purpose = "delete contacts"
    catalogue = None

    def prepare(self, item: str) -> Repeatable[None]:
        """Check the id."""
        segment = arguments.segment("id", item)

        async def send(again: bool) -> None:  # noqa: FBT001 - see `Repeatable`
            missing_ok = again or self._missing_ok
            await delete(self._caller, operations.DELETE_CONTACT, segment, missing_ok=missing_ok)

        return Repeatable(key=segment, content=segment, send=send)


def _mapping(fields: object) -> Mapping[str, Any]:
    if not isinstance(fields, Mapping):
        raise ArgumentTypeError("fields", f"must be a mapping of contact fields, not {type(fields).__name__}")
    return fields


def _pair(item: object) -> tuple[object, object]:
    if not isinstance(item, tuple) or len(item) != 2:  # noqa: PLR2004 - a pair
        raise ArgumentTypeError("item", "must be a tuple of two: an id, and a mapping of fields")
    return item
