"""Which field of a contact a column holds, by the names that products give their columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from unicodedata import category, normalize

from attrs import field, frozen

from ..errors import InvalidArgumentError
from ..resources.contact_fields import FIELDS

NAME = "name"
"""A full name, which becomes first and last name; no field of the API."""

LISTS = ("phones", "emails")
PRIMARY = {"primary_phone": "phones", "primary_email": "emails"}
"""Fields that several columns may hold: the first value is the primary one, the others go to the list."""

READ_ONLY = frozenset({"id", "createdat", "updatedat", "extra"})
"""Columns of an export of this package that only the service sets."""

_IGNORE = ""
_NEAR = 0.88
_NAMED = re.compile(r"(?:person|contact)\s*-\s*", re.IGNORECASE)  # Pipedrive: "Person - Phone - Work"

# In order of preference: of two columns for one field the one that stands first here is taken, or is the primary one.
# Product documentation and exports of Google Contacts (both forms), Outlook, HubSpot, Salesforce, Pipedrive and Zoho;
# Outlook in Italian, German, French and Spanish.
_NAMES: dict[str, str] = {
    "first_name": "firstname givenname nome vorname prenom nombre",
    "last_name": "lastname familyname surname cognome nachname nom apellidos apellido",
    NAME: "name fullname contactname displayname",
    "primary_phone": """
        primaryphone phone1value phone2value phone3value phone4value phone phonenumber telephone businessphone workphone
        phonework businessphone2 telefono telefonouff telefon telefongeschaftlich telephonebureau telefonodeltrabajo
        mobile mobilephone mobilephonenumber phonemobile cellulare mobiltelefon telmobile movil
        homephone phonehome homephone2 telefonoab telefonprivat telephonedomicile telefonoparticular
        otherphone phoneother carphone companymainphone assistantsphone assistantphone asstphone
        """,
    "primary_email": """
        primaryemail email1value email2value email3value email emailaddress workemail emailwork mail
        indirizzopostaelettronica emailadresse adressedemessagerie direcciondecorreoelectronico email2address
        email3address secondaryemail additionalemailaddresses emailhome emailother
        """,
    "phones": "phones",
    "emails": "emails",
    "company_name": """
        companyname company organizationname organization1name organization associatedcompany primarycompany accountname
        azienda societa firma unternehmen societe entreprise empresa organizacion
        """,
    "job_title": """
        jobtitle organizationtitle organization1title posizione ruolo position titre1 poste puesto cargo title
        """,
    "website": "website websiteurl webpage website1value personalwebpage sitoweb paginaweb webseite siteweb",
    "crm_name": "crmname",
    "crm_contact_url": "crmcontacturl",
}
_PLACES = {name: (target, rank) for target, names in _NAMES.items() for rank, name in enumerate(names.split())}
_OWN = {key.replace("_", ""): key for key in FIELDS}


@frozen
class Columns:
    """The columns of a file that hold fields, and those that hold none."""

    sources: dict[str, list[str]] = field(factory=dict)
    """For each field, its columns: the one that is preferred first."""

    ignored: list[str] = field(factory=list)
    """Columns that no field takes, or that a better one displaces."""

    misspelt: dict[str, str] = field(factory=dict)
    """Columns that are named nearly like a field, and that field: to ignore them might lose data."""


def recognised(names: Sequence[str], mapped: Mapping[str, str]) -> int:
    """How many of the names are those of columns with a field."""
    return sum(name in mapped or _key(name) in _PLACES for name in names)


def assigned(names: Sequence[str], mapped: Mapping[str, str]) -> Columns:
    """Find the field of each column; `mapped` names the fields of some, and "" for those to be ignored."""
    ranked: dict[str, list[tuple[int, str]]] = {}
    columns = Columns()
    for name in names:
        target, rank = (mapped[name], -1) if name in mapped else _PLACES.get(_key(name), (_IGNORE, 0))
        if target != _IGNORE:
            ranked.setdefault(target, []).append((rank, name))
        elif name not in mapped and (near := _nearly(name)) is not None:
            columns.misspelt[name] = near
        elif name:
            columns.ignored.append(name)
    if "first_name" in ranked or "last_name" in ranked:
        columns.ignored.extend(name for _, name in ranked.pop(NAME, ()))
    for target, found in ranked.items():
        best = [name for _, name in sorted(found, key=lambda each: each[0])]
        taken = best if target in {*PRIMARY, *LISTS} else best[:1]
        columns.sources[target] = taken
        columns.ignored.extend(name for name in best if name not in taken)
    return columns


def checked_map(mapped: Mapping[str, str]) -> dict[str, str]:
    """A caller's map of columns to fields.

    Raises:
        ValueError: a value is not a field.
    """
    known = {*FIELDS, NAME, _IGNORE}
    for target in mapped.values():
        if target not in known:
            raise InvalidArgumentError("columns", f"must map to a field ({', '.join([*FIELDS, NAME])}), or to nothing")
    return {" ".join(column.split()): target for column, target in mapped.items()}


def _nearly(name: str) -> str | None:
    key = _key(name)
    if key in READ_ONLY or any(sign.isdigit() for sign in key):
        return None
    near = get_close_matches(key, _OWN, n=1, cutoff=_NEAR)
    return _OWN[near[0]] if near else None


def _key(name: str) -> str:
    """A column's name as it is compared: without its product's prefix, accents, case and punctuation."""
    letters = normalize("NFKD", _NAMED.sub("", name, count=1) if _NAMED.match(name) else name)
    return "".join(each for each in letters.casefold() if category(each)[0] in "LN")
