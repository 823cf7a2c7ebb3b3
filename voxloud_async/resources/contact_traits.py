"""What a contact says, to compare what was sent with what a service made of it."""

from __future__ import annotations

from collections.abc import Mapping
from html import unescape
from typing import Any
from unicodedata import normalize

from ..models import Contact
from ..protocol.codec import unstructure
from .contact_fields import FIELDS
from .created import Traits

_DEFAULT_CRM = "Voxloud"  # what a contact has that names no CRM (anomaly C5)
_NUMBERS = ("primary_phone", "phones")


def traits(fields: Mapping[str, Any]) -> Traits:
    """Return the traits of the wire object of a contact; absent, null and empty are the same (anomaly C6).

    Services rewrite texts ("John&Associates" comes back as "John & Associates", anomaly C3) and numbers (C20): of a
    text only letters and digits count in `loose`, whatever their case, and of a number its last digits. The CRM does
    not count, since a service may fill it in.
    """
    said = {name: fields[name] for name in FIELDS if fields.get(name)}
    loose = {name: _loosened(name, value) for name, value in said.items() if name != "crm_name"}
    exact = {"crm_name": _DEFAULT_CRM} | said
    return Traits(
        tuple((name, value if isinstance(value, str) else tuple(value)) for name, value in sorted(exact.items())),
        tuple((name, value) for name, value in sorted(loose.items()) if value),
    )


def traits_of(contact: Contact) -> Traits:
    """Return the traits of a contact."""
    return traits(unstructure(contact))


def key_of(contact: Contact) -> str:
    """Return the key of a contact's number."""
    return number_key(contact.primary_phone or "")


def number_key(phone: str) -> str:
    """Return what all spellings of a number have in common."""
    # +39031..., 0039031... and 031... may become one number at the service (anomaly C20): they end alike.
    return "".join(filter(str.isdigit, phone))[-7:] or phone


def _loosened(name: str, value: Any) -> str | tuple[str, ...]:
    loosened = number_key if name in _NUMBERS else _letters
    return loosened(value) if isinstance(value, str) else tuple(sorted(map(loosened, value)))


def _letters(text: str) -> str:
    bare = normalize("NFKC", unescape(text)).casefold().removeprefix("https://").removeprefix("http://")
    return "".join(filter(str.isalnum, bare))
