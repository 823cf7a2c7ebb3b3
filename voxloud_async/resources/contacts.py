"""Contacts (API section "Contacts API")."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar, Unpack

from attrs import field, frozen

from ..errors import ConflictError
from ..models import Contact, PhoneNumber
from ..paging import Listing
from ..paging.places import Ask, Offsets
from ..protocol import arguments, operations
from ..protocol.codec import unstructure
from ..protocol.page import Page, Progress
from ..session.caller import Caller
from .bulk.run import BulkOptions, BulkRun
from .bulk.source import Items
from .contact_fields import FIELDS, ContactChanges, ContactFields, part, whole
from .contact_writes import Creation, Deletion, Replacement, number_key
from .deletion import delete
from .listings import Reading, Shape, digest, listing
from .outcome import settled

FieldsT = TypeVar("FieldsT", bound=Mapping[str, Any])  # rows of a file are plain dicts

_MOST_ROWS = 100
_WHOLE_SECONDS = 2.0  # the service tells both its time and that of a contact without fractions


@frozen
class Contacts:
    """`client.contacts`."""

    _caller: Caller = field(repr=False)

    async def create(self, **fields: Unpack[ContactFields]) -> Contact:
        """Create a contact.

        Required: `first_name`, `primary_phone` (E.164, such as +390312345678). Optional: `last_name`, `phones` (further
        numbers, E.164), `primary_email`, `emails`, `company_name`, `job_title`, `website`, `crm_name`,
        `crm_contact_url`. What is left out is not sent, None is sent as null; see `ContactFields`.

        Where the answer is lost, it is never sent again: the one contact with the same fields that is as new, and that
        no other call of this client made, is returned in its place, else `OutcomeUnknownError` is raised. Raises
        ValueError or TypeError for bad fields.
        API: Create contact.
        """
        body, started = whole(fields), self._caller.now()
        return await settled(
            self._caller.call(operations.CREATE_CONTACT, body=body, started=started),
            partial(self._made, body, started, started),
            partial(self._made, body, started, None),
            self._caller.claims,
            alike=number_key(body["primary_phone"]),
        )

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
            raise TypeError(f"contact must be a Contact, not {type(contact).__name__}")
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
        journal sends what failed again, and so it does with what it knows nothing of and does not find. API: Create
        contact.
        """
        return BulkRun.of(self._caller, Creation(self._caller, self._new_of, _has_fields), items, options)

    def update_many(
        self, items: Items[tuple[str, FieldsT]], **options: Unpack[BulkOptions]
    ) -> BulkRun[tuple[str, FieldsT], Contact]:
        """Replace a contact by each pair of id and fields, as `update` does; for the rest see `create_many`.

        API: Update contact.
        """
        return BulkRun.of(self._caller, Replacement(self._caller), items, options)

    def delete_many(
        self, items: Items[str], *, missing_ok: bool = False, **options: Unpack[BulkOptions]
    ) -> BulkRun[str, None]:
        """Delete the contact of each id, as `delete` does; for the rest see `create_many`.

        A search that is read meanwhile misses contacts, since its pages move: collect its ids first. API: Delete
        contact.
        """
        deletion = Deletion(self._caller, arguments.flag("missing_ok", missing_ok))
        return BulkRun.of(self._caller, deletion, items, options)

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
        """Contacts whose fields contain the given texts, whatever their case.

        `page_size` is from 1 to 100 rows a request; a request may ask for 3 more, to overlap with the page before.
        `max_items` bounds the rows in all. `prefetch` is how many pages are asked for at once. The service tells no
        total, so that a list is taken to be twice as long as what is known of it: up to `prefetch` - 1 pages are asked
        for beyond its end, none for a list of one or two pages; 1 asks for none.

        `on_progress` is called with a `Progress` after each page. `cursor` is that of a page of a list with the same
        texts: it goes on after that page. How the service combines several texts is not documented; `find` checks its
        answers. API: Search Contacts.
        """
        texts = {"first_name": first_name, "last_name": last_name, "phone": phone, "email": email}
        query = {name: arguments.text(name, value) for name, value in texts.items() if value is not None}
        rows = arguments.page_rows(page_size, _MOST_ROWS, max_items)
        return listing(
            partial(self._page, query),
            partial(self._raw_page, query),
            Shape(
                places=partial(Offsets, _MOST_ROWS),
                size=rows,
                digest=digest("contacts", query),
                operation=str(operations.SEARCH_CONTACTS),
            ),
            Reading(prefetch=prefetch, max_items=max_items, on_progress=on_progress, cursor=cursor),
        )

    async def find(self, *, phone: str | None = None, email: str | None = None) -> list[Contact]:
        """Contacts that have exactly this phone number and this e-mail address, primary or secondary.

        Numbers are compared by their E.164 form, or digits where they have none, and addresses whatever their case:
        the service promises neither an exact search nor that it joins both by "and".
        """
        if phone is None and email is None:
            raise ValueError("phone or email must be given")
        wanted = None if phone is None else PhoneNumber.parse(arguments.text("phone", phone)).e164 or phone
        found = [
            contact
            async for contact in self.search(phone=wanted, email=email)
            if _has_phone(contact, wanted) and _has_email(contact, email)
        ]
        return list({contact.id: contact for contact in found}.values())

    async def _made(self, body: Mapping[str, Any], since: float, started: float | None) -> list[Contact]:
        """Contacts with these fields that the service has made since a moment of this call."""
        query = {"phone": body["primary_phone"], "offset": "0", "limit": "100"}
        page = await self._caller.call(operations.SEARCH_CONTACTS, query=query, started=started)
        oldest = self._caller.service_time() - (self._caller.now() - since) - _WHOLE_SECONDS
        return [contact for contact in page.items if _is_new(contact, oldest) and _has_fields(contact, body)]

    async def _new_of(self, phone: str, since: Callable[[], float]) -> list[Contact]:
        """Contacts of this primary number that the service has made since a moment of its clock."""
        found = await self.search(phone=phone).collect()
        oldest = since() - _WHOLE_SECONDS
        return [
            each for each in found if _may_be_new(each, oldest) and _squeezed(each.primary_phone) == _squeezed(phone)
        ]

    async def _page(self, query: Mapping[str, str], ask: Ask) -> Page[Contact]:
        return await self._caller.call(operations.SEARCH_CONTACTS, query=_paged(query, ask))

    async def _raw_page(self, query: Mapping[str, str], ask: Ask) -> bytes:
        return await self._caller.call(operations.SEARCH_CONTACTS_RAW, query=_paged(query, ask))

    async def _replace(self, contact: Contact, changes: Mapping[str, Any]) -> Contact:
        # Every value goes along, `crm_name` above all: leaving it out may take the contact from its CRM (anomaly C5).
        # A null does not: left out it stays one, and who does not take nulls (C6) would refuse it.
        held = {name: value for name, value in unstructure(contact).items() if name in FIELDS and value is not None}
        body = held | dict(changes)
        segment = arguments.segment("id", contact.id)
        return await self._caller.call(operations.UPDATE_CONTACT, segment=segment, body=body)


def _paged(query: Mapping[str, str], ask: Ask) -> dict[str, str]:
    return {**query, "offset": str(ask.start), "limit": str(ask.size)}


def _comparable(contact: Contact) -> dict[str, Any]:
    return {
        name: value
        for name, value in unstructure(contact).items()
        if value and name not in {"updated_at", "created_at"}
    }


def _may_be_new(contact: Contact, oldest: float) -> bool:
    return contact.created_at is None or _is_new(contact, oldest)


def _is_new(contact: Contact, oldest: float) -> bool:
    return contact.created_at is not None and contact.created_at.timestamp() >= oldest


def _has_fields(contact: Contact, body: Mapping[str, Any]) -> bool:
    # "John&Associates" was sent and "John & Associates" came back (anomaly C3).
    held = unstructure(contact)
    unsent = set(FIELDS) - set(body) - {"crm_name"}  # which the service fills in
    if any(held.get(name) for name in unsent):
        return False
    return all(_squeezed(held.get(name)) == _squeezed(value) for name, value in body.items() if value)


def _squeezed(value: object) -> object:
    if isinstance(value, str):
        return "".join(value.split()).casefold()
    return [_squeezed(item) for item in value] if isinstance(value, list) else value


def _has_phone(contact: Contact, phone: str | None) -> bool:
    return phone is None or _canonical(phone) in map(_canonical, contact.all_phones)


def _has_email(contact: Contact, email: str | None) -> bool:
    addresses = {address.casefold() for address in (contact.primary_email, *(contact.emails or ())) if address}
    return email is None or email.casefold() in addresses


def _canonical(number: str) -> str:
    return PhoneNumber.parse(number).e164 or "".join(filter(str.isdigit, number))
