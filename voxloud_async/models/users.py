# Generated from spec/voxloud.yaml by `python -m codegen`. Do not edit.
"""Users and their outbound numbers, as frozen attrs classes."""

from __future__ import annotations

from attrs import field, frozen

from ._base import Model
from ._extension import Extension


@frozen(kw_only=True, repr=False)
class Did(Model):
    """A number of the company. API text, line 328."""

    number: str = field(metadata={"wire": "number", "personal": True})
    """Phone number in international format. API text, line 331."""

    label: str | None = field(default=None, metadata={"wire": "label", "personal": True})
    """Label of the number. API text, line 332."""


@frozen(kw_only=True, repr=False)
class OutboundCli(Model):
    """The numbers a user may show to those called. API text, line 323."""

    outbound_did: Did | None = field(default=None, metadata={"wire": "outbound_did"})
    """The number in use. API text, line 326."""

    available_dids: tuple[Did, ...] | None = field(default=None, metadata={"wire": "available_dids"})
    """The numbers to choose from; may be empty. API text, line 327."""


@frozen(kw_only=True, repr=False)
class User(Model):
    """A user of the PBX. Read-only. API text, line 315."""

    id: str = field(metadata={"wire": "id"})
    """Identifier, an opaque string. API text, line 318."""

    first_name: str = field(metadata={"wire": "first_name", "personal": True})
    """First name. API text, line 319."""

    last_name: str = field(metadata={"wire": "last_name", "personal": True})
    """Last name. API text, line 320."""

    extension_number: Extension | None = field(default=None, metadata={"wire": "extension_number", "personal": True})
    """Extension. API text, line 321."""

    outbound_cli: OutboundCli | None = field(default=None, metadata={"wire": "outbound_cli"})
    """Numbers the user may call from. API text, line 322."""
