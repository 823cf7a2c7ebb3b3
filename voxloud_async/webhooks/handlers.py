"""Which handlers an event goes to."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import Any, Literal, TypeAlias, TypeVar

from attrs import define, field, frozen

from ..models import CallEvent, ClickToCallCall, EventType, Fax, FaxCall, PhoneCall, UnknownEvent, Webhook
from .inbox.checks import is_type
from .inbox.protocol import EVERYTHING, Origin, Selection

Event: TypeAlias = CallEvent | PhoneCall | ClickToCallCall | FaxCall | Fax | UnknownEvent
"""What handlers and streams are given."""

CallTypes = Literal[
    "CALL_STARTED", "CALL_INCOMING", "CALL_ANSWERED", "CALL_HANGUP",
    EventType.CALL_STARTED, EventType.CALL_INCOMING, EventType.CALL_ANSWERED, EventType.CALL_HANGUP,
]  # fmt: skip
PhoneCallType = Literal["PHONE_CALL", EventType.PHONE_CALL]
ClickToCallType = Literal["CLICK_TO_CALL", EventType.CLICK_TO_CALL]
FaxType = Literal["FAX_CALL", EventType.FAX_CALL]

E = TypeVar("E")


@frozen(kw_only=True)
class Received:
    """How an event came; a handler that wants two arguments is given it as its second.

    `verified`: the service was asked and knows this very record (or it was read from the service in the first place).
    `run` is 1 at first, and more where a handler failed or its process died before. `key` is the same for all copies
    of the event and in all its runs; `received` is when it was acknowledged. `revision`: the record came before, with
    less or other content.
    """

    webhook: Webhook
    verified: bool
    key: str
    origin: Origin
    run: int
    received: datetime
    revision: bool = False


Handler: TypeAlias = Callable[[E], Coroutine[Any, Any, object]] | Callable[[E, Received], Coroutine[Any, Any, object]]

OnCall = TypeVar("OnCall", bound=Handler[CallEvent])
OnPhoneCall = TypeVar("OnPhoneCall", bound=Handler[PhoneCall])
OnClickToCall = TypeVar("OnClickToCall", bound=Handler[ClickToCallCall])
OnFax = TypeVar("OnFax", bound=Handler[Fax | FaxCall])
OnEvent = TypeVar("OnEvent", bound=Handler[Event])

_CLASSES: Mapping[str, type | tuple[type, ...]] = {
    EventType.PHONE_CALL: PhoneCall,
    EventType.CLICK_TO_CALL: ClickToCallCall,
    EventType.FAX_CALL: (Fax, FaxCall),
}

_REVISION = ":revision"
REVISIONS = frozenset(f"{each}{_REVISION}" for each in _CLASSES)
"""What stands for revised records among the types of deliveries."""

_ALIKE = 0.9  # `CALL_INCOMNG` is 0.96 of a documented name, `CALL_TRANSFERRED` 0.83


class UnknownEventTypeWarning(UserWarning):
    """A handler waits for an event type that is not documented, but looks like one that is."""


@frozen
class Entry:
    """A handler and what it waits for."""

    types: frozenset[str]
    call: Callable[[Event, Received], Awaitable[object]]
    revisions: bool = False

    def wants(self, event_type: str, event: Event, *, revision: bool) -> bool:
        """Whether it is to be called; what does not fit its type goes to handlers of all types alone."""
        if revision and not self.revisions:
            return False
        if EVERYTHING in self.types:
            return True
        return event_type in self.types and isinstance(event, _class_of(event_type))

    def queues(self) -> frozenset[str]:
        """The types of the deliveries that it wants."""
        queues = frozenset(queue_of(each) for each in self.types)
        if not self.revisions:
            return queues
        return queues | REVISIONS.intersection(map(revision_of, _CLASSES if EVERYTHING in queues else queues))


@define
class Handlers:
    """The handlers, in the order in which they were added."""

    _entries: list[Entry] = field(factory=list)
    queues: frozenset[str] = field(default=frozenset(), init=False)
    """The types of the deliveries that handlers want, `EVERYTHING` where some want all."""

    def add(self, types: Sequence[str], handler: Callable[..., Any], *, revisions: bool) -> None:
        """Have a handler called; TypeError for one that is no `async def` or wants other arguments."""
        entry = Entry(frozenset(_types(types)), _calling(handler), revisions)
        self._entries.append(entry)
        self.queues |= entry.queues()

    def of(self, event_type: str, event: Event, *, revision: bool) -> list[Entry]:
        """Those that wait for this event."""
        return [entry for entry in self._entries if entry.wants(event_type, event, revision=revision)]

    def selection(self) -> Selection:
        """The deliveries that some handler here wants."""
        if EVERYTHING in self.queues:
            return Selection(REVISIONS - self.queues, others=True)
        return Selection(self.queues)


def queue_of(event_type: str) -> str:
    """The type that a delivery has in the inbox; that of the sender may be any text."""
    return event_type if is_type(event_type) else "unknown"


def revision_of(queue: str) -> str:
    """The type that a revised record has in the inbox."""
    return f"{queue}{_REVISION}"


def unclaimed(announced: frozenset[str], waited: float) -> Selection:
    """What no process handles, and has waited so many seconds; without revisions where it need not have waited."""
    if EVERYTHING in announced:
        return Selection(REVISIONS - announced if waited else frozenset(), waited=waited)
    return Selection(announced if waited else announced | REVISIONS, others=True, waited=waited)


def _class_of(event_type: str) -> type | tuple[type, ...]:
    if event_type in _CLASSES:
        return _CLASSES[event_type]
    return CallEvent if EventType(event_type).is_known else UnknownEvent


def _types(names: Sequence[str]) -> list[str]:
    if not all(isinstance(name, str) for name in names):  # most likely `@receiver.on` without its brackets
        raise TypeError("on() takes event types: @receiver.on('CALL_INCOMING'), and @receiver.on() for all")
    types = [str(EventType(name)) for name in names]
    for unknown in {*types} - {EVERYTHING} - {*EventType}:
        if meant := _meant(unknown):
            text = f"{unknown!r} is no documented event type; {meant!r} is"
            warnings.warn(text, UnknownEventTypeWarning, stacklevel=4)
    return types or [EVERYTHING]


def _meant(name: str) -> str | None:
    """The documented type that a name is a slip of, if any; there may be types that nobody has documented."""
    alike = get_close_matches(name, [*EventType], n=1, cutoff=_ALIKE)
    phase = EventType(f"CALL_{name}")
    return str(alike[0]) if alike else str(phase) if phase.is_known else None


def _calling(handler: Callable[..., Any]) -> Callable[[Event, Received], Awaitable[object]]:
    if not callable(handler):
        raise TypeError(f"a handler must be an async function, not {type(handler).__name__}")
    if not (inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(getattr(handler, "__call__", None))):  # noqa: B004 - of an object, its method is looked at
        raise TypeError(f"a handler must be an async function: {_name(handler)} is not")
    takes = inspect.signature(handler)
    if _binds(takes, 2):
        return handler
    if _binds(takes, 1):
        return lambda event, _: handler(event)
    raise TypeError(f"a handler takes an event, or an event and how it was received: {_name(handler)} does not")


def _binds(signature: inspect.Signature, count: int) -> bool:
    try:
        signature.bind(*range(count))
    except TypeError:
        return False
    return True


def _name(handler: Callable[..., Any]) -> str:
    return getattr(handler, "__qualname__", type(handler).__name__)
