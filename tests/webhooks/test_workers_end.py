"""W9: the end of a receiver's work, in virtual time."""

from __future__ import annotations

import asyncio

import pytest

from tests.webhooks.deliveries import incoming
from tests.webhooks.desk import BrokenError, Desk, virtually
from voxloud_async.models import CallEvent


def test_w9_at_the_end_what_is_due_is_handled_first() -> None:
    async def main() -> None:
        desk, seen = Desk(concurrency=2, grace=10.0), []

        @desk.receiver.on("CALL_INCOMING")
        async def slow(event: CallEvent) -> None:
            await asyncio.sleep(1.0)
            seen.append(event.call_id)

        async with desk.receiver:
            await desk.deliver(*(incoming(f"c{n}") for n in range(6)))
        assert sorted(seen) == [f"c{n}" for n in range(6)]
        assert (await desk.inbox.counts()).waiting == 0

    virtually(main)


def test_w9_after_the_grace_the_rest_stays_in_the_inbox_and_is_due_at_once() -> None:
    async def main() -> None:
        desk, ended = Desk(concurrency=2, grace=3.0), 0

        @desk.receiver.on()
        async def slow(_event: object) -> None:
            nonlocal ended
            try:
                await asyncio.sleep(2.0)
            except asyncio.CancelledError:
                ended += 1
                raise

        async with desk.receiver:
            await desk.deliver(*(incoming(f"c{n}") for n in range(20)))
            started = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - started == pytest.approx(3.0, abs=0.1)
        counts = await desk.inbox.counts()
        assert (counts.done, counts.waiting, counts.leased, ended) == (2, 18, 0, 2)
        assert len(await desk.inbox.lease(100, 1.0)) == 18

    virtually(main)


def test_w9_what_is_to_be_retried_later_does_not_hold_up_the_end() -> None:
    async def main() -> None:
        desk = Desk(grace=100.0)

        @desk.receiver.on()
        async def fail(_event: object) -> None:
            raise BrokenError

        async with desk.receiver:
            await desk.deliver(incoming())
            await asyncio.sleep(20.0)
            started = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - started < 1.0
        assert (await desk.inbox.counts()).waiting == 1

    virtually(main)


def test_w9_the_end_itself_may_be_cancelled() -> None:
    async def main() -> None:
        desk = Desk(grace=100.0)

        @desk.receiver.on()
        async def slow(_event: object) -> None:
            await asyncio.sleep(50.0)

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2.0), desk.receiver:
                await desk.deliver(incoming())
        await asyncio.sleep(1.0)
        assert (await desk.inbox.counts()).waiting == 1

    virtually(main)
