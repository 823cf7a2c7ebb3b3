# Generated from spec/voxloud.yaml by `python -m codegen`. Do not edit.
"""Click-to-call, as frozen attrs classes."""

from __future__ import annotations

from attrs import field, frozen

from ._base import Model
from ._derived import ClickToCallBase
from ._enum import OpenEnum
from ._extension import Extension


class DialFirst(OpenEnum):
    """Who is called first. API text, line 812."""

    CONTACT = "contact"
    """The contact."""

    EXTENSION = "extension"
    """The extension."""


@frozen(kw_only=True, repr=False)
class ClickToCall(ClickToCallBase):
    """A click-to-call resource, made once and reused. API text, line 813."""

    id: str = field(metadata={"wire": "id"})
    """Identifier, an opaque string. API text, line 816."""

    name: str | None = field(default=None, metadata={"wire": "name", "personal": True})
    """Name, with a prefix that the service puts before it. API text, line 801."""

    extension: Extension | None = field(default=None, metadata={"wire": "extension", "personal": True})
    """The extension to be called. API text, line 810."""

    outbound_number: str | None = field(default=None, metadata={"wire": "outboundNumber", "personal": True})
    """The company's number that the contact is called from. API text, line 811."""

    dial_first: DialFirst | None = field(default=None, metadata={"wire": "dial_first"})
    """Who is called first. API text, line 819."""


@frozen(kw_only=True, repr=False)
class Connection(Model):
    """A call being set up. API text, line 897."""

    contact: str = field(metadata={"wire": "contact", "personal": True})
    """Number of the contact, E.164. API text, line 900."""
