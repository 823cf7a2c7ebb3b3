"""From a request to its answer, whichever server it came through: checked, parsed, stored, and then acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Protocol

from attrs import define, field, frozen

from ..errors import WebhookError
from ..models import CallEvent, EventType, Fax, TelephonyEvent, Webhook
from .handlers import queue_of
from .identity import delivery_key, fingerprint
from .inbox.protocol import Delivery, InboxFullError, Origin
from .notices import InboxFailed, Notice, Notify, Reason, Refused
from .parse import MAX_BODY, parse_webhook
from .sources import Sources
from .telling import known_type
from .tokens import Tokens

_ALSO: Mapping[str, frozenset[str]] = {EventType.PHONE_CALL: frozenset({EventType.CLICK_TO_CALL})}
"""The create of a subscription lists no CLICK_TO_CALL (anomaly W1), so its records may come as phone calls'."""


@frozen
class Arrival:
    """A request. `headers` have lower-case names; `read` gives the next piece of the body, empty at its end."""

    method: str
    token: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    peer: str | None = field(repr=False)
    read: Callable[[], Awaitable[bytes]] = field(repr=False)


@frozen
class Answer:
    """A status and headers. Where `close`, the request was not read to its end, and so its connection is of no use."""

    status: HTTPStatus
    headers: Mapping[str, str] = field(factory=dict)

    @property
    def close(self) -> bool:
        """Whether the connection ends with it."""
        # An unknown path is answered by the framework, which closes nothing; ours must look the same.
        return self.status not in {HTTPStatus.OK, HTTPStatus.NOT_FOUND}


_OK = Answer(HTTPStatus.OK)
_MOST_DIGITS = 20


class Store(Protocol):
    """Where deliveries go."""

    @property
    def open(self) -> bool:
        """Whether it takes any."""
        ...

    async def add(self, delivery: Delivery) -> Callable[[str], Notice]:
        """Store one for good; what became of it. Raises InboxFullError, and whatever an inbox raises."""
        ...


class TooLargeError(Exception):
    """A body is larger than a server, or a receiver, takes."""


class _RefusedError(Exception):
    def __init__(self, reason: Reason, status: HTTPStatus, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(reason)
        self.reason: Reason = reason
        self.answer = Answer(status, headers or {})


@define(kw_only=True)
class Intake:
    """The checks, the cheapest first, and the limits."""

    tokens: Tokens
    sources: Sources
    pbx_id: str | None
    account_id: str | None
    read_timeout: float
    max_requests: int
    store: Store
    wall: Callable[[], float]
    notify: Notify
    _under_way: int = field(default=0, init=False)

    async def answer(self, arrival: Arrival) -> Answer:
        """Take a delivery in, or say why not."""
        try:
            event_type = self._admit(arrival)
            body = await self._body(arrival)
            await self._store(body, self._parsed(body, event_type, arrival))
        except _RefusedError as refused:
            self.notify(Refused(refused.reason, refused.answer.status))
            return refused.answer
        return _OK

    def _admit(self, arrival: Arrival) -> str:
        event_type = self.tokens.event_type(arrival.token)
        if not self.sources.admit(arrival.peer, arrival.headers.get("x-forwarded-for", "")):
            raise _RefusedError("source", HTTPStatus.NOT_FOUND)
        if event_type is None:
            raise _RefusedError("token", HTTPStatus.NOT_FOUND)
        if arrival.method != "POST":
            raise _RefusedError("method", HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": "POST"})
        if arrival.headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise _RefusedError("encoding", HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        if not _is_json(arrival.headers.get("content-type")):
            raise _RefusedError("content_type", HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        return event_type

    async def _body(self, arrival: Arrival) -> bytes:
        if not _is_short(arrival.headers.get("content-length", "0")):
            raise _RefusedError("too_large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        if self._under_way >= self.max_requests:
            raise _RefusedError("busy", HTTPStatus.SERVICE_UNAVAILABLE)
        self._under_way += 1
        try:
            async with asyncio.timeout(self.read_timeout):
                return await _whole(arrival)
        except TooLargeError:
            raise _RefusedError("too_large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE) from None
        except TimeoutError:
            raise _RefusedError("too_slow", HTTPStatus.REQUEST_TIMEOUT) from None
        except OSError:
            raise _RefusedError("broken_off", HTTPStatus.BAD_REQUEST) from None
        finally:
            self._under_way -= 1

    def _parsed(self, body: bytes, event_type: str, arrival: Arrival) -> Webhook:
        if not body:
            raise _RefusedError(_reason_of_emptiness(arrival), HTTPStatus.BAD_REQUEST)
        try:
            webhook = parse_webhook(body)
        except WebhookError:
            raise _RefusedError("malformed", HTTPStatus.BAD_REQUEST) from None
        named = {kind for kind in (webhook.type, own_type(webhook.data)) if kind is not None and kind.is_known}
        if not named <= {event_type, *_ALSO.get(event_type, ())}:
            raise _RefusedError("wrong_type", HTTPStatus.FORBIDDEN)
        if self._is_of_another(webhook):
            raise _RefusedError("wrong_pbx", HTTPStatus.FORBIDDEN)
        return webhook

    def _is_of_another(self, webhook: Webhook) -> bool:
        """Whether it names a PBX that is not ours; a bare delivery (anomaly P1) names none."""
        data = webhook.data
        pbx_id = webhook.extra.get("pbx_id") if webhook.pbx_id is None else webhook.pbx_id
        account_id = getattr(data, "account_id", None) or data.extra.get("accountId")
        return _differs(pbx_id, self.pbx_id) or _differs(account_id, self.account_id)

    async def _store(self, body: bytes, webhook: Webhook) -> None:
        delivery = delivery_of(webhook, body, self.wall())
        kind = known_type(type_of(webhook))
        if not self.store.open:  # asked last: a receiver may have stopped while a slow body came in
            raise _RefusedError("stopped", HTTPStatus.SERVICE_UNAVAILABLE)
        try:
            outcome = await self.store.add(delivery)
        except InboxFullError:
            raise _RefusedError("inbox_full", HTTPStatus.SERVICE_UNAVAILABLE) from None
        except Exception as error:  # noqa: BLE001 - whatever a store raises, nothing was promised
            self.notify(InboxFailed("add", type(error).__name__, error))
            raise _RefusedError("inbox_failed", HTTPStatus.SERVICE_UNAVAILABLE) from None
        self.notify(outcome(kind))


def delivery_of(webhook: Webhook, body: bytes, received: float, origin: Origin = "webhook") -> Delivery:
    """A delivery as it is put into the inbox."""
    return Delivery(
        key=delivery_key(webhook),
        body=body,
        origin=origin,
        received=received,
        type=queue_of(type_of(webhook)),
        fingerprint=fingerprint(webhook.data),
    )


def type_of(webhook: Webhook) -> EventType:
    """The event type of a delivery: its event's own where that is a documented one, else its envelope's."""
    own = own_type(webhook.data)
    return own if own is not None and own.is_known else webhook.type


def own_type(event: CallEvent | TelephonyEvent) -> EventType | None:
    """The event type that an event names itself, if it does."""
    if isinstance(event, CallEvent):
        return EventType(f"CALL_{event.type}")
    if isinstance(event, Fax):
        return EventType.FAX_CALL
    return None if event.type is None else EventType(event.type)


async def _whole(arrival: Arrival) -> bytes:
    body = bytearray()
    while piece := await arrival.read():
        body += piece
        if len(body) > MAX_BODY:
            raise TooLargeError
    return bytes(body)


def _reason_of_emptiness(arrival: Arrival) -> Reason:
    """Why there is no body: uvicorn with httptools loses that of a request that offers h2c."""
    offered = "h2c" in arrival.headers.get("upgrade", "").lower()
    return "h2c" if offered and arrival.headers.get("content-length") != "0" else "empty"


def _differs(named: Any, expected: str | None) -> bool:
    """Whether a delivery names another one than is expected, whichever JSON type it writes it in."""
    return expected is not None and named is not None and str(named) != expected


def _is_short(declared: str) -> bool:
    """Whether a body of this length is worth reading; `int` itself refuses thousands of digits."""
    return declared.isdecimal() and len(declared) < _MOST_DIGITS and int(declared) <= MAX_BODY


def _is_json(content_type: str | None) -> bool:
    """How deliveries are labelled is not documented (anomaly W12), so a missing label is no fault."""
    if content_type is None:
        return True
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
