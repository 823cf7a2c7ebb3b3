"""A ring whose answer was lost: sent once, and its record looked for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.resources.outcome.losing import LOST, NUMBER, UNSENT, unknown
from voxloud_async.models import ClickToCallCall
from voxloud_async.sandbox import Weather

if TYPE_CHECKING:
    from tests.resources.outcome.losing import Start
    from voxloud_async.sandbox import Sandbox


async def test_k9_a_ring_is_sent_once_and_its_record_found_when_it_is_there(start: Start) -> None:
    served = await start(weather=Weather(record_delay=0.4))
    made = await served.click_to_call()
    served.sandbox.fail_next(LOST, match="POST ")
    error = await unknown(served.client.click_to_call.connect(made.id, contact=NUMBER))
    assert await error.resolve() is None
    await asyncio.sleep(0.45)
    record = await error.resolve()
    assert isinstance(record, ClickToCallCall)
    assert record.call_id == served.sandbox.calls_placed[0].call_id
    assert served.sandbox.count("POST", "/api/v1/click-to-call/") == len(served.sandbox.calls_placed) == 1


async def test_k9_two_rings_of_one_number_cannot_be_told_apart(start: Start) -> None:
    served = await start()
    made = await served.click_to_call()
    served.sandbox.fail_next(LOST, match="POST ")
    error = await unknown(served.client.click_to_call.connect(made.id, contact=NUMBER))
    await served.client.click_to_call.connect(made.id, contact=NUMBER)
    assert len(served.sandbox.calls_placed) == 2
    assert await error.resolve() is None
    assert len(error.candidates) == 2


async def test_k9_an_older_ring_is_not_taken_for_this_one(start: Start) -> None:
    served = await start()
    made = await served.click_to_call()
    await served.client.click_to_call.connect(made.id, contact=NUMBER)
    state = served.sandbox.state
    state.catch_up()
    record = state.events[state.events.ids[-1]]
    state.events.replace(record["id"], record | {"timestamp": record["timestamp"] - 10_000})
    served.sandbox.fail_next(UNSENT, match="POST ")
    error = await unknown(served.client.click_to_call.connect(made.id, contact=NUMBER))
    assert await error.resolve() is None
    assert len(served.sandbox.calls_placed) == 1


async def test_k9_its_record_is_found_behind_all_others_of_the_time_since(start: Start) -> None:
    served = await start()
    made = await served.click_to_call()
    for before, after in ((250, 0), (0, 250)):
        served.sandbox.fail_next(LOST, match="POST ")
        call(served.sandbox, before)
        error = await unknown(served.client.click_to_call.connect(made.id, contact=f"+39031{before:07}"))
        call(served.sandbox, after)
        await served.sandbox.drain()
        record = await error.resolve()
        assert record.call_id == served.sandbox.calls_placed[-1].call_id
    assert len(served.sandbox.calls_placed) == 2


def call(sandbox: Sandbox, times: int) -> None:
    for _ in range(times):
        sandbox.place_call(number="+390399999999")
