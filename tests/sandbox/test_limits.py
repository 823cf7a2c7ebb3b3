"""The hidden limits on their own: what passes, and how long the rest would have to wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from voxloud_async.sandbox import Concurrency, FixedWindow, SlidingWindow, TokenBucket

if TYPE_CHECKING:
    from collections.abc import Sequence

    from voxloud_async.sandbox.limits import Limit, Meter


def passed(meter: Meter, moments: Sequence[float]) -> list[float]:
    """The moments at which a request passes."""
    accepted = []
    for now in moments:
        if meter.wait(now) == 0:
            meter.take(now)
            meter.release()
            accepted.append(now)
    return accepted


@pytest.mark.parametrize(
    ("limit", "accepted"),
    [
        (FixedWindow(2, 1.0), [0.0, 0.25, 1.0, 1.25, 2.0, 2.25]),
        (SlidingWindow(2, 1.0), [0.0, 0.25, 1.0, 1.25, 2.0, 2.25]),
        (TokenBucket(2.0, 2), [0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 2.5]),
        (TokenBucket(1.0), [0.0, 1.0, 2.0]),
    ],
)
def test_every_quarter_of_a_second(limit: Limit, accepted: list[float]) -> None:
    moments = [quarter / 4 for quarter in range(11)]
    assert passed(limit.meter(), moments) == accepted


@pytest.mark.parametrize(
    ("limit", "wait"), [(FixedWindow(1, 10.0), 7.0), (SlidingWindow(1, 10.0), 7.0), (TokenBucket(0.1), 7.0)]
)
def test_how_long_to_wait(limit: Limit, wait: float) -> None:
    meter = limit.meter()
    assert meter.wait(100.0) == 0.0
    meter.take(100.0)
    assert meter.wait(103.0) == pytest.approx(wait)
    assert meter.wait(110.0) == 0.0


def test_fixed_windows_lie_end_to_end() -> None:
    meter = FixedWindow(1, 10.0).meter()
    for now in (100.0, 125.0):
        meter.take(now)
    assert meter.wait(126.0) == pytest.approx(4.0)


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    meter = TokenBucket(10.0, 3).meter()
    assert len(passed(meter, [0.0] * 5 + [60.0] * 5)) == 6


def test_concurrency_is_given_back() -> None:
    meter = Concurrency(2).meter()
    meter.take(0.0)
    meter.take(0.0)
    assert meter.wait(99.0) > 0
    meter.release()
    assert meter.wait(0.0) == 0.0


def test_meters_count_apart() -> None:
    limit = FixedWindow(1)
    limit.meter().take(0.0)
    assert limit.meter().wait(0.0) == 0.0


def test_a_limit_is_a_positive_number() -> None:
    for make in (FixedWindow, SlidingWindow, TokenBucket, Concurrency):
        with pytest.raises(ValueError, match="must be > 0"):
            make(0)
