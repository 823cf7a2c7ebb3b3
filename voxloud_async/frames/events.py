"""Telephony events as a table."""

from __future__ import annotations

from typing import ClassVar

from ..models import ClickToCallCall, Fax, FaxCall, Model, PhoneCall, TelephonyEvent
from ..protocol.page import ListedEvent
from .frame import Frame


class EventFrame(Frame[TelephonyEvent]):
    """Telephony events as a table: the fields of phone calls, click-to-calls and faxes, a row an event."""

    __slots__ = ()

    _models: ClassVar[tuple[type[Model], ...]] = (PhoneCall, ClickToCallCall, FaxCall, Fax)
    _row = TelephonyEvent
    _listed = ListedEvent
