# Generated from spec/voxloud.yaml by `python -m codegen`. Do not edit.
"""Contacts, as frozen attrs classes."""

from __future__ import annotations

from datetime import datetime

from attrs import field, frozen

from ._derived import ContactBase


@frozen(kw_only=True, repr=False)
class Contact(ContactBase):
    """A contact of the company. API text, line 64."""

    id: str = field(metadata={"wire": "id"})
    """Identifier, an opaque string. API text, line 67."""

    first_name: str | None = field(default=None, metadata={"wire": "first_name", "personal": True})
    """First name. API text, line 68."""

    last_name: str | None = field(default=None, metadata={"wire": "last_name", "personal": True})
    """Last name. API text, line 69."""

    primary_phone: str | None = field(default=None, metadata={"wire": "primary_phone", "personal": True})
    """Primary phone number, E.164. API text, line 70."""

    phones: tuple[str, ...] | None = field(default=None, metadata={"wire": "phones", "personal": True})
    """Secondary phone numbers, E.164. API text, line 71."""

    primary_email: str | None = field(default=None, metadata={"wire": "primary_email", "personal": True})
    """Primary e-mail address. API text, line 72."""

    emails: tuple[str, ...] | None = field(default=None, metadata={"wire": "emails", "personal": True})
    """Secondary e-mail addresses. API text, line 73."""

    company_name: str | None = field(default=None, metadata={"wire": "company_name", "personal": True})
    """Company name. API text, line 74."""

    job_title: str | None = field(default=None, metadata={"wire": "job_title", "personal": True})
    """Job title. API text, line 75."""

    website: str | None = field(default=None, metadata={"wire": "website", "personal": True})
    """Website of the company, as entered. API text, line 76."""

    crm_name: str | None = field(default=None, metadata={"wire": "crm_name"})
    """Name of the CRM the contact is from. API text, line 77."""

    crm_contact_url: str | None = field(default=None, metadata={"wire": "crm_contact_url", "personal": True})
    """URL of the contact in its CRM. API text, line 78."""

    created_at: datetime | None = field(default=None, metadata={"wire": "created_at"})
    """When it was created. API text, line 79."""

    updated_at: datetime | None = field(default=None, metadata={"wire": "updated_at"})
    """When it was last changed. API text, line 80."""
