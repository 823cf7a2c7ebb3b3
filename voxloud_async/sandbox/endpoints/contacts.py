"""Contacts (L19)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from ..context import Context
from ..exchange import Answer, RefusalError, as_json, bad_request, not_found
from ..quirks import Quirks
from ..records import Contact
from ..shapes import contact_shape, deleted
from ..validation import integer, is_e164, json_object
from .contact_fields import after_update, read_contact

_FILTERS = ("first_name", "last_name", "email", "phone")


def create_contact(context: Context) -> Answer:
    """POST /contacts."""
    values: dict[str, Any] = {"crm_name": "Voxloud"}
    values |= read_contact(json_object(context.call), context.quirks)
    _refuse_duplicate(context, values["primary_phone"])
    now = context.pbx.clock()
    contact = Contact(id=context.pbx.new_id().uuid(), created_at=now, updated_at=now, **values)
    context.pbx.contacts[contact.id] = contact
    return as_json(contact_shape(contact, context.quirks), context.quirks.create_status)


def get_contact(context: Context) -> Answer:
    """GET /contacts/{id}."""
    return as_json(contact_shape(_contact(context), context.quirks))


def update_contact(context: Context) -> Answer:
    """PUT or POST /contacts/{id} (C1)."""
    before = _contact(context)
    values = read_contact(json_object(context.call), context.quirks)
    updated_at = context.pbx.clock() if context.quirks.contact_updated_at == "moves" else before.updated_at
    contact = Contact(
        id=before.id,
        created_at=before.created_at,
        updated_at=updated_at,
        **after_update(before, values, context.quirks),
    )
    context.pbx.contacts[contact.id] = contact
    return as_json(contact_shape(contact, context.quirks))


def delete_contact(context: Context) -> Answer:
    """DELETE /contacts/{id}."""
    del context.pbx.contacts[_contact(context).id]
    return deleted(context.quirks)


def search_contacts(context: Context) -> Answer:
    """GET /contacts, by parts of names, numbers and addresses."""
    query, quirks = context.call.query, context.quirks
    offset = integer(query.get("offset", "0"), "offset", low=0)
    limit = integer(query.get("limit", "20"), "limit", low=1, high=100)
    found = _matching(_listed(context), query, quirks)
    if quirks.contact_order == "newest_first":
        found.reverse()
    page = found[offset : offset + limit]
    more = offset + limit < len(found) or (quirks.has_next == "hopeful" and len(page) == limit)
    return as_json({"data": [contact_shape(each, quirks) for each in page], "has_next": more})


def _listed(context: Context) -> list[Contact]:
    """All that a search knows of already."""
    contacts = list(context.pbx.contacts.values())
    if not context.pbx.search_delay:
        return contacts
    newest = context.pbx.clock() - context.pbx.search_delay
    return [each for each in contacts if each.created_at <= newest]


def _matching(contacts: list[Contact], query: Mapping[str, str], quirks: Quirks) -> list[Contact]:
    wanted = {name: query[name].casefold() for name in _FILTERS if query.get(name)}
    if quirks.phone_search == "e164_only" and "phone" in wanted and not is_e164(wanted["phone"]):
        raise bad_request("phone must be in e164 format")
    if not wanted:
        return contacts
    enough = all if quirks.contact_filters == "and" else any
    return [contact for contact in contacts if enough(_holds(contact, name, part) for name, part in wanted.items())]


def _holds(contact: Contact, name: str, part: str) -> bool:
    if name == "email":
        values = (contact.primary_email, *contact.emails)
    elif name == "phone":
        values = (contact.primary_phone, *contact.phones)
    else:
        values = (contact.first_name if name == "first_name" else contact.last_name,)
    return any(value is not None and part in value.casefold() for value in values)


def _contact(context: Context) -> Contact:
    contact = context.pbx.contacts.get(context.id)
    if contact is None:
        raise not_found("contact")
    return contact


def _refuse_duplicate(context: Context, phone: str) -> None:
    taken = any(contact.primary_phone == phone for contact in context.pbx.contacts.values())
    if taken and context.quirks.duplicate_contact == "rejected":
        raise RefusalError(HTTPStatus(context.quirks.conflict_status), "a contact with this primary_phone exists")
