"""One operation is refused and the others are not: the others go on, and the key keeps its rate."""

from __future__ import annotations

import asyncio
import random
import statistics
from typing import TYPE_CHECKING

import pytest
from attrs import define, field

from benchmarks.storm.service import ACCOUNT
from tests.virtual_time import run_virtual
from voxloud_async import VoxloudClient
from voxloud_async._clock import LoopClock
from voxloud_async._ratelimit.controller import KEPT, START_RATE, RateController
from voxloud_async._ratelimit.permit import Outcome, Permit
from voxloud_async.errors import ResponseLostError, VoxloudError
from voxloud_async.sandbox import FixedWindow, SlidingWindow
from voxloud_async.testing import answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from voxloud_async.sandbox import Limit
    from voxloud_async.wire.message import Request, Response

ANSWERED, REFUSED, DOWN, LOST, FAILED = Outcome
EXPORT, FREE = "GET /export", "GET /free"


# The controller alone


def ask(controller: RateController, operation: str, now: float) -> tuple[Permit, float]:
    """A permit as soon as there is one, and the time it was granted."""
    while (ready := controller.ready_at(now, operation, waiting=False)) > now:
        assert ready < float("inf"), "a probe is out"
        now = ready
    return controller.grant(now, operation), now


def refuse(
    controller: RateController, now: float, outcome: Outcome = REFUSED, retry_after: float | None = None
) -> float:
    """Refuse the export once; gives the time."""
    permit, now = ask(controller, EXPORT, now)
    assert controller.feedback(permit, outcome, now, retry_after) > 0.0
    return now


def free(controller: RateController, now: float) -> float:
    """Answer another operation; gives the time."""
    permit, now = ask(controller, FREE, now)
    controller.feedback(permit, ANSWERED, now)
    return now


def a_controller(rate: float | None = None) -> RateController:
    return RateController(rate, chance=lambda: 1.0)


def test_a_refusal_pauses_every_operation_and_the_refused_one_yields() -> None:
    controller = a_controller()
    now = refuse(controller, 0.0)
    assert controller.blocked_until(now, FREE) > now
    assert controller.yields(EXPORT)
    assert not controller.yields(FREE)


def test_refused_again_after_another_was_answered_it_is_refused_alone() -> None:
    controller = a_controller()
    now = free(controller, refuse(controller, 0.0))
    assert controller.rate < START_RATE
    now = refuse(controller, now)
    assert controller.is_own(EXPORT)
    assert controller.rate == START_RATE, "the key takes its rate back"
    for _ in range(20):
        now = refuse(controller, now)
        assert controller.blocked_until(now, FREE) <= now
        assert controller.blocked_until(now, EXPORT) > now
    assert controller.rate == START_RATE


def test_answered_after_another_the_refusal_was_of_the_key() -> None:
    controller = a_controller()
    now = free(controller, refuse(controller, 0.0))
    permit, now = ask(controller, EXPORT, now)
    assert controller.blocked_until(now, EXPORT) == float("inf"), "a single probe of it decides"
    controller.feedback(permit, ANSWERED, now)
    assert not controller.is_own(EXPORT)
    assert controller.rate < START_RATE


def test_an_answer_to_a_request_from_before_the_refusal_shows_nothing() -> None:
    controller = a_controller()
    early = controller.grant(0.0, FREE)
    now = refuse(controller, 0.1)
    controller.feedback(early, ANSWERED, now)
    assert not controller.is_own(EXPORT)
    assert controller.yields(EXPORT)


def test_where_both_are_refused_the_key_keeps_its_cut() -> None:
    controller = a_controller()
    now = refuse(controller, 0.0)
    permit, now = ask(controller, FREE, now)
    controller.feedback(permit, REFUSED, now)
    cut = controller.rate
    now = free(controller, now)
    refuse(controller, now)
    assert controller.rate == cut


def test_another_operation_goes_before_a_long_retry_after_is_over() -> None:
    controller = a_controller()
    now = refuse(controller, 0.0, retry_after=120.0)
    assert controller.blocked_until(now, EXPORT) == 120.0
    assert controller.blocked_until(now, FREE) == 5.0
    now = free(controller, now)
    assert controller.is_own(EXPORT)
    assert controller.rate == START_RATE
    assert controller.blocked_until(now, EXPORT) == 120.0
    assert controller.blocked_until(now, FREE) <= now


@pytest.mark.parametrize(("outcome", "times"), [(DOWN, 1), (LOST, 3), (FAILED, 5)])
def test_an_outage_of_one_operation_is_its_own(outcome: Outcome, times: int) -> None:
    controller, now = a_controller(), 0.0
    for _ in range(times):
        permit, now = ask(controller, EXPORT, now)
        controller.feedback(permit, outcome, now)
    now = refuse(controller, free(controller, now), outcome)
    assert controller.is_own(EXPORT)
    assert controller.blocked_until(now, FREE) <= now
    assert controller.blocked_until(now, EXPORT) > now


def test_the_operations_of_a_run_of_faults_are_suspected_together() -> None:
    controller, now = a_controller(), 0.0
    for operation in ("GET /a", "GET /b", "GET /b"):
        permit, now = ask(controller, operation, now)
        controller.feedback(permit, LOST, now)
    assert controller.yields("GET /a")
    assert controller.yields("GET /b")


def test_a_probe_of_a_suspected_operation_that_hangs_does_not_hold_up_another() -> None:
    controller, now = a_controller(), 0.0
    for _ in range(2):
        now = refuse(controller, now, DOWN)
    hanging, now = ask(controller, EXPORT, now)
    assert hanging.probe
    assert controller.ready_at(now, EXPORT, waiting=True) == float("inf")
    assert controller.ready_at(now, FREE, waiting=True) < now + 1.0
    free(controller, now)
    assert controller.is_own(EXPORT)


@pytest.mark.parametrize("way", ["give_back", "forget"])
def test_a_probe_of_its_own_that_was_not_answered_frees_its_place(way: str) -> None:
    controller = a_controller()
    now = free(controller, refuse(controller, 0.0))
    permit, now = ask(controller, EXPORT, now)
    getattr(controller, way)(permit)
    ask(controller, EXPORT, now)


def test_an_operation_that_was_long_not_refused_has_no_throttle_of_its_own() -> None:
    controller = a_controller()
    now = refuse(controller, free(controller, refuse(controller, 0.0)))
    permit, now = ask(controller, EXPORT, now)
    controller.feedback(permit, ANSWERED, now)
    assert controller.is_own(EXPORT)
    ask(controller, EXPORT, now + KEPT + 1.0)
    assert not controller.is_own(EXPORT)


# Clients


@define(slots=False)
class Service:
    """A transport whose exports are refused, and which may have a limit of its key."""

    refusal: tuple[int, Mapping[str, str]] | None
    limit: Limit | None = None
    limited: str = ""
    seconds: float = 0.05
    exports: list[float] = field(factory=list)
    others: int = 0
    refused: int = 0

    def __attrs_post_init__(self) -> None:
        self._meter = self.limit.meter() if self.limit else None

    async def send(self, request: Request, *, timeout: float) -> Response:  # noqa: ASYNC109 - the contract
        now = asyncio.get_running_loop().time()
        await asyncio.sleep(self.seconds)
        is_export = "telephony-events" in request.url
        if is_export:
            self.exports.append(now)
        else:
            self.others += 1
        if self._meter is not None and self.limited in request.url:
            if self._meter.wait(now) > 0.0:
                self.refused += 1
                return answer(status=429)
            self._meter.take(now)
        if is_export and self.refusal is not None:
            status, headers = self.refusal
            if not status:
                await asyncio.sleep(timeout)
                raise ResponseLostError("no response", phase="headers")
            return answer({"message": "no"}, status=status, headers=dict(headers))
        return answer([] if is_export else ACCOUNT)

    async def aclose(self) -> None:
        pass


def a_client(service: Service) -> VoxloudClient:
    return VoxloudClient(
        "key", base_url="https://v.example", transport=service, clock=LoopClock(), chance=random.Random(1).random
    )


async def neighbours(service: Service, workers: int, calls: int = 200) -> list[float]:
    """Make calls beside two exports; gives their waits."""
    client, loop, waits, left = a_client(service), asyncio.get_running_loop(), [], iter(range(calls))

    async def export() -> None:
        while True:
            with pytest.raises(VoxloudError):
                await client.telephony_events.query().collect()

    async def work() -> None:
        for _ in left:
            started = loop.time()
            await client.with_options(max_wait=20.0).validate_auth()
            waits.append(loop.time() - started)
            await asyncio.sleep(0.05)

    exports = [asyncio.create_task(export()) for _ in range(2)]
    await asyncio.sleep(0.01)
    await asyncio.gather(*(work() for _ in range(workers)))
    for task in exports:
        task.cancel()
    await asyncio.wait(exports)
    return waits


@pytest.mark.parametrize("workers", [1, 8])
@pytest.mark.parametrize(
    "refusal",
    [
        (429, {}),
        (429, {"Retry-After": "1"}),
        (429, {"Retry-After": "60"}),
        (503, {}),
        (503, {"Retry-After": "120"}),
        (500, {}),
        (0, {}),
    ],
    ids=str,
)
def test_l1_an_endpoint_that_fails_without_end_holds_up_no_other(
    refusal: tuple[int, Mapping[str, str]], workers: int
) -> None:
    service = Service(refusal)
    waits = run_virtual(neighbours(service, workers))
    assert len(waits) == service.others == 200
    assert statistics.median(waits) < 1.0
    assert max(waits) < 6.0
    if refusal[0] != 500:  # which is repeated at most four times a call, and these exports call again and again
        assert len(service.exports) <= 60


def test_an_operation_with_a_limit_of_its_own_is_sent_at_its_rate() -> None:
    service = Service(None, limit=FixedWindow(2), limited="telephony-events")

    async def main() -> None:
        client = a_client(service)
        exports = asyncio.gather(
            *(client.request("GET", "/api/v1/telephony-events") for _ in range(80)),
        )
        for _ in range(100):
            await client.validate_auth()
        await exports

    run_virtual(main())
    assert service.refused <= 0.25 * len(service.exports)
    assert service.exports[-1] - service.exports[0] <= 60.0


@pytest.mark.parametrize("limit", [FixedWindow(10), SlidingWindow(10)], ids=str)
def test_the_limit_of_a_key_is_not_taken_for_that_of_an_operation(limit: Limit) -> None:
    service = Service(None, limit=limit)
    paths, chance = ("/api/v1/contacts/1", "/api/v2/users", "/api/v1/telephony-events/1"), random.Random(5)

    async def main() -> float:
        client, left, loop = a_client(service), iter(range(600)), asyncio.get_running_loop()
        started = loop.time()

        async def work() -> None:
            for _ in left:
                await client.request("GET", chance.choice(paths))

        await asyncio.gather(*(work() for _ in range(64)))
        return loop.time() - started

    assert run_virtual(main()) <= 600 / 10 / 0.9
    assert service.refused <= 0.025 * 600


def test_an_endpoint_that_recovers_is_used_again_soon() -> None:
    service = Service((429, {}))

    async def main() -> float:
        client, loop = a_client(service), asyncio.get_running_loop()
        export = asyncio.create_task(client.request("GET", "/api/v1/telephony-events"))
        for _ in range(100):
            await client.validate_auth()
            await asyncio.sleep(0.25)
        service.refusal = None
        free_since = loop.time()
        await export
        return loop.time() - free_since

    assert run_virtual(main()) <= 5.5
