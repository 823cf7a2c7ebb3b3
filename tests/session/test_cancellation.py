"""T16: a call cancelled at every single await ends cancelled, holds nothing, and the next one works."""

from __future__ import annotations

import asyncio
import types
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from tests.session.harness import CREATE, DELETE, OK, READ, UPDATE, Rig, Wire, idle, result, rig
from tests.virtual_time import run_virtual
from voxloud_async.errors import ResponseLostError
from voxloud_async.testing import answer

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

    from tests.session.harness import Reply
    from voxloud_async.protocol.operations import Operation
    from voxloud_async.wire.message import Request

LOST = ResponseLostError("reset")


@types.coroutine
def cancelled_at(n: int, coroutine: Coroutine[Any, Any, Any], *, late: bool) -> Generator[Any, Any, Any]:
    """Run a coroutine and cancel it at its await n: while it waits, or `late`, in the tick that ends the wait."""
    task = asyncio.current_task()
    assert task is not None
    resume: Callable[[Any], Any] = coroutine.send
    news: Any = None
    for number in count():
        try:
            awaited = resume(news)
        except StopIteration as end:
            return end.value
        if number == n and late and awaited is not None:
            awaited.add_done_callback(lambda _: task.cancel())  # runs before the one that wakes the task
        elif number == n:
            asyncio.get_running_loop().call_soon(task.cancel)
        try:
            resume, news = coroutine.send, (yield awaited)
        except BaseException as error:  # noqa: BLE001 - it goes on into the coroutine
            resume, news = coroutine.throw, error
    raise AssertionError


async def awaited(generator: Generator[Any, Any, Any]) -> Any:
    """The coroutine that tasks want since Python 3.12, round a generator that may be awaited."""
    return await generator  # type: ignore[misc]


OTHER = evolve(READ, path="/other")


class _Wire(Wire):
    """Keeps its replies for the call that is cancelled."""

    def reply(self, request: Request) -> Reply:
        return OK if request.url.endswith(OTHER.path) else super().reply(request)


def _fine(wire: Wire) -> Rig:
    return rig(wire)


def _learning(wire: Wire) -> Rig:
    return rig(wire, rate=None)


def _slow(wire: Wire) -> Rig:
    """A second call waits for the limiter from the start."""
    return rig(wire, rate=1.0, concurrency=1)


SCRIPTS: dict[str, tuple[Operation[Any], list[Any]]] = {
    "fine": (READ, []),
    "a create": (CREATE, []),
    "faults": (READ, [answer(status=500), LOST]),
    "refusals": (CREATE, [answer(status=429)] * 3),
    "an outage": (READ, [answer(status=503)] * 3),
    "a repeated delete": (DELETE, [LOST, answer(status=404)]),
    "another verb": (UPDATE, [answer(status=405), LOST]),
}


@pytest.mark.parametrize("late", [False, True], ids=["waiting", "in the tick of its end"])
@pytest.mark.parametrize("max_wait", [None, 1000.0])
@pytest.mark.parametrize("make", [_fine, _learning, _slow])
@pytest.mark.parametrize("script", SCRIPTS)
def test_t16_cancelled_at_every_await(
    script: str,
    make: Callable[[Wire], Rig],
    max_wait: float | None,
    late: bool,  # noqa: FBT001 - a table's column
) -> None:
    operation, replies = SCRIPTS[script]
    for n in count():
        wire = _Wire(*replies, OK, seconds=1.0)
        if run_virtual(_survives(n, wire, make(wire), operation, max_wait, late=late)):
            break
    assert n > len(replies)  # awaits at which it was cancelled


async def _survives(
    n: int, wire: Wire, made: Rig, operation: Operation[Any], max_wait: float | None, *, late: bool
) -> bool:
    """Make calls one of which is cancelled at its await n; True where it was done before."""
    others = [asyncio.create_task(made.call(OTHER)) for _ in range(2)]
    task = asyncio.create_task(awaited(cancelled_at(n, made.call(operation, max_wait=max_wait), late=late)))
    await asyncio.wait([task])
    assert [await other for other in others] == ["ok", "ok"]
    assert idle(made.limiter)
    assert wire.in_flight == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}
    wire.play(OK)
    assert await made.call(operation) == result(operation)
    if task.cancelled():
        return False
    assert task.result() == result(operation)
    return True


def test_cancelled_by_a_timeout_of_the_caller() -> None:
    async def main() -> None:
        made = rig(Wire(seconds=30.0))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.0):
                await made.call(READ)
        assert idle(made.limiter)

    run_virtual(main())
