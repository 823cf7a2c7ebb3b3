"""What is told from the fields of a model: the bases of the generated classes that have such properties."""

from __future__ import annotations

import re
from typing import Protocol

from attrs import field, frozen

from ._base import Model

__all__ = ["ClickToCallBase", "ContactBase", "FaxBase", "PhoneCallBase", "UnknownEventBase"]

_PREFIX = re.compile(r"\Actc[-_]")


class _HasPhones(Protocol):
    @property
    def primary_phone(self) -> str | None: ...
    @property
    def phones(self) -> tuple[str, ...] | None: ...


class _HasTimes(Protocol):
    @property
    def duration(self) -> float | None: ...
    @property
    def ring_time(self) -> float | None: ...


class _HasEnds(Protocol):
    @property
    def sender(self) -> str | None: ...
    @property
    def recipient(self) -> str | None: ...


class _HasName(Protocol):
    @property
    def name(self) -> str | None: ...


@frozen(kw_only=True, repr=False)
class ContactBase(Model):
    """A contact's numbers together."""

    @property
    def all_phones(self: _HasPhones) -> tuple[str, ...]:
        """The primary number and the secondary ones (`phones` lacks the primary), each once, in this order."""
        numbers = (self.primary_phone, *(self.phones or ()))
        return tuple(dict.fromkeys(number for number in numbers if number))


@frozen(kw_only=True, repr=False)
class PhoneCallBase(Model):
    """A phone call's times together."""

    @property
    def talk_time(self: _HasTimes) -> float | None:
        """Seconds from the first answer to the end; `None` where `duration` or `ring_time` is missing.

        Phone calls alone have it: only for them the text says that `duration` includes the ringing (anomaly P12).
        """
        if self.duration is None or self.ring_time is None:
            return None
        return self.duration - self.ring_time


@frozen(kw_only=True, repr=False)
class FaxBase(Model):
    """A fax under the names that every telephony event has."""

    @property
    def call_id(self) -> str | None:
        """Always `None`: a fax names no call."""
        return None

    @property
    def duration(self) -> float | None:
        """Always `None`: a fax has pages, not seconds."""
        return None

    @property
    def originator_number(self: _HasEnds) -> str | None:
        """Number of the sender."""
        return self.sender

    @property
    def destination_number(self: _HasEnds) -> str | None:
        """Number of the recipient."""
        return self.recipient


@frozen(kw_only=True, repr=False)
class ClickToCallBase(Model):
    """A click-to-call resource under the name it was given."""

    @property
    def friendly_name(self: _HasName) -> str | None:
        """The name without the `ctc-` or `ctc_` that the service puts before it (anomaly K1)."""
        return None if self.name is None else _PREFIX.sub("", self.name)


@frozen(kw_only=True, repr=False)
class UnknownEventBase(Model):
    """A record that no other class describes, and why."""

    misfit: str | None = field(default=None, eq=False)
    """Where and why the record does not fit the class of its type; `None` where the type itself is not described."""
