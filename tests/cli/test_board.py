"""The words and the choice of the table of calls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len

from voxloud_async.cli.board import Screen, Tally, chosen
from voxloud_async.cli.call_rows import as_clock, end_of_call, extensions, ring_seconds, talk_seconds
from voxloud_async.models import CallEvent, CallPhase, Extension
from voxloud_async.webhooks import CallBook
from voxloud_async.webhooks.notices import Stats

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NOON = datetime(2026, 6, 30, 12, tzinfo=UTC)


def event(call_id: str, phase: CallPhase, after: float = 0.0, **more: object) -> CallEvent:
    return CallEvent(call_id=call_id, type=phase, timestamp=NOON + timedelta(seconds=after), **more)  # type: ignore[arg-type] # what the test gives


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0.0, "0:00"), (7.4, "0:07"), (59.6, "1:00"), (3599, "59:59"), (3600, "1:00:00"), (36061, "10:01:01")],
)
def test_a_time(seconds: float | None, text: str) -> None:
    assert as_clock(seconds) == text


def test_an_end_is_its_number_and_a_name_that_is_another() -> None:
    assert end_of_call("102", "Ada") == "102 Ada"
    assert end_of_call("102", "102") == "102"
    assert end_of_call(None, "Ada") == "Ada"
    assert end_of_call(None, None) == ""


def test_times_go_on_while_it_rings_and_while_somebody_talks() -> None:
    book = CallBook()
    call = book.fold(event("a", CallPhase.INCOMING, user_extension=Extension(101)))
    assert call is not None
    assert ring_seconds(call, NOON + timedelta(seconds=5)) == 5
    assert ring_seconds(call, NOON - timedelta(seconds=5)) == 0, "our clock is behind"
    assert talk_seconds(call, NOON) is None
    call = book.fold(event("a", CallPhase.ANSWERED, 4, user_extension=Extension(101)))
    assert call is not None
    assert (ring_seconds(call, NOON), talk_seconds(call, NOON + timedelta(seconds=9))) == (4, 5)
    call = book.fold(event("a", CallPhase.HANGUP, 30, user_extension=Extension(101)))
    assert call is not None
    assert (ring_seconds(call, NOON), talk_seconds(call, NOON + timedelta(hours=9))) == (4, 26)


def test_who_answered_stands_in_place_of_those_who_rang() -> None:
    book = CallBook()
    book.fold(event("a", CallPhase.STARTED, user_extension=Extension(100)))
    book.fold(event("a", CallPhase.INCOMING, user_extension=Extension(101)))
    call = book.fold(event("a", CallPhase.INCOMING, sip_username="sip_7"))
    assert call is not None
    assert extensions(call) == "101, sip_7"
    call = book.fold(event("a", CallPhase.ANSWERED, 4, sip_username="sip_7"))
    assert call is not None
    assert extensions(call) == "sip_7"


def test_a_leg_without_a_name_is_a_question() -> None:
    call = CallBook().fold(event("a", CallPhase.INCOMING))
    assert call is not None
    assert extensions(call) == "?"


def test_calls_under_way_are_shown_before_those_that_are_over() -> None:
    book = CallBook()
    for name, after in (("old", 0), ("live", 1), ("late", 2), ("new", 3)):
        book.fold(event(name, CallPhase.INCOMING, after))
    for name in ("old", "late", "new"):
        book.fold(event(name, CallPhase.HANGUP, 9))
    assert [call.call_id for call in chosen(book, 4)] == ["old", "live", "late", "new"]
    assert [call.call_id for call in chosen(book, 2)] == ["live", "new"]
    assert [call.call_id for call in chosen(book, -3)] == ["live"]


async def test_the_last_picture_shows_the_last_event(capsys: pytest.CaptureFixture[str]) -> None:
    async def events() -> AsyncIterator[CallEvent]:
        yield event("a", CallPhase.INCOMING, originator_number="[b]+390312345678")

    await Screen("Listening", Tally(), lambda: Stats(doubled=2, refused={"token": 3, "busy": 4})).follow(events())
    title, head, call, sums = capsys.readouterr().out.splitlines()
    assert (title, head.split()[0]) == ("Listening", "STATE")
    assert call.split()[:3] == ["RINGING", "INBOUND", "[b]+390312345678"]
    assert sums.split() == ["calls", "1", "live", "1", "doubled", "2", "refused", "7"]


@pytest.mark.parametrize("width", [60, 80, 100])
async def test_numbers_are_shown_whole_at_every_width(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    numbers = {"originator_number": "+390312345678", "destination_number": "+123456789012345"}

    async def events() -> AsyncIterator[CallEvent]:
        yield event("a", CallPhase.INCOMING, 0.0, originator_name="x" * 99, **numbers)
        yield event("b", CallPhase.INCOMING, originator_number="+39 02 1234 5678 ext. 99", destination_number="1")

    await Screen("Listening", Tally(), Stats).follow(events())
    shown = capsys.readouterr().out
    assert all(number in shown for number in numbers.values())
    assert {*["+39", "02", "1234", "5678", "ext.", "99"]} <= {*shown.split()}
    assert max(map(cell_len, shown.splitlines())) <= width
