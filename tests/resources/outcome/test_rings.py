"""A ring whose answer was lost: sent once, and its record looked for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.resources.outcome.losing import LOST, NUMBER, UNSENT, resolved, unknown
from voxloud_async.models import ClickToCallCall
from voxloud_async.sandbox import Weather

if TYPE_CHECKING:
    from tests.resources.outcome.losing import Start


async def test_k9_a_ring_is_sent_once_and_its_record_found_when_it_is_there(start: Start) -> None:
    served = await start(weather=Weather(record_delay=0.4))
    made = await served.click_to_call()
    served.sandbox.fail_next(LOST, match="POST ")
    error = await unknown(served.client.click_to_call.connect(made.id, contact=NUMBER))
    assert await resolved(error) is None
    await asyncio.sleep(0.45)
    record = await resolved(error)
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
    assert await resolved(error) is None


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
    assert await resolved(error) is None
    assert len(served.sandbox.calls_placed) == 1
