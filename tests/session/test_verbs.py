"""Anomalies C1 and W4: a 405, and nothing else, switches the verb of an update, and the session remembers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from tests.session.harness import OK, READ, REPLACE, UPDATE, Wire, rig
from tests.virtual_time import run_virtual
from voxloud_async.errors import ApiError, MethodNotAllowedError, ResponseLostError, VoxloudError
from voxloud_async.session.policy import RetryPolicy
from voxloud_async.testing import answer

if TYPE_CHECKING:
    from tests.session.harness import Reply
    from voxloud_async.protocol.operations import Operation
    from voxloud_async.wire.message import Request

NO = answer(status=405)


def methods(wire: Wire) -> list[str]:
    return [request.method for request in wire.requests]


async def test_c1_a_405_switches_once_and_is_remembered() -> None:
    wire = Wire(NO, OK)
    made = rig(wire)
    assert [await made.call(UPDATE) for _ in range(3)] == ["ok", "ok", "ok"]
    assert methods(wire) == ["PUT", "POST", "POST", "POST"]


async def test_the_other_attempt_is_an_attempt() -> None:
    wire = Wire(NO, answer(status=404))
    with pytest.raises(ApiError) as caught:
        await rig(wire).call(UPDATE)
    assert (caught.value.status, caught.value.attempts) == (404, 2)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 406])
async def test_a_stray_405_does_not_stick(status: int) -> None:
    wire = Wire(NO, answer(status=status), OK)
    made = rig(wire)
    with pytest.raises(ApiError):
        await made.call(UPDATE)
    assert [await made.call(UPDATE) for _ in range(2)] == ["ok", "ok"]
    assert methods(wire) == ["PUT", "POST", "PUT", "PUT"]


async def test_a_verb_that_worked_outlives_a_stray_405() -> None:
    wire = Wire(NO, OK, NO, answer(status=404), OK)
    made = rig(wire)
    await made.call(UPDATE)
    with pytest.raises(ApiError):
        await made.call(UPDATE)
    assert await made.call(UPDATE) == "ok"
    assert methods(wire) == ["PUT", "POST", "POST", "PUT", "POST"]


def test_a_switch_that_is_cancelled_is_not_remembered() -> None:
    async def main() -> None:
        wire = Wire(NO, OK, seconds=1.0)
        made = rig(wire)
        task = asyncio.create_task(made.call(UPDATE))
        await asyncio.sleep(1.5)
        task.cancel()
        await asyncio.wait([task])
        assert await made.call(UPDATE) == "ok"
        assert methods(wire) == ["PUT", "POST", "PUT"]

    run_virtual(main())


@pytest.mark.parametrize(
    "fault", [ResponseLostError("reset"), answer(status=500), answer(status=429)], ids=["lost", "500", "429"]
)
def test_a_fault_after_the_switch_is_sent_again_with_the_other_verb(fault: Reply) -> None:
    wire = Wire(NO, fault, OK)
    assert run_virtual(rig(wire).call(UPDATE)) == "ok"
    assert methods(wire) == ["PUT", "POST", "POST"]


async def test_both_405_is_an_error_and_nothing_is_learned() -> None:
    wire = Wire(NO)
    made = rig(wire)
    for _ in range(2):
        with pytest.raises(MethodNotAllowedError) as caught:
            await made.call(UPDATE)
        assert caught.value.attempts == 2
    assert methods(wire) == ["PUT", "POST", "PUT", "POST"]


async def test_what_was_learned_can_be_unlearned() -> None:
    wire = Wire(NO, OK, NO, OK)
    made = rig(wire)
    assert [await made.call(UPDATE) for _ in range(3)] == ["ok", "ok", "ok"]
    assert methods(wire) == ["PUT", "POST", "POST", "PUT", "PUT"]


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 406, 409, 500, 501, 502, 504])
def test_c1_no_other_status_switches(status: int) -> None:
    wire = Wire(answer(status=status))

    async def main() -> None:
        with pytest.raises(VoxloudError):
            await rig(wire).call(UPDATE, retry=RetryPolicy(max_attempts=2))

    run_virtual(main())
    assert set(methods(wire)) == {"PUT"}


@pytest.mark.parametrize("operation", [READ, REPLACE], ids=str)
async def test_an_operation_with_one_verb_keeps_it(operation: Operation[Any]) -> None:
    wire = Wire(NO)
    with pytest.raises(MethodNotAllowedError):
        await rig(wire).call(operation)
    assert len(wire.requests) == 1


async def test_each_operation_learns_for_itself() -> None:
    wire = Wire(NO, OK)
    made = rig(wire)
    await made.call(UPDATE)
    await made.call(evolve(UPDATE, name="another"))
    assert methods(wire) == ["PUT", "POST", "PUT"]


async def test_the_verb_is_all_that_changes() -> None:
    wire = Wire(NO, OK)
    made = rig(wire)
    await made.session.call(UPDATE, body={"first_name": "John"})
    first, second = wire.requests
    assert evolve(second, method="PUT") == first


def test_many_at_once_switch_each_by_itself() -> None:
    class OnlyPost(Wire):
        def reply(self, request: Request) -> Reply:
            return OK if request.method == "POST" else NO

    async def main() -> None:
        wire = OnlyPost(seconds=0.1)
        made = rig(wire)
        assert await asyncio.gather(*(made.call(UPDATE) for _ in range(30))) == ["ok"] * 30
        assert methods(wire) == ["PUT"] * 30 + ["POST"] * 30
        await made.call(UPDATE)
        assert methods(wire)[60:] == ["POST"]

    run_virtual(main())
