"""The request object of contacts (L50, L111): what it must hold, and what becomes of it."""

from __future__ import annotations

import re
from typing import Any

from ..quirks import Quirks
from ..records import Contact
from ..validation import Fields, e164, optional_text, optional_texts, required_text

OPTIONAL_TEXTS = (
    "last_name",
    "primary_email",
    "company_name",
    "job_title",
    "website",
    "crm_name",
    "crm_contact_url",
)
OPTIONAL_LISTS = ("phones", "emails")

_NO_DIGIT = re.compile(r"[^0-9]")


def read_contact(fields: Fields, quirks: Quirks) -> dict[str, Any]:
    """The fields that were sent, checked and as they are stored; those left out are not in it."""
    values: dict[str, Any] = {
        "first_name": required_text(fields, "first_name"),
        "primary_phone": _phone(required_text(fields, "primary_phone"), "primary_phone", quirks),
    }
    for name in OPTIONAL_TEXTS:
        if name in fields:
            values[name] = _text(fields, name, quirks)
    for name in OPTIONAL_LISTS:
        if name in fields:
            values[name] = _texts(fields, name, quirks)
    if "phones" in values:
        values["phones"] = tuple(_phone(phone, "phones", quirks) for phone in values["phones"])
    if quirks.company_name == "spaced" and values.get("company_name"):
        values["company_name"] = re.sub(r"\s*&\s*", " & ", values["company_name"])
    return values


def after_update(contact: Contact, values: dict[str, Any], quirks: Quirks) -> dict[str, Any]:
    """The fields of a contact after an update: what was left out is kept or cleared (C4, C5)."""
    kept: dict[str, Any] = {}
    if quirks.contact_omitted == "kept":
        kept = {name: getattr(contact, name) for name in (*OPTIONAL_TEXTS, *OPTIONAL_LISTS)}
    crm_name = contact.crm_name if quirks.crm_name_omitted == "kept" else "Voxloud"
    return kept | {"crm_name": crm_name} | values


def _text(fields: Fields, name: str, quirks: Quirks) -> str | None:
    value = None if _clears(fields, name, quirks) else optional_text(fields, name)
    if name == "crm_name":
        return value or "Voxloud"
    return None if value == "" and quirks.contact_blank == "clears" else value


def _texts(fields: Fields, name: str, quirks: Quirks) -> tuple[str, ...]:
    return () if _clears(fields, name, quirks) else optional_texts(fields, name)


def _clears(fields: Fields, name: str, quirks: Quirks) -> bool:
    return fields[name] is None and quirks.contact_null == "clears"


def _phone(number: str, name: str, quirks: Quirks) -> str:
    if quirks.invalid_phone == "stored":
        return number
    if quirks.invalid_phone == "normalised":
        number = "+" + _NO_DIGIT.sub("", number).removeprefix("00")
    return e164(number, name)
