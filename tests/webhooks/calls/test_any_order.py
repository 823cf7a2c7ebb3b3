"""Any order, any repetition, any loss: the fold is a function of what came, and a call never goes back."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve
from hypothesis import given, strategies as st

from tests.webhooks.calls.making import (
    CALL,
    OUTSIDE,
    answered,
    click_to_call,
    hangup,
    incoming,
    missed,
    record,
    started,
)
from voxloud_async.webhooks import Call, CallBook, CallState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SUFFIXED = f"{CALL}-clicktocall"

PLAIN: dict[str, list[Any]] = {
    "answered": [incoming(0), answered(5), hangup(30), record()],
    "missed": [incoming(0), hangup(20), missed()],
    "outbound": [started(0), answered(5), hangup(30), record(originator_number="101", destination_number=OUTSIDE)],
    "internal": [
        started(0, destination_number="102"),
        incoming(0, 102, originator_number="101"),
        answered(4, 102),
        hangup(30, 102),
        hangup(30, 101),
        record(originator_number="101", destination_number="102"),
    ],
    "ring group": [
        *(incoming(0), incoming(0, 102), incoming(1, 103), answered(5, 102)),
        *(hangup(5), hangup(5, 103), hangup(30, 102), record(answerer_number="102")),
    ],
    "abandoned": [incoming(0), incoming(0, 102), hangup(9), hangup(9, 102), missed()],
    "nobody named": [incoming(0, None), answered(5, None), hangup(30, None), record()],
    "click-to-call": [
        incoming(0, originator_number=OUTSIDE),
        answered(5),
        started(5, call_id=SUFFIXED),
        answered(8),
        hangup(40),
        click_to_call(),
    ],
    "records alone": [record(1, timestamp=None), record(2, last_event=None, answerer_number=None)],
}
TRANSFERRED: dict[str, list[Any]] = {
    "transferred": [
        *(incoming(0), answered(5), incoming(20, 102), hangup(21), answered(24, 102), hangup(60, 102)),
        *(record(1, last_event="CALL_TRANSFERRED"), record(2, answerer_number="102", duration=60)),
    ],
    "rung again": [incoming(0), hangup(15), incoming(16), answered(20), hangup(30), record()],
}
STORIES = PLAIN | TRANSFERRED

stories = st.sampled_from(list(STORIES.values()))
plain_stories = st.sampled_from(list(PLAIN.values()))


def folded(events: Iterable[Any]) -> Call | None:
    book = CallBook()
    for each in events:
        book.fold(each)
    return next(iter(book), None)


def doubled(events: Sequence[Any]) -> st.SearchStrategy[list[Any]]:
    """The same events in any order, some more than once."""
    repeated = st.lists(st.sampled_from(events), max_size=6)
    return repeated.flatmap(lambda more: st.permutations([*events, *more]))


def rank(call: Call) -> int:
    """How far a call has come: a MISSED without record only says that nobody is known to have answered yet."""
    if call.is_settled:
        return 3
    return {CallState.RINGING: 0, CallState.MISSED: 0, CallState.ANSWERED: 1, CallState.ENDED: 2}[call.state]


@pytest.mark.parametrize("name", [name for name, story in STORIES.items() if len(story) <= 6])
def test_every_order_makes_the_same_call(name: str) -> None:
    expected = folded(STORIES[name])
    assert {folded(each) for each in permutations(STORIES[name])} == {expected}


@given(st.data())
def test_order_and_doubles_make_no_difference(data: st.DataObject) -> None:
    story = data.draw(stories)
    assert folded(data.draw(doubled(story))) == folded(story)


@given(st.data())
def test_what_is_lost_is_lost_in_any_order(data: st.DataObject) -> None:
    story = data.draw(stories)
    kept = data.draw(st.lists(st.sampled_from(story), unique_by=id, min_size=1))
    assert folded(data.draw(doubled(kept))) == folded(kept)


@given(st.data())
def test_w5_a_call_never_goes_back(data: st.DataObject) -> None:
    book, reached = CallBook(), 0
    for each in data.draw(doubled(data.draw(plain_stories))):
        book.fold(each)
        assert rank(book[CALL]) >= reached
        reached = rank(book[CALL])


@given(st.data())
def test_a_repeated_event_changes_nothing(data: st.DataObject) -> None:
    book, seen = CallBook(), list[Any]()
    for each in data.draw(doubled(data.draw(stories))):
        before = next(iter(book), None)
        call = book.fold(each)
        assert (call is None) or call == book[CALL] != before
        assert not (each in seen and call is not None)
        seen.append(each)


@given(st.data())
def test_several_calls_do_not_mix(data: st.DataObject) -> None:
    one, other = data.draw(stories), data.draw(stories)
    renamed = [_renamed(each) for each in other]
    book = CallBook()
    for each in data.draw(st.permutations([*one, *renamed])):
        book.fold(each)
    assert book[CALL] == folded(one)
    assert book["other"] == folded(renamed)


def _renamed(each: Any) -> Any:
    return evolve(each, call_id=each.call_id.replace(CALL, "other"))


@pytest.mark.parametrize("name", STORIES)
def test_every_story_ends_settled(name: str) -> None:
    call = folded(STORIES[name])
    assert call is not None
    assert call.is_settled
    assert call.state is (CallState.MISSED if name in {"missed", "abandoned"} else CallState.ENDED)


@given(st.data())
def test_without_its_record_a_plain_call_still_ends(data: st.DataObject) -> None:
    story = data.draw(plain_stories.filter(lambda story: any(hasattr(each, "user_extension") for each in story)))
    live = [each for each in story if hasattr(each, "user_extension")]
    call = folded(data.draw(doubled(live)))
    assert call is not None
    assert not call.is_live
    assert not call.is_settled
