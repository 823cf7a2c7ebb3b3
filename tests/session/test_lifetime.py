"""T19: closing ends every call, wherever it waits, and hangs nowhere."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.session.harness import CREATE, OK, READ, Rig, Wire, idle, rig
from tests.virtual_time import VirtualLoop, run_virtual
from voxloud_async.errors import ClientClosedError
from voxloud_async.session.lifetime import Lifetime
from voxloud_async.session.policy import RetryPolicy
from voxloud_async.testing import answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from voxloud_async.session.session import Session
    from voxloud_async.wire.message import Request, Response


def _in_the_transport() -> Rig:
    return rig(Wire(seconds=1000.0))


def _in_the_backoff() -> Rig:
    return rig(Wire(answer(status=500)))


def _at_the_limiter() -> Rig:
    return rig(Wire(seconds=1000.0), rate=0.001, concurrency=1)


def _at_the_gate() -> Rig:
    return rig(Wire(answer(status=429, headers={"Retry-After": "200"})))


PLACES = [_in_the_transport, _in_the_backoff, _at_the_limiter, _at_the_gate]


async def waiting(made: Rig, calls: int = 3) -> list[asyncio.Task[object]]:
    """Calls that have come as far as they can."""
    retry = RetryPolicy(base=500.0, cap=500.0)
    tasks = [asyncio.create_task(made.call(READ, retry=retry)) for _ in range(calls)]
    await asyncio.sleep(1.0)
    assert not any(task.done() for task in tasks)
    return tasks


async def all_closed(tasks: list[asyncio.Task[object]]) -> None:
    """Every call ended with ClientClosedError and left nothing."""
    for task in tasks:
        assert task.done()
        error = task.exception()
        assert isinstance(error, ClientClosedError)
        assert error.operation == "GET /read"
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("place", PLACES)
def test_t19_closing_ends_the_calls_under_way(place: Callable[[], Rig]) -> None:
    async def main() -> None:
        made = place()
        tasks = await waiting(made)
        started = asyncio.get_running_loop().time()
        await made.session.aclose()
        await all_closed(tasks)
        assert asyncio.get_running_loop().time() == started
        assert idle(made.limiter)
        with pytest.raises(ClientClosedError):
            await made.call(READ)

    run_virtual(main())


def test_t19_closing_twice_and_while_idle() -> None:
    async def main() -> None:
        wire = Wire()
        made = rig(wire)
        assert await made.call(READ) == "ok"
        await made.session.aclose()
        await made.session.aclose()
        assert wire.closed == 2  # which a transport allows

    run_virtual(main())


def test_t19_closing_twice_at_once() -> None:
    async def main() -> None:
        made = _in_the_transport()
        tasks = await waiting(made)
        await asyncio.gather(*(made.session.aclose() for _ in range(3)))
        await all_closed(tasks)

    run_virtual(main())


def test_closing_waits_until_a_call_has_let_go() -> None:
    class Slow(Wire):
        async def send(self, request: Request, *, timeout: float) -> Response:  # noqa: ASYNC109 - the contract
            try:
                return await super().send(request, timeout=timeout)
            finally:
                await asyncio.sleep(3.0)  # gives a connection back
                self.at.append(-1.0)

    async def main() -> None:
        wire = Slow(seconds=1000.0)
        made = rig(wire)
        tasks = await waiting(made, 1)
        await made.session.aclose()
        assert wire.at[-1] == -1.0
        await all_closed(tasks)

    run_virtual(main())


def test_t19_closing_from_a_calls_own_task() -> None:
    class Closes(Wire):
        session: Session

        async def send(self, request: Request, *, timeout: float) -> Response:  # noqa: ASYNC109 - the contract
            if len(self.requests) == 2:
                self.requests.append(request)
                await self.session.aclose()
            return await super().send(request, timeout=timeout)

    async def main() -> None:
        wire = Closes(seconds=1000.0)
        made = rig(wire)
        wire.session = made.session
        tasks = await waiting(made, 2)
        with pytest.raises(ClientClosedError) as caught:
            await made.call(READ)
        assert caught.value.attempts == 1
        await asyncio.wait(tasks)
        await all_closed(tasks)
        assert wire.closed == 1
        assert idle(made.limiter)

    run_virtual(main())


def test_a_close_that_is_cancelled_closes_the_transport_all_the_same() -> None:
    class Stubborn(Wire):
        async def send(self, request: Request, *, timeout: float) -> Response:  # noqa: ASYNC109 - the contract
            try:
                return await super().send(request, timeout=timeout)
            finally:
                await asyncio.sleep(50.0)

    async def main() -> None:
        wire = Stubborn(seconds=1000.0)
        made = rig(wire)
        (task,) = await waiting(made, 1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.0):
                await made.session.aclose()
        assert wire.closed == 1
        await asyncio.wait([task])
        await all_closed([task])

    run_virtual(main())


@pytest.mark.parametrize("place", PLACES)
def test_a_users_cancellation_stays_one(place: Callable[[], Rig]) -> None:
    async def main() -> None:
        made = place()
        first, *others = await waiting(made)
        first.cancel("by the user")
        await asyncio.wait([first])
        assert first.cancelled()
        assert not any(other.done() for other in others)
        await made.session.aclose()
        await all_closed(others)

    run_virtual(main())


@pytest.mark.parametrize("user_first", [True, False])
def test_a_users_cancellation_beside_a_close_stays_one(user_first: bool) -> None:  # noqa: FBT001 - a table's column
    async def main() -> None:
        made = _in_the_transport()
        (task,) = await waiting(made, 1)
        if user_first:
            task.cancel()
        closing = asyncio.create_task(made.session.aclose())
        await asyncio.sleep(0)
        if not user_first and not task.done():
            task.cancel()
        await closing
        await asyncio.wait([task])
        assert task.cancelled()

    run_virtual(main())


def test_uncancel_leaves_no_trace_of_the_close() -> None:
    async def main() -> None:
        made = _in_the_transport()
        counts = []

        async def user() -> str:
            task = asyncio.current_task()
            assert task is not None
            try:
                await made.call(READ)
            except ClientClosedError:
                counts.append(task.cancelling())
            await asyncio.sleep(1.0)  # the task goes on unhindered
            return "went on"

        task = asyncio.create_task(user())
        await asyncio.sleep(1.0)
        await made.session.aclose()
        assert await task == "went on"
        assert counts == [0]

    run_virtual(main())


def test_a_timeout_of_the_caller_beside_a_close_is_a_timeout() -> None:
    async def main() -> None:
        made = _in_the_transport()

        async def user() -> None:
            async with asyncio.timeout(5.0):
                await made.call(READ)

        task = asyncio.create_task(user())
        asyncio.get_running_loop().call_later(5.0, lambda: closing.append(asyncio.create_task(made.session.aclose())))
        closing: list[asyncio.Task[None]] = []
        await asyncio.wait([task])
        await closing[0]
        assert isinstance(task.exception(), TimeoutError)

    run_virtual(main())


def test_a_task_group_that_ends_a_call_beside_a_close() -> None:
    async def main() -> None:
        made = _in_the_transport()

        async def user() -> None:
            async with asyncio.TaskGroup() as group:
                for _ in range(3):
                    group.create_task(made.call(READ))

        asyncio.get_running_loop().call_later(1.0, lambda: closing.append(asyncio.create_task(made.session.aclose())))
        closing: list[asyncio.Task[None]] = []
        with pytest.raises(ExceptionGroup) as caught:
            await user()
        await closing[0]
        assert {type(error) for error in caught.value.exceptions} == {ClientClosedError}

    run_virtual(main())


def test_a_call_that_swallows_its_cancellation_is_not_closed() -> None:
    class Finishes(Wire):
        async def send(self, request: Request, *, timeout: float) -> Response:  # noqa: ASYNC109 - the contract
            try:
                return await super().send(request, timeout=timeout)
            except asyncio.CancelledError:
                return OK

    async def main() -> None:
        made = rig(Finishes(seconds=1000.0))
        task = asyncio.create_task(made.call(CREATE))
        await asyncio.sleep(1.0)
        await made.session.aclose()
        assert await task == "ok"

    run_virtual(main())


def test_calls_of_another_loop_are_left_to_it() -> None:
    made = rig(Wire(seconds=1000.0))
    other = VirtualLoop()
    task = other.create_task(made.call(READ))
    other.run_until_complete(asyncio.sleep(1.0))
    run_virtual(made.session.aclose())
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        other.run_until_complete(task)
    other.close()


def test_a_borrowed_transport_is_not_closed() -> None:
    from attrs import evolve  # noqa: PLC0415 - here alone

    wire = Wire()
    run_virtual(evolve(rig(wire).session, own_transport=None).aclose())
    assert wire.closed == 0


def test_a_copy_shares_the_lifetime() -> None:
    async def main() -> None:
        made = rig(Wire())
        copy = made.session.with_options(made.session.options)
        await copy.aclose()
        with pytest.raises(ClientClosedError, match="the client is closed"):
            await made.call(READ)

    run_virtual(main())


async def test_a_scope_knows_when_it_is_open() -> None:
    lifetime = Lifetime()
    with lifetime.call():
        assert not lifetime.closed
    await lifetime.close()
    assert lifetime.closed
