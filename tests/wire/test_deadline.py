"""One timer for the deadlines of a loop, in virtual time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.virtual_time import run_virtual
from voxloud_async.wire.deadline import Deadlines

if TYPE_CHECKING:
    from collections.abc import Awaitable


async def after(deadlines: Deadlines, seconds: float, step: Awaitable[object]) -> float:
    """The time at which a step was done, or cut off by its deadline."""
    with pytest.raises(TimeoutError), deadlines.after(seconds):
        await step
    return asyncio.get_running_loop().time()


def test_each_ends_at_its_own_time() -> None:
    async def main() -> list[float]:
        deadlines, start = Deadlines(), asyncio.get_running_loop().time()
        ends = await asyncio.gather(*(after(deadlines, s, asyncio.sleep(60)) for s in (3.0, 1.0, 0.0, 2.0, 1.0)))
        return [round(end - start, 6) for end in ends]

    assert run_virtual(main()) == [3.0, 1.0, 0.0, 2.0, 1.0]


def test_what_is_done_in_time_is_left_alone() -> None:
    async def main() -> None:
        deadlines = Deadlines()
        for _ in range(3):
            with deadlines.after(1.0):
                await asyncio.sleep(0.9)
        await asyncio.sleep(10)
        assert not deadlines.under_way

    run_virtual(main())


def test_a_thousand_exchanges_set_one_timer() -> None:
    async def main() -> int:
        loop, timers = asyncio.get_running_loop(), 0
        deadlines, call_at = Deadlines(), loop.call_at

        def counted(*args: object, **more: object) -> asyncio.TimerHandle:
            nonlocal timers
            timers += 1
            return call_at(*args, **more)  # type: ignore[arg-type]

        loop.call_at = counted  # type: ignore[method-assign]
        for _ in range(1000):
            with deadlines.after(20.0):
                pass
        return timers

    assert run_virtual(main()) == 1


def test_a_cancellation_from_outside_is_no_timeout() -> None:
    async def main() -> None:
        deadlines = Deadlines()

        async def waiting() -> None:
            with deadlines.after(1.0):
                await asyncio.sleep(60)

        task = asyncio.create_task(waiting())
        await asyncio.sleep(0.5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run_virtual(main())


def test_a_cancellation_beside_a_timeout_is_kept() -> None:
    async def main() -> None:
        deadlines = Deadlines()

        async def waiting() -> None:
            with deadlines.after(1.0):
                await asyncio.sleep(60)

        task = asyncio.create_task(waiting())
        asyncio.get_running_loop().call_later(1.0, task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()

    run_virtual(main())


def test_an_error_that_comes_with_the_timeout_is_kept() -> None:
    async def main() -> None:
        async def failing() -> None:
            try:
                await asyncio.sleep(60)
            finally:
                raise OSError

        with pytest.raises(OSError, match=r"^$"), Deadlines().after(1.0):
            await failing()

    run_virtual(main())


def test_closing_takes_the_timer_out_of_the_loop() -> None:
    async def main() -> bool:
        deadlines = Deadlines()
        deadlines.close()
        with deadlines.after(20.0):
            pass
        timer = deadlines._timer
        deadlines.close()
        with deadlines.after(30.0):
            pass
        return timer is not None and timer.cancelled() and deadlines._timer is not timer

    assert run_virtual(main())


def test_closing_forgets_nobody_who_is_still_inside() -> None:
    async def main() -> float:
        deadlines, loop = Deadlines(), asyncio.get_running_loop()
        start = loop.time()
        loop.call_later(1.0, deadlines.close)
        with pytest.raises(TimeoutError), deadlines.after(2.0):
            await asyncio.sleep(60)
        return loop.time() - start

    assert run_virtual(main()) == pytest.approx(2.0)
