"""The service's clock, as its answers tell it."""

from __future__ import annotations

import pytest

from voxloud_async.session.service_time import ServiceTime
from voxloud_async.testing import FakeClock
from voxloud_async.wire.message import Headers

DATE = "Tue, 30 Jun 2026 16:00:00 GMT"


@pytest.mark.parametrize("headers", [None, {}, {"Date": "yesterday"}, {"Date": ""}], ids=str)
def test_where_no_answer_told_it_is_this_machines(headers: dict[str, str] | None) -> None:
    clock = FakeClock()
    time = ServiceTime(clock)
    if headers is not None:
        time.hear(Headers(headers), clock.now())
    assert time.seconds() == clock.wall()


async def test_it_goes_on_from_the_last_answer() -> None:
    clock = FakeClock()
    time = ServiceTime(clock)
    time.hear(Headers({"Date": DATE}), clock.now())
    told = time.seconds()
    assert told == 1782835200.0
    await clock.sleep(5.0)
    assert time.seconds() == told + 5.0
