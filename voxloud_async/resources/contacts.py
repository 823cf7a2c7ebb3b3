"""Contacts (API section "Contacts API")."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar, Unpack

from attrs import field, frozen

from .._tracebacks import without_frames
from ..errors import ArgumentTypeError, BadRequestError, ConflictError, InvalidArgumentError
from ..models import Contact, PhoneNumber
from ..paging import Listing, Progress
from ..paging.addressing import Offsets, PageRequest
from ..protocol import arguments, operations
from ..protocol.codec import unstructure
from ..session.caller import Caller
from .bulk.pool import Items
from .bulk.run import BulkOptions, BulkRun
from .contact_fields import FIELDS, ContactChanges, ContactFields, part, whole
from .contact_writes import ContactCreation, Creations, Deletions, Replacements
from .created import create
from .deletion import delete
from .listings import PagedList, checked_reading, digest

FieldsT = TypeVar("FieldsT", bound=Mapping[str, Any])  # rows of a file are plain dicts

_MOST_ROWS = 100
_LAST_DIGITS = 4  # which hardly any spelling separates; one contact in a thousand has them by chance
_SHORTEST_NUMBER = 7


@without_frames
@frozen
class Contacts:
    """`client.contacts`."""

    _caller: Caller = field(repr=False)

    async def create(self, **fields: Unpack[ContactFields]) -> Contact:
        """Create a contact.

        Required: `first_name`, `primary_phone` (E.164, such as +390312345678). Optional: `last_name`, `phones` (further
        numbers, E.164), `primary_email`, `emails`, `company_name`, `job_title`, `website`, `crm_name`,
        `crm_contact_url`. What is left out is not sent, None is sent as null; see `ContactFields`.

        Where the response is lost, it is never sent again: the one contact with the same fields that was made during
        the call, and by no other call of this client, is returned in its place, else `OutcomeUnknownError` is raised.
        Raises ValueError or TypeError for bad fields.
        API: Create contact.
        """
        return await create(ContactCreation(self._caller, self._search, whole(fields)), self._caller)

    async def get(self, id: str) -> Contact:  # noqa: A002 - the API's own word
        """Read one contact; raises `NotFoundError`. API: Get a contact."""
        return await self._caller.call(operations.GET_CONTACT, segment=arguments.segment("id", id))

    async def update(self, id: str, **fields: Unpack[ContactFields]) -> Contact:  # noqa: A002
        """Replace a contact: what is left out may be lost, and `crm_name` falls back to "Voxloud".

        It takes the fields of `create`. Use `patch` to change single ones. API: Update contact.
        """
        segment = arguments.segment("id", id)
        return await self._caller.call(operations.UPDATE_CONTACT, segment=segment, body=whole(fields))

    async def patch(self, id: str, **changes: Unpack[ContactChanges]) -> Contact:  # noqa: A002
        """Change single fields, any of those of `create`: read the contact, merge, replace it.

        The API has no versions: a change that somebody else makes between the two requests is overwritten.
        """
        checked = part(changes)
        return await self._replace(await self.get(id), checked)

    async def update_if_unchanged(self, contact: Contact, **changes: Unpack[ContactChanges]) -> Contact:
        """Change single fields of a contact read earlier, unless it has changed since; raises `ConflictError`.

        It compares all fields, since `updated_at` does not tell reliably. The comparison narrows the race with another
        writer to the moment between two requests; it cannot close it.
        """
        if not isinstance(contact, Contact):
            raise ArgumentTypeError("contact", f"must be a Contact, not {type(contact).__name__}")
        checked = part(changes)
        if _comparable(await self.get(contact.id)) != _comparable(contact):
            raise ConflictError("the contact changed since it was read")
        return await self._replace(contact, checked)

    async def delete(self, id: str, *, missing_ok: bool = False) -> None:  # noqa: A002
        """Delete a contact; raises `NotFoundError` unless `missing_ok`. API: Delete contact."""
        await delete(self._caller, operations.DELETE_CONTACT, id, missing_ok=missing_ok)

    def create_many(self, items: Items[FieldsT], **options: Unpack[BulkOptions]) -> BulkRun[FieldsT, Contact]:
        """Create a contact of each item; see `BulkRun` and `BulkOptions`.

        `items` are mappings with the fields of `create` (see `ContactFields`), iterable or async iterable. A run with a
        journal first reads the contacts that exist, and sends again what failed and what an earlier run sent to no
        effect. API: Create contact.
        """
        return BulkRun.of(self._caller, Creations(self._caller, self._search), items, options)

    def update_many(
        self, items: Items[tuple[str, FieldsT]], **options: Unpack[BulkOptions]
    ) -> BulkRun[tuple[str, FieldsT], Contact]:
        """Replace a contact by each pair of id and fields, as `update` does; see `BulkRun` and `BulkOptions`.

        Several changes of one contact are sent one after the other, in their order. A run with a journal never sends
        one that an earlier run followed by a later one. API: Update contact.
        """
        return BulkRun.of(self._caller, Replacements(self._caller), items, options)

    def delete_many(
        self, items: Items[str], *, missing_ok: bool = False, **options: Unpack[BulkOptions]
    ) -> BulkRun[str, None]:
        """Delete the contact of each id, as `delete` does; see `BulkRun` and `BulkOptions`.

        A search that is read meanwhile misses contacts, since its pages move: collect its ids first. API: Delete
        contact.
        """
        deletions = Deletions(self._caller, arguments.flag("missing_ok", missing_ok))
        return BulkRun.of(self._caller, deletions, items, options)

    def search(
        self,
        *,
        first_name: str | None = None,
        last_name: str | None = None,
        phone: str | None = None,
        email: str | None = None,
        page_size: int = 100,
        max_items: int | None = None,
        prefetch: int = 4,
        on_progress: Callable[[Progress], object] | None = None,
        cursor: str | None = None,
    ) -> Listing[Contact]:
        """Search for contacts whose fields contain the given texts, whatever their case, as a stream.

        `page_size` is from 1 to 100 rows a request. `max_items` limits the rows in all. `prefetch` is how many pages
        are requested at once. The service reports no total, so a list is assumed to be twice as long as what is known
        of it: up to `prefetch` - 1 pages are requested beyond its end, none for a list of one or two pages; with 1,
        none at all.

        `on_progress` is called with a `Progress` after each page. `cursor` is that of a page of a search for the same
        texts: the search continues after that page. How the service combines several texts is not documented; `find`
        checks its answers. API: Search Contacts.
        """
        texts = {"first_name": first_name, "last_name": last_name, "phone": phone, "email": email}
        query = {name: arguments.text(name, value) for name, value in texts.items() if value is not None}
        contacts = PagedList(
            caller=self._caller,
            operation=operations.SEARCH_CONTACTS,
            raw_operation=operations.SEARCH_CONTACTS_RAW,
            parameters=partial(_paged, query),
            addressing=Offsets,
            page_size=arguments.number("page_size", page_size, 1, _MOST_ROWS),
            filters=digest("contacts, form 2", query),
        )
        return contacts.listing(
            checked_reading(prefetch, on_progress, filters=contacts.filters, cursor=cursor, max_items=max_items)
        )

    async def find(self, *, phone: str | None = None, email: str | None = None) -> list[Contact]:
        """Contacts that have exactly this phone number and this e-mail address, primary or secondary.

        Numbers are compared by `PhoneNumber.normalized`, so in any common spelling, and addresses whatever their case:
        the service promises neither an exact search nor that it joins both by "and". It searches for parts of the texts
        that it stores. So a number is searched for by its last digits, which its spellings have in common, and again
        by its E.164 form if that finds nothing. API: Search Contacts.
        """
        if phone is None and email is None:
            raise InvalidArgumentError("phone", "must be given, or email")
        number = None if phone is None else PhoneNumber.parse(arguments.text("phone", phone))
        if number is None:
            return await self._having(None, number, email)
        last = number.normalized.partition(";")[0][-_LAST_DIGITS:]
        if last.isdigit() and len(number.normalized) >= _SHORTEST_NUMBER:
            with suppress(BadRequestError):  # a service may take whole numbers alone (anomaly C7)
                if found := await self._having(last, number, email):
                    return found
        return await self._having(number.e164 or number.raw, number, email)

    async def _having(self, text: str | None, number: PhoneNumber | None, email: str | None) -> list[Contact]:
        """Of the contacts that the service finds by this text, those that have this number and address."""
        found = [
            contact
            async for contact in self.search(phone=text, email=email)
            if _has_phone(contact, number) and _has_email(contact, email)
        ]
        return list({contact.id: contact for contact in found}.values())

    def _search(
        self, started: float | None, *, phone: str | None = None, first_name: str | None = None
    ) -> Listing[Contact]:
        return Contacts(self._caller.since(started)).search(phone=phone, first_name=first_name)

    async def _replace(self, contact: Contact, changes: Mapping[str, Any]) -> Contact:
        # Every value goes along, `crm_name` above all: leaving it out may take the contact from its CRM (anomaly C5).
        # A null does not: left out it stays one, and who does not take nulls (C6) would refuse it.
        held = {name: value for name, value in unstructure(contact).items() if name in FIELDS and value is not None}
        body = held | dict(changes)
        segment = arguments.segment("id", contact.id)
        return await self._caller.call(operations.UPDATE_CONTACT, segment=segment, body=body)


def _paged(query: Mapping[str, str], request: PageRequest) -> dict[str, Any]:
    return {"query": {**query, "offset": str(request.start), "limit": str(request.size)}}


def _comparable(contact: Contact) -> dict[str, Any]:
    return {
        name: value
        for name, value in unstructure(contact).items()
        if value and name not in {"updated_at", "created_at"}
    }


def _has_phone(contact: Contact, number: PhoneNumber | None) -> bool:
    return number is None or number.normalized in {PhoneNumber.parse(held).normalized for held in contact.all_phones}


def _has_email(contact: Contact, email: str | None) -> bool:
    addresses = {address.casefold() for address in (contact.primary_email, *(contact.emails or ())) if address}
    return email is None or email.casefold() in addresses
