"""What the session tells of its work, and how it reads in a log."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable

import pytest

from tests.session.harness import BASE_URL, OK, READ, UPDATE, Wire, rig
from tests.virtual_time import run_virtual
from voxloud_async._clock import LoopClock
from voxloud_async.errors import NotFoundError, ResponseLostError
from voxloud_async.session.events import (
    AttemptEnded,
    CallEnded,
    CallStarted,
    Event,
    KeyRefused,
    Outage,
    Paused,
    RetryDenied,
    Retrying,
    Waited,
    fan_out,
)
from voxloud_async.session.log import heard_by, write_log
from voxloud_async.session.policy import RetryPolicy
from voxloud_async.testing import answer

STARTED = CallStarted("GET /read", BASE_URL.removeprefix("https://"))


def told(wire: Wire, *, rate: float = 1e9, **options: object) -> list[Event]:
    made = rig(wire, rate=rate)

    async def main() -> None:
        await asyncio.gather(made.call(UPDATE if rate == 7.0 else READ, **options), return_exceptions=True)

    run_virtual(main())
    return made.events


async def _settled(call: Awaitable[object]) -> None:
    await asyncio.gather(call, return_exceptions=True)


def test_a_call_that_succeeds() -> None:
    assert told(Wire(seconds=2.0)) == [
        STARTED,
        AttemptEnded("GET /read", 1, 2.0, status=200),
        CallEnded("GET /read", 1, 2.0),
    ]


def test_a_call_that_fails() -> None:
    assert told(Wire(answer(status=404), seconds=2.0)) == [
        STARTED,
        AttemptEnded("GET /read", 1, 2.0, status=404),
        CallEnded("GET /read", 1, 2.0, error="NotFoundError"),
    ]


def test_a_call_with_everything() -> None:
    wire = Wire(ResponseLostError("reset"), answer(status=503, headers={"Retry-After": "10"}), OK, seconds=2.0)
    assert told(wire, retry=RetryPolicy(base=1.0)) == [
        STARTED,
        AttemptEnded("GET /read", 1, 2.0, error="ResponseLostError"),
        Retrying("GET /read", 1, 1.0, "ResponseLostError"),
        AttemptEnded("GET /read", 2, 2.0, status=503),
        Paused(10.0, "ServiceUnavailableError"),
        Retrying("GET /read", 2, 0.0, "ServiceUnavailableError"),
        Outage(5.0, "ServiceUnavailableError", None, 300.0),
        Waited("GET /read", 10.0),
        AttemptEnded("GET /read", 3, 2.0, status=200),
        CallEnded("GET /read", 3, 17.0),
    ]


def test_the_other_verb_is_an_attempt_of_the_same_call() -> None:
    events = told(Wire(answer(status=405), OK), rate=7.0)
    assert [event.operation for event in events if isinstance(event, AttemptEnded)] == ["PUT /update", "POST /update"]
    assert [type(event).__name__ for event in events] == [
        "CallStarted",
        "AttemptEnded",
        "AttemptEnded",
        "CallEnded",
    ]


def test_the_number_of_a_call_ties_its_events_together() -> None:
    async def main() -> list[Event]:
        made = rig(Wire(ResponseLostError("reset"), OK, seconds=2.0), rate=10.0, concurrency=1)
        await asyncio.gather(made.call(READ), made.call(UPDATE))
        return made.events

    events = [event for event in run_virtual(main()) if not isinstance(event, KeyRefused | Paused | Outage)]
    assert {type(event) for event in events} == {CallStarted, AttemptEnded, Waited, Retrying, CallEnded}
    numbers = {name: {e.call for e in events if e.operation == name} for name in ("GET /read", "PUT /update")}
    assert all(len(each) == 1 for each in numbers.values())
    assert len(numbers["GET /read"] | numbers["PUT /update"] | {0}) == 3


def test_a_cancelled_call_is_told_of() -> None:
    async def main() -> None:
        made = rig(Wire(seconds=30.0))
        task = asyncio.create_task(made.call(READ))
        await asyncio.sleep(1.0)
        task.cancel()
        await asyncio.wait([task])
        assert made.events == [
            STARTED,
            AttemptEnded("GET /read", 1, 1.0, error="CancelledError"),
            CallEnded("GET /read", 1, 1.0, "CancelledError"),
        ]

    run_virtual(main())


def test_that_a_call_begins_is_no_news_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "voxloud_async")
    write_log(STARTED)
    assert not caplog.records


@pytest.mark.parametrize(
    ("event", "level", "text"),
    [
        (AttemptEnded("GET /a", 2, 0.1234, status=200), logging.DEBUG, "GET /a attempt 2: 200 in 0.123 s"),
        (AttemptEnded("GET /a", 1, 5.0, error="Lost"), logging.DEBUG, "GET /a attempt 1: Lost in 5.000 s"),
        (Waited("GET /a", 1.5), logging.DEBUG, "GET /a waited 1.500 s for its turn"),
        (Retrying("GET /a", 1, 0.25, "Lost"), logging.INFO, "GET /a again in 0.250 s after attempt 1: Lost"),
        (
            RetryDenied("GET /a", 1, "Lost"),
            logging.INFO,
            "GET /a not again after attempt 1: too many calls fail: Lost",
        ),
        (
            KeyRefused(60.0),
            logging.WARNING,
            "the service refuses the key: calls fail for 60 s without being sent",
        ),
        (Paused(3.0, "RateLimitedError"), logging.INFO, "every call pauses for 3.000 s: RateLimitedError"),
        (Paused(3.0, "RateLimitedError", "GET /x"), logging.INFO, "GET /x pauses for 3.000 s: RateLimitedError"),
        (
            Outage(5.0, "ServerError", None, 300.0),
            logging.WARNING,
            (
                "the service has answered no call for 5 s (ServerError): calls wait up to 300 s; max_wait and "
                "RetryPolicy(patience=...) set a bound"
            ),
        ),
        (
            Outage(5.0, "ServerError", "GET /x", 20.0),
            logging.WARNING,
            (
                "the service has answered no call of GET /x for 5 s (ServerError): calls wait up to 20 s; max_wait and "
                "RetryPolicy(patience=...) set a bound"
            ),
        ),
        (CallEnded("GET /a", 1, 2.0), logging.DEBUG, "GET /a done after 1 attempts and 2.000 s"),
        (CallEnded("GET /a", 4, 2.0, "Lost"), logging.DEBUG, "GET /a Lost after 4 attempts and 2.000 s"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_log(caplog: pytest.LogCaptureFixture, event: Event, level: int, text: str) -> None:
    caplog.set_level(logging.DEBUG, "voxloud_async")
    write_log(event)
    assert caplog.record_tuples == [("voxloud_async", level, text)]


def test_the_log_passes_over_what_it_does_not_know(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "voxloud_async")
    write_log("news")  # type: ignore[arg-type] # of a later version
    assert caplog.record_tuples == []


def test_subscribers_are_told_in_order() -> None:
    heard: list[str] = []
    tell = fan_out([lambda _: heard.append("first"), lambda _: heard.append("second")])
    tell(Paused(1.0, "x"))
    assert heard == ["first", "second"]


def test_a_subscriber_that_fails_is_logged_and_the_next_is_told(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Event] = []

    def broken(_event: Event) -> None:
        raise ZeroDivisionError

    tell = fan_out([broken, heard.append])
    tell(Paused(1.0, "x"))
    assert heard == [Paused(1.0, "x")]
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [("ERROR", "a subscriber failed")]


@pytest.mark.parametrize("status", [200, 404])
def test_what_nobody_hears_is_not_made(status: int) -> None:
    made = rig(Wire(answer("ok", status=status)), heard=lambda: False)
    run_virtual(_settled(made.call(READ)))
    assert made.events == []


def test_what_slows_a_call_down_is_always_told() -> None:
    made = rig(Wire(ResponseLostError("reset"), OK), heard=lambda: False)
    run_virtual(made.call(READ))
    assert [type(event) for event in made.events] == [Retrying]


def test_a_subscriber_hears_and_so_does_the_log_at_debug(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="voxloud_async")
    assert heard_by([lambda _: None])()
    log_alone = heard_by([])
    assert not log_alone()
    caplog.set_level(logging.DEBUG, logger="voxloud_async")
    assert log_alone()


async def test_an_error_says_which_operation_it_was() -> None:
    with pytest.raises(NotFoundError) as caught:
        await rig(Wire(answer(status=404))).call(READ)
    assert str(caught.value) == "404 Not Found | GET /read | voxloud.test"


async def test_the_clock_of_the_loop() -> None:
    clock, loop = LoopClock(), asyncio.get_running_loop()
    rung = asyncio.Event()
    assert clock.now() <= loop.time()
    assert abs(clock.wall() - time.time()) < 60
    clock.call_at(clock.now(), rung.set)
    clock.call_at(clock.now() + 3600, rung.clear).cancel()
    await rung.wait()
    await clock.sleep(0.0)
