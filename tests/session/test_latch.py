"""A revoked key: three refusals in a row, then calls fail without being sent, and one a minute asks again."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any

import pytest

from tests.session.harness import EVERY, OK, READ, UPDATE, Rig, Wire, a_call, idle, rig
from tests.virtual_time import run_virtual
from voxloud_async._clock import LoopClock
from voxloud_async.errors import AuthenticationError, RequestNotSentError, ResponseLostError, VoxloudError
from voxloud_async.protocol.operations import VALIDATE_AUTH, free_operation
from voxloud_async.session.call import Options
from voxloud_async.session.events import AttemptEnded, KeyRefused
from voxloud_async.session.latch import IN_A_ROW, SECONDS, Latch
from voxloud_async.session.policy import RetryPolicy
from voxloud_async.testing import answer

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from tests.session.harness import Reply
    from voxloud_async.protocol.operations import Operation
    from voxloud_async.session.call import Call
    from voxloud_async.wire.message import Response

NO = answer({"message": "no such key"}, status=401)
ACCOUNT = answer({"name": "Rossi", "email": "admin@example.org"})


def virtual(main: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """A test in virtual time."""

    def test() -> None:
        run_virtual(main())

    test.__name__ = main.__name__
    return test


async def refused(made: Rig, operation: Operation[Any] = READ, **options: Any) -> AuthenticationError:
    with pytest.raises(AuthenticationError) as caught:
        await made.call(operation, **options)
    assert caught.value.status == 401
    return caught.value


async def latched(made: Rig) -> None:
    for _ in range(IN_A_ROW):
        error = await refused(made)
        assert (error.attempts, error.sent) == (1, True)


@virtual
async def test_after_three_in_a_row_nothing_is_sent() -> None:
    wire = Wire(NO)
    made = rig(wire)
    await latched(made)
    for operation in (*EVERY, UPDATE):
        error = await refused(made, operation)
        assert (error.attempts, error.sent, error.operation) == (0, False, str(operation))
        assert "refused this key 3 times in a row; it is asked again in 60 s" in str(error)
    assert len(wire.requests) == IN_A_ROW
    assert made.seen(KeyRefused) == [KeyRefused(SECONDS)]
    assert idle(made.limiter)


@virtual
async def test_after_a_minute_one_asks_and_its_answer_is_for_all() -> None:
    wire = Wire(*[NO] * IN_A_ROW, OK, seconds=1.0)
    made = rig(wire)
    await latched(made)
    await asyncio.sleep(SECONDS - 0.1)
    await refused(made)
    await asyncio.sleep(0.1)
    asking = asyncio.create_task(made.call(READ))
    await asyncio.sleep(0.5)
    for _ in range(20):
        await refused(made)
    assert await asking == "ok"
    assert await asyncio.gather(*(made.call(READ) for _ in range(20))) == ["ok"] * 20
    assert len(wire.requests) == IN_A_ROW + 1 + 20


@virtual
async def test_a_key_that_stays_refused_is_asked_with_once_a_minute() -> None:
    wire = Wire(NO)
    made = rig(wire)
    for _ in range(600):
        await refused(made)
        await asyncio.sleep(1.0)
    assert len(wire.requests) == IN_A_ROW + math.floor((600 - IN_A_ROW) / SECONDS)
    assert len(made.seen(KeyRefused)) == len(wire.requests) - IN_A_ROW + 1


@virtual
async def test_thousands_that_queue_already_are_not_sent_either() -> None:
    wire = Wire(NO, seconds=0.05)
    made = rig(wire, rate=20.0, concurrency=5)
    started = asyncio.get_running_loop().time()
    results = await asyncio.gather(*(made.call(READ) for _ in range(1000)), return_exceptions=True)
    assert asyncio.get_running_loop().time() - started < 1.0, "who is not sent waits for no rate"
    assert all(isinstance(result, AuthenticationError) for result in results)
    assert IN_A_ROW < len(wire.requests) < IN_A_ROW + 5
    assert made.seen(KeyRefused) == [KeyRefused(SECONDS)]
    assert sum(result.sent is False for result in results if isinstance(result, AuthenticationError)) > 990
    assert idle(made.limiter)


@pytest.mark.parametrize(
    "other",
    [OK, *(answer(status=status) for status in (302, 400, 403, 404, 405, 406, 429, 500, 503))],
    ids=lambda reply: str(reply.status),
)
def test_any_other_answer_starts_the_count_anew(other: Reply) -> None:
    async def main() -> None:
        wire = Wire(*[NO, NO, other] * 5)
        made = rig(wire)
        once = made.session.with_options(Options(retry=RetryPolicy(max_attempts=1)))
        for _ in range(15):
            result: Any
            (result,) = await asyncio.gather(once.call(READ), return_exceptions=True)
            assert result == "ok" or result.sent is True
        assert len(wire.requests) == 15

    run_virtual(main())


@pytest.mark.parametrize(
    "nothing", [ResponseLostError("reset"), RequestNotSentError("refused")], ids=["lost", "not sent"]
)
def test_no_answer_says_nothing_of_the_key(nothing: VoxloudError) -> None:
    async def main() -> None:
        wire = Wire(NO, nothing, NO, nothing, NO)
        made = rig(wire)
        for _ in range(5):
            with pytest.raises(VoxloudError):
                await made.call(READ, retry=RetryPolicy(max_attempts=1))
        assert (await refused(made)).sent is False
        assert len(wire.requests) == 5

    run_virtual(main())


@pytest.mark.parametrize("end", ["lost", "cancelled"])
def test_a_probe_without_an_answer_leaves_the_place_to_the_next(end: str) -> None:
    async def main() -> None:
        wire = Wire(*[NO] * IN_A_ROW, ResponseLostError("reset"), OK, seconds=1.0)
        made = rig(wire)
        await latched(made)
        await asyncio.sleep(SECONDS)
        probe = asyncio.create_task(made.call(READ, retry=RetryPolicy(max_attempts=1)))
        await asyncio.sleep(0.5)
        if end == "cancelled":
            probe.cancel()
        await asyncio.wait([probe])
        assert await made.call(READ) == "ok"
        assert len(wire.requests) == IN_A_ROW + 2
        assert idle(made.limiter)

    run_virtual(main())


@pytest.mark.parametrize("operation", [VALIDATE_AUTH, free_operation("POST", VALIDATE_AUTH.path)], ids=["own", "free"])
def test_g3_validating_the_key_always_asks(operation: Operation[Any]) -> None:
    async def main() -> None:
        wire = Wire(*[NO] * (IN_A_ROW + 3), ACCOUNT, OK)
        made = rig(wire)
        await latched(made)
        for _ in range(3):
            assert (await refused(made, operation)).sent is True
            assert (await refused(made)).sent is False
        assert await made.call(operation)
        assert await made.call(READ) == "ok"
        assert len(wire.requests) == IN_A_ROW + 5
        wire.play(NO)
        await latched(made)
        assert (await refused(made)).sent is False
        assert made.seen(KeyRefused) == [KeyRefused(SECONDS)] * 2

    run_virtual(main())


@virtual
async def test_validating_beside_a_probe_does_not_end_it() -> None:
    wire = Wire(*[NO] * IN_A_ROW, ResponseLostError("reset"), OK, seconds=10.0)
    made = rig(wire)
    await latched(made)
    await asyncio.sleep(SECONDS)
    probe = asyncio.create_task(made.call(READ))
    await asyncio.sleep(1.0)
    wire.seconds = 0.0
    wire.play(ResponseLostError("reset"))
    with pytest.raises(ResponseLostError):
        await made.call(VALIDATE_AUTH, retry=RetryPolicy(max_attempts=1))
    assert (await refused(made)).sent is False  # the probe is still out
    probe.cancel()
    await asyncio.wait([probe])


@virtual
async def test_copies_with_other_options_share_it() -> None:
    wire = Wire(NO)
    made = rig(wire)
    await latched(made)
    copy = made.session.with_options(Options(max_wait=5.0, retry=RetryPolicy(max_attempts=1)))
    with pytest.raises(AuthenticationError) as caught:
        await copy.call(READ)
    assert caught.value.sent is False
    assert len(wire.requests) == IN_A_ROW


@virtual
async def test_a_call_that_was_sent_before_it_was_turned_away_says_so() -> None:
    async def handler(_call: Call) -> Response:
        raise AuthenticationError(401)

    latch = Latch(LoopClock(), lambda _: None)
    behind = latch.watch(handler)
    for _ in range(IN_A_ROW):
        with pytest.raises(AuthenticationError):
            await behind(a_call())
    call = a_call()
    call.attempts = 1  # it met a 429, and queued again
    with pytest.raises(AuthenticationError) as caught:
        await latch.guard(behind)(call)
    assert caught.value.sent is True


@virtual
async def test_what_is_turned_away_is_no_attempt() -> None:
    wire = Wire(NO)
    made = rig(wire)
    await latched(made)
    await refused(made)
    assert len(made.seen(AttemptEnded)) == IN_A_ROW
