"""What a PBX keeps, as plain values. Field names of contacts, subscriptions and click-to-calls are the wire's."""

from __future__ import annotations

from typing import Any, Literal

from attrs import frozen

Row = dict[str, Any]
"""A telephony event under its wire names, `timestamp` as milliseconds since 1970; fields it lacks are absent."""

DialFirst = Literal["contact", "extension"]


@frozen
class Did:
    """A phone number of the PBX; `number` is e164."""

    number: str
    label: str


@frozen(kw_only=True)
class User:
    """A person with an extension; `outbound` is one of `dids`, or None for somebody without a number (U5)."""

    id: str
    first_name: str
    last_name: str
    extension: int
    dids: tuple[Did, ...] = ()
    outbound: Did | None = None

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}"


@frozen
class Group:
    """A ring group. No endpoint shows it, yet it counts in the click-to-call quota (U6)."""

    name: str
    extension: int


@frozen(kw_only=True)
class Contact:
    """A contact; the times are milliseconds since 1970."""

    id: str
    first_name: str
    last_name: str | None = None
    primary_phone: str
    phones: tuple[str, ...] = ()
    primary_email: str | None = None
    emails: tuple[str, ...] = ()
    company_name: str | None = None
    job_title: str | None = None
    website: str | None = None
    crm_name: str | None = None
    crm_contact_url: str | None = None
    created_at: int
    updated_at: int

    @property
    def name(self) -> str:
        """First and last name, as far as known."""
        return " ".join(filter(None, (self.first_name, self.last_name)))


@frozen(kw_only=True)
class Subscription:
    """A webhook subscription."""

    id: str
    enabled: bool = True
    event_type: str
    failed_count: int = 0
    last_error: str | None = None
    callback_url: str
    notification_email: str | None = None


@frozen(kw_only=True)
class ClickToCall:
    """A click-to-call object; `name` carries its prefix."""

    id: str
    name: str
    extension: str
    outbound_number: str
    dial_first: DialFirst


@frozen(kw_only=True)
class PlacedCall:
    """A phone that `connect` rang; `at` is milliseconds since 1970."""

    click_to_call_id: str
    call_id: str
    extension: str
    contact: str
    outbound_number: str
    dial_first: DialFirst
    at: int
