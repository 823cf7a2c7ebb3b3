"""W8: records are looked up in the service, within bounds, and nothing is lost for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.webhooks.deliveries import NOON, enveloped, incoming, packed, record, sample, stored
from tests.webhooks.desk import Desk, virtually
from voxloud_async.errors import NotFoundError, RateLimitedError, ResponseLostError
from voxloud_async.models import PhoneCall, TelephonyEvent
from voxloud_async.protocol import codec
from voxloud_async.webhooks import Received
from voxloud_async.webhooks.notices import Verified

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from voxloud_async.webhooks import Call


class Service:
    """The telephony events of a service: rows by call id, how long it takes, what it raises."""

    def __init__(self, *rows: dict[str, Any], seconds: float = 0.0, error: Exception | None = None) -> None:
        self.rows = rows
        self.seconds = seconds
        self.error = error
        self.asked: list[object] = []
        self.under_way = 0
        self.most = 0

    async def find_by_call_id(self, call_id: str) -> list[TelephonyEvent]:
        return [event for event in await self._answer(call_id) if event.call_id == call_id]

    async def get(self, id: int | str) -> TelephonyEvent:  # noqa: A002 - the API's own word
        found = [event for event in await self._answer(id) if event.id == id]
        if not found:
            raise NotFoundError(404)
        return found[0]

    async def _answer(self, asked: object) -> list[TelephonyEvent]:
        self.asked.append(asked)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.under_way -= 1
        if self.error is not None:
            raise self.error
        return [codec.structure(row, TelephonyEvent) for row in self.rows]


def as_listed(number: int = 1, **fields: Any) -> dict[str, Any]:
    """The row of a record in the API: another spelling of its time, and more than the delivery said."""
    return {**record(number), "timestamp": "2026-01-02T15:00:00.000+0100", "summary": "of the service", **fields}


async def handled(desk: Desk, *bodies: bytes) -> list[tuple[Any, Received]]:
    """What a handler was given."""
    seen: list[tuple[Any, Received]] = []

    @desk.receiver.on()
    async def note(event: object, received: Received) -> None:
        seen.append((event, received))

    async with desk.receiver:
        await desk.deliver(*bodies)
        await desk.settled()
    return seen


@pytest.mark.parametrize(
    "listed",
    [
        {},
        {"timestamp": NOON + 2000},
        {"timestamp": NOON - 2000},
        {"originatorNumber": "390612345678"},
        {"originatorNumber": "00390612345678"},
    ],
)
def test_w8_a_record_that_the_service_knows_is_delivered_as_the_service_has_it(listed: dict[str, Any]) -> None:
    async def main() -> None:
        service = Service(as_listed(2, callId="call-1"), as_listed(**listed))
        desk = Desk(verify=service)
        ((event, received),) = await handled(desk, packed(record(summary="of the sender")))
        assert isinstance(event, PhoneCall)
        assert (received.verified, event.summary, service.asked) == (True, "of the service", ["call-1"])
        assert getattr(received.webhook.data, "summary", None) == "of the sender"
        assert (desk.receiver.stats.verified, desk.receiver.stats.unverified) == (1, 0)

    virtually(main)


@pytest.mark.parametrize(
    "listed",
    [
        {"id": 9},
        {"direction": "OUTBOUND"},
        {"originatorNumber": "+390612345679"},
        {"destinationNumber": "103"},
        {"originatorNumber": None},
        {"timestamp": NOON + 2001},
        {"timestamp": None},
        {"type": "FAX_CALL"},
        {"type": "SOMETHING_ELSE"},
    ],
)
def test_w8_a_record_that_differs_is_delivered_unverified(listed: dict[str, Any]) -> None:
    async def main() -> None:
        desk = Desk(verify=Service(as_listed(**listed)))
        ((event, received),) = await handled(desk, packed(record()))
        assert (received.verified, event) == (False, received.webhook.data)
        assert desk.told(Verified) == [Verified(found=False)]

    virtually(main)


@pytest.mark.parametrize(
    "error",
    [NotFoundError(404), RateLimitedError(429, retry_after=60.0), ResponseLostError(phase="body"), KeyError("odd")],
    ids=lambda error: type(error).__name__,
)
def test_w8_a_service_that_cannot_say_delays_nothing(error: Exception) -> None:
    async def main() -> None:
        service = Service(as_listed(), error=error)
        ((_, received),) = await handled(Desk(verify=service), packed(record()))
        assert (received.verified, received.run, service.asked) == (False, 1, ["call-1"])

    virtually(main)


def test_w8_a_service_that_is_silent_is_waited_for_so_long() -> None:
    async def main() -> None:
        started = asyncio.get_running_loop().time()
        ((_, received),) = await handled(Desk(verify=Service(as_listed(), seconds=500.0)), packed(record()))
        assert not received.verified
        assert asyncio.get_running_loop().time() - started == pytest.approx(10.0, abs=0.2)

    virtually(main)


def test_w8_a_record_without_a_call_is_looked_up_by_its_id() -> None:
    async def main() -> None:
        service = Service(as_listed(callId=None))
        ((_, received),) = await handled(Desk(verify=service), packed(record(callId=None)))
        assert (received.verified, service.asked) == (True, [1])

    virtually(main)


def test_w8_live_events_faxes_and_the_unknown_are_not_looked_up() -> None:
    async def main() -> None:
        service = Service(as_listed())
        odd = packed({"type": "PHONE_CALL", "data": {"id": "odd"}})
        seen = await handled(Desk(verify=service), incoming(), sample("fax"), odd)
        assert [received.verified for _, received in seen] == [False, False, False]
        assert service.asked == []

    virtually(main)


def test_w8_a_flood_of_invented_calls_costs_a_bounded_share() -> None:
    async def main() -> None:
        service = Service(seconds=0.05)
        desk = Desk(verify=service, verify_rate=3.0, concurrency=16)
        started = asyncio.get_running_loop().time()
        seen = await handled(desk, *(packed(record(n)) for n in range(1000)))
        passed = asyncio.get_running_loop().time() - started
        assert len(seen) == 1000
        assert len(service.asked) <= 5 + 3.0 * passed + 1
        assert service.most <= 2

    virtually(main)


def test_w8_an_unknown_call_is_not_asked_for_again_within_a_minute() -> None:
    async def main() -> None:
        service = Service()
        desk = Desk(verify=service, concurrency=1)
        same = [packed(record(n, callId="call-1")) for n in range(4)]

        @desk.receiver.on()
        async def take(_event: object) -> None: ...

        async with desk.receiver:
            await desk.deliver(*same[:2])
            await desk.settled()
            await asyncio.sleep(58.0)
            await desk.deliver(same[2])
            await desk.settled()
            assert service.asked == ["call-1"]
            await asyncio.sleep(3.0)
            await desk.deliver(same[3])
            await desk.settled()
        assert service.asked == ["call-1", "call-1"]

    virtually(main)


def test_w8_the_memory_of_unknown_calls_is_bounded() -> None:
    async def main() -> None:
        service = Service(seconds=0.01)
        desk = Desk(verify=service, verify_rate=1e6, concurrency=1)
        await handled(desk, *(packed(record(n)) for n in range(1100)))
        verifier = desk.receiver._lifetime.desk.verifier
        assert verifier is not None
        assert len(verifier._missed) == 1000
        assert len(service.asked) == 1100

    virtually(main)


def test_w8_what_was_read_from_the_service_is_verified_as_it_is() -> None:
    async def main() -> None:
        service = Service()
        desk = Desk(verify=service)
        await desk.inbox.add([stored(packed(record()), origin="backfill"), stored(incoming(), origin="backfill")])
        seen = await handled(desk)
        assert [(received.origin, received.verified) for _, received in seen] == [
            ("backfill", True),
            ("backfill", False),
        ]
        assert service.asked == []

    virtually(main)


def test_without_a_service_nothing_is_verified() -> None:
    async def main() -> None:
        ((_, received),) = await handled(Desk(), enveloped(record(), "PHONE_CALL"))
        assert not received.verified

    virtually(main)


def test_w8_streams_say_what_is_verified() -> None:
    async def main() -> None:
        desk = Desk(verify=Service(as_listed(1)), concurrency=1)
        events, calls, found = desk.receiver.events(), desk.receiver.calls(), []
        reading = asyncio.create_task(_all(calls))
        await asyncio.sleep(0)
        async with desk.receiver:
            await desk.deliver(packed(record(1)), packed(record(2)), incoming("c"))
            await desk.settled()
        async for event in events:
            assert events.received is not None
            found.append((event.call_id, events.received.verified, events.received.origin))
        states = [(call.call_id, call.verified) for call in await reading]
        assert found == [("call-1", True, "webhook"), ("call-2", False, "webhook"), ("c", False, "webhook")]
        assert states == [(call_id, verified) for call_id, verified, _ in found]

    virtually(main)


async def _all(calls: AsyncIterator[Call]) -> list[Call]:
    return [call async for call in calls]
