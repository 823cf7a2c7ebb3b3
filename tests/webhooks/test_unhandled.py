"""What has no handler here stays for other processes, and is never lost without a word."""

from __future__ import annotations

import asyncio
import gc
import logging
from typing import TYPE_CHECKING, Any

import pytest

from tests.webhooks.deliveries import call_event, enveloped, incoming, packed, receiver, record, stored
from tests.webhooks.desk import Desk, VirtualClock, virtually
from voxloud_async.webhooks.inbox import InboxError
from voxloud_async.webhooks.inbox.memory import MemoryInbox
from voxloud_async.webhooks.notices import Buried, Handled, InboxFailed, Unhandled

if TYPE_CHECKING:
    from pathlib import Path

    from voxloud_async.models import CallEvent, PhoneCall
    from voxloud_async.webhooks.inbox import Lease


def shared() -> MemoryInbox:
    """An inbox that several receivers share, as the processes of an application share a file."""
    return MemoryInbox(wall=VirtualClock().wall)


def elapsed() -> float:
    """Seconds since a test began, in virtual time."""
    return asyncio.get_running_loop().time() - 1000.0


def test_two_processes_with_different_handlers_handle_everything() -> None:
    async def main() -> None:
        inbox = shared()
        old, new = Desk(inbox), Desk(inbox)
        seen: list[tuple[str, str | None]] = []

        @old.receiver.on("CALL_INCOMING")
        async def ring(event: CallEvent) -> None:
            seen.append(("ring", event.call_id))

        @new.receiver.on("PHONE_CALL")
        async def bill(event: PhoneCall) -> None:
            seen.append(("bill", event.call_id))

        async with old.receiver, new.receiver:
            for number in range(100):
                await old.deliver(incoming(f"c{number}"), packed(record(2 * number)))
                await new.deliver(incoming(f"d{number}"), packed(record(2 * number + 1)))
            await old.settled()
            assert elapsed() < 20
        assert len(seen) == len(set(seen)) == 400
        assert (old.receiver.stats.handled, new.receiver.stats.handled) == (200, 200)
        assert old.told(Buried) + new.told(Buried) == []

    virtually(main)


def test_an_event_waits_for_a_process_that_starts_later() -> None:
    async def main() -> None:
        inbox = shared()
        old, new = Desk(inbox), Desk(inbox)

        @old.receiver.on("CALL_INCOMING")
        async def ring(_event: CallEvent) -> None: ...

        @new.receiver.on("PHONE_CALL")
        async def bill(_event: PhoneCall) -> None: ...

        async with old.receiver:
            await old.deliver(packed(record()))
            await asyncio.sleep(250)
            async with new.receiver:
                await new.settled()
        assert [notice.run for notice in new.told(Handled)] == [1]

    virtually(main)


def test_without_a_handler_anywhere_it_becomes_a_dead_letter_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        desk = Desk(unhandled_wait=60.0)

        @desk.receiver.on("CALL_INCOMING")
        async def ring(_event: CallEvent) -> None: ...

        async with desk.receiver:
            await desk.deliver(packed(record()))
            await asyncio.sleep(55)
            assert (await desk.inbox.counts()).waiting == 1
            await desk.settled()
            assert elapsed() < 70
            (letter,) = await desk.inbox.dead_letters()
        assert (letter.error, desk.receiver.stats.buried, desk.receiver.stats.handled) == ("UnhandledError", 1, 0)

    virtually(main)
    (entry,) = caplog.records
    assert (entry.levelno, entry.getMessage()) == (
        logging.WARNING,
        "PHONE_CALL became a dead letter: no process has a handler for it",
    )


def test_the_backlog_of_a_busy_process_is_left_to_it() -> None:
    async def main() -> None:
        inbox = shared()
        idle, busy = Desk(inbox, unhandled_wait=10.0), Desk(inbox, unhandled_wait=10.0, concurrency=1)

        @idle.receiver.on("CALL_INCOMING")
        async def ring(_event: CallEvent) -> None: ...

        @busy.receiver.on("PHONE_CALL")
        async def bill(_event: PhoneCall) -> None:
            await asyncio.sleep(5.0)

        async with idle.receiver, busy.receiver:
            await busy.deliver(*(packed(record(number)) for number in range(20)))
            await busy.settled()
        assert busy.receiver.stats.handled == 20

    virtually(main)


def test_a_stream_takes_only_what_no_process_handles() -> None:
    async def main() -> None:
        inbox = shared()
        board, worker = Desk(inbox), Desk(inbox)
        stream = board.receiver.events()

        @worker.receiver.on("PHONE_CALL")
        async def bill(_event: PhoneCall) -> None: ...

        async with worker.receiver:
            await asyncio.sleep(1)
        async with board.receiver:
            await board.deliver(packed(record()), incoming())
            await board.settled(1)
            await asyncio.sleep(100)
            async with worker.receiver:
                await worker.settled()
        assert [str(event.type) async for event in stream] == ["INCOMING"]
        assert worker.receiver.stats.handled == 1
        assert board.told(Unhandled) == [Unhandled("CALL_INCOMING")]

    virtually(main)


def test_nothing_is_unclaimed_beside_a_process_that_takes_everything() -> None:
    async def main() -> None:
        inbox = shared()
        board, worker = Desk(inbox, unhandled_wait=5.0), Desk(inbox, unhandled_wait=5.0)
        stream = board.receiver.events()

        @worker.receiver.on()
        async def take(_event: object) -> None: ...

        async with board.receiver, worker.receiver:
            await asyncio.sleep(2)
            await board.deliver(*(incoming(f"c{number}") for number in range(20)))
            await asyncio.sleep(20)
        assert worker.receiver.stats.handled == 20
        assert [event async for event in stream] == []

    virtually(main)


def test_what_does_not_fit_its_type_is_a_dead_letter_at_once(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        desk = Desk()

        @desk.receiver.on("CALL_INCOMING", "PHONE_CALL")
        async def ring(_event: object) -> None: ...

        odd = call_event()
        del odd["callId"]
        async with desk.receiver:
            await desk.deliver(enveloped(odd), enveloped({"type": "PARKED"}, "CALL_INCOMING"))
            await desk.settled()
            assert elapsed() < 5
        assert [notice.error for notice in desk.told(Buried)] == ["MisfitError"] * 2

    virtually(main)
    assert [(entry.levelno, entry.getMessage()) for entry in caplog.records] == [
        (logging.WARNING, f"CALL_INCOMING became a dead letter: it does not fit its type: {reason}")
        for reason in ("callId: missing", "another type than its envelope's")
    ]


def test_w10_a_restart_is_no_run() -> None:
    async def main() -> None:
        desk, runs = Desk(max_runs=3, grace=0.5), []

        @desk.receiver.on()
        async def slow(_event: object, received: Any) -> None:
            runs.append(received.run)
            await asyncio.sleep(2.0 if len(runs) <= 12 else 0.0)

        await desk.deliver(incoming())
        for _ in range(12):
            async with desk.receiver:
                await asyncio.sleep(1.0)
        async with desk.receiver:
            await desk.settled()
        assert runs == [1] * 13
        assert desk.receiver.stats.handled == 1

    virtually(main)


@pytest.mark.parametrize("swallowed", [True, False])
def test_w10_leaving_ends_whatever_a_handler_does_with_its_cancellation(
    caplog: pytest.LogCaptureFixture, *, swallowed: bool
) -> None:
    async def main() -> None:
        desk, end = Desk(grace=3.0), asyncio.Event()

        @desk.receiver.on()
        async def stubborn(_event: object) -> None:
            while not end.is_set():
                try:
                    await end.wait()
                except asyncio.CancelledError:
                    if not swallowed:
                        return

        async with desk.receiver:
            await desk.deliver(incoming())
            await asyncio.sleep(1.0)
            started = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - started <= 4.1
        assert desk.receiver.stats.handled == 0
        (lease,) = await desk.inbox.lease(1, 1.0)
        assert lease.run == 1
        desk.inbox.extend = _closed  # type: ignore[method-assign, assignment]
        await asyncio.sleep(50.0)
        assert len(desk.told(InboxFailed)) == swallowed, "its lease is extended no more"
        end.set()
        await asyncio.sleep(20.0)
        assert (await desk.inbox.counts()).waiting == 1, "a handler that was left behind settles nothing"

    virtually(main)
    warned = [entry.getMessage() for entry in caplog.records]
    assert ("1 handlers did not end when they were cancelled" in warned) is swallowed


async def _closed(_lease: Lease, _seconds: float) -> Lease | None:
    raise InboxError


def test_w10_an_exception_of_any_kind_is_a_failure() -> None:
    class OddError(BaseException):
        pass

    async def main() -> None:
        desk = Desk(max_runs=2)

        @desk.receiver.on()
        async def fail(_event: object, received: Any) -> None:
            raise OddError if received.run == 1 else BaseExceptionGroup("several", [OddError(), ValueError()])

        async with desk.receiver:
            await desk.deliver(incoming())
            await desk.settled()
        assert [letter.error for letter in await desk.inbox.dead_letters()] == ["BaseExceptionGroup"]

    virtually(main)


def test_w10_the_end_of_the_program_passes_through() -> None:
    async def main() -> None:
        desk = Desk()

        @desk.receiver.on()
        async def leave(_event: object) -> None:
            raise SystemExit(3)

        async with desk.receiver:
            await desk.deliver(incoming())
            await desk.settled()

    with pytest.raises(SystemExit):
        virtually(main)
    gc.collect()  # asyncio logs what nothing retrieved: here, and not in another test


def test_w8_an_optional_second_argument_is_given() -> None:
    async def main() -> None:
        desk, keys = Desk(), []

        @desk.receiver.on()
        async def note(_event: object, received: Any = None) -> None:
            keys.append(len(received.key))

        async with desk.receiver:
            await desk.deliver(incoming())
            await desk.settled()
        assert keys == [64]

    virtually(main)


async def test_two_receivers_share_a_file(tmp_path: Path) -> None:
    rings, bills = receiver(inbox=tmp_path / "inbox.db"), receiver(inbox=tmp_path / "inbox.db")

    @rings.on("CALL_INCOMING")
    async def ring(_event: object) -> None: ...

    @bills.on("PHONE_CALL")
    async def bill(_event: object) -> None: ...

    async with rings, bills, asyncio.timeout(30):
        for number in range(20):
            await rings._lifetime.add(stored(packed(record(number))))
            await bills._lifetime.add(stored(incoming(f"c{number}")))
        while (await rings.inbox.counts()).waiting:  # noqa: ASYNC110 - an inbox sends no event
            await asyncio.sleep(0.05)
    assert (rings.stats.handled, bills.stats.handled) == (20, 20)
