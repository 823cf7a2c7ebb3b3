"""Which calls a book knows, and for how long; and the stream of calls."""

from __future__ import annotations

from contextlib import aclosing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from attrs import define, evolve

from tests.webhooks.calls.making import (
    CALL,
    OUTSIDE,
    START,
    answered,
    at,
    click_to_call,
    hangup,
    incoming,
    missed,
    record,
)
from voxloud_async.webhooks import Call, CallBook, CallState
from voxloud_async.webhooks.calls import calls

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SUFFIXED = f"{CALL}-clicktocall"


@define
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def test_it_finds_calls_by_identifier() -> None:
    book = CallBook()
    book.fold(incoming(0))
    assert CALL in book
    assert SUFFIXED in book
    assert "other" not in book
    assert 5 not in book
    assert book[CALL] is book[SUFFIXED]
    with pytest.raises(KeyError):
        book["other"]


def test_live_calls_the_earliest_first() -> None:
    book = CallBook()
    book.fold(incoming(9, call_id="later"))
    book.fold(incoming(3, call_id="earlier"))
    book.fold(answered(12, call_id="later"))
    book.fold(incoming(1, call_id="over"))
    book.fold(hangup(2, call_id="over"))
    assert [call.call_id for call in book.live()] == ["earlier", "later"]
    assert [call.call_id for call in book] == ["earlier", "later", "over"]
    book.fold(answered(0, call_id="unheard"))
    assert [call.call_id for call in book.live()] == ["unheard", "earlier", "later"]


def test_a_call_that_is_over_is_forgotten_after_a_while() -> None:
    clock = Clock()
    book = CallBook(keep=10.0, clock=clock)
    book.fold(incoming(0, call_id="live"))
    book.fold(missed())
    clock.now = 9.0
    book.fold(incoming(0, call_id="another"))
    assert CALL in book
    assert book.fold(hangup(20)) is not None, "it still changes, and is kept anew"
    clock.now = 18.9
    book.fold(incoming(1, call_id="another"))
    assert CALL in book
    clock.now = 19.0
    book.fold(incoming(2, call_id="another"))
    assert CALL not in book
    clock.now = 4 * 3600.0 - 1.0
    book.fold(incoming(3, call_id="another"))
    assert [call.call_id for call in book] == ["live", "another"], "what goes on is not forgotten"


def test_those_over_go_before_those_that_go_on() -> None:
    book = CallBook(max_calls=3)
    book.fold(incoming(0, call_id="live"))
    book.fold(missed(call_id="over"))
    for name in ("a", "b", "c"):
        book.fold(incoming(0, call_id=name))
        assert len(book) <= 3
    assert [call.call_id for call in book] == ["a", "b", "c"]
    book.fold(incoming(1, call_id="a"))
    book.fold(incoming(1, call_id="d"))
    assert [call.call_id for call in book] == ["c", "a", "d"]


def test_a_full_book_takes_what_is_over() -> None:
    book = CallBook(max_calls=1)
    book.fold(incoming(0, call_id="live"))
    call = book.fold(missed(call_id="over"))
    assert call is not None
    assert [each.call_id for each in book] == ["live"]
    assert book.fold(answered(1, call_id="live")) is not None


def test_w14_a_call_whose_end_was_missed_is_forgotten_in_the_end() -> None:
    clock = Clock()
    book = CallBook(keep=10.0, keep_live=100.0, clock=clock)
    book.fold(incoming(0))
    clock.now = 60.0
    book.fold(incoming(1, call_id="later"))
    assert len(book.live()) == 2
    clock.now = 100.0
    assert [call.call_id for call in book.live()] == ["later"]
    assert (CALL in book, len(book), [call.call_id for call in book]) == (False, 1, ["later"])
    with pytest.raises(KeyError):
        book[CALL]
    book.fold(answered(2, call_id="later"))
    clock.now = 199.0
    assert book["later"].state is CallState.ANSWERED
    book.fold(hangup(3, call_id="later"))
    clock.now = 209.0
    assert list(book) == []


def test_a_record_without_an_id_gives_way_to_its_copy_with_one() -> None:
    for first, second in ((None, 7), (7, None)):
        book = CallBook()
        for identifier in (first, second):
            call = evolve(record(7, 60), id=identifier)
            book.fold(call, verified=identifier is not None)
        assert [each.id for each in book[CALL].records] == [7]
        assert book[CALL].verified


@pytest.mark.parametrize("options", [{"keep": -1.0}, {"keep_live": -1.0}, {"max_calls": 0}], ids=str)
def test_a_book_that_cannot_be(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        CallBook(**options)


# Click-to-call


def test_k8_the_legs_of_a_click_to_call_may_lack_its_suffix() -> None:
    book = CallBook()
    book.fold(incoming(0))
    assert not book[CALL].is_click_to_call
    call = book.fold(click_to_call())
    assert call is not None
    assert (call.call_id, call.is_click_to_call, len(call.legs)) == (SUFFIXED, True, 1)
    assert len(book) == 1


def test_a_record_alone_tells_a_click_to_call() -> None:
    book = CallBook()
    book.fold(click_to_call(call_id=CALL))
    assert book[CALL].is_click_to_call


@pytest.mark.parametrize("spelling", [OUTSIDE, "393331234567", "3331234567", "+39 333 123-4567", "00393331234567"])
def test_k8_a_connected_call_is_found_by_its_number_and_time(spelling: str) -> None:
    book = CallBook()
    book.fold(click_to_call(destination_number=spelling))
    book.fold(record(call_id="no click-to-call"))
    book.fold(click_to_call(2, call_id="other-clicktocall", destination_number="+393339999999"))
    assert [each.call_id for each in book.connected(OUTSIDE, since=START)] == [SUFFIXED]
    assert book.connected(OUTSIDE, since=at(-59)) != []
    assert book.connected(OUTSIDE, since=at(-63)) == []
    assert book.connected(OUTSIDE, since=at(-63), within=61) != []
    assert book.connected(OUTSIDE, since=at(2)) != []
    assert book.connected(OUTSIDE, since=at(2.5)) == []


def test_several_connected_calls_are_all_named() -> None:
    book = CallBook()
    book.fold(click_to_call(2, 5, call_id="second-clicktocall"))
    book.fold(click_to_call(1, 1, call_id="first-clicktocall"))
    assert [each.call_id for each in book.connected(OUTSIDE, since=START)] == [
        "first-clicktocall",
        "second-clicktocall",
    ]


def test_a_connected_call_needs_a_time_a_number_and_a_moment() -> None:
    book = CallBook()
    book.fold(click_to_call(1, call_id="a-clicktocall", timestamp=None))
    book.fold(click_to_call(2, call_id="b-clicktocall", destination_number=None, originator_number="567"))
    assert book.connected(OUTSIDE, since=START) == []
    with pytest.raises(ValueError, match="since needs a timezone"):
        book.connected(OUTSIDE, since=START.replace(tzinfo=None))


# The stream


@define
class Source:
    closed: bool = False

    async def events(self) -> AsyncIterator[Any]:
        try:
            for each in (incoming(0), incoming(0), answered(5), hangup(30), record(), record()):
                yield each
        finally:
            self.closed = True


async def test_each_change_comes_once() -> None:
    source = Source()
    seen = [call async for call in calls(source.events())]
    assert [call.state for call in seen] == [CallState.RINGING, CallState.ANSWERED, CallState.ENDED, CallState.ENDED]
    assert [call.is_settled for call in seen] == [False, False, False, True]
    assert source.closed


async def test_closing_the_stream_closes_its_source() -> None:
    source, book = Source(), CallBook()
    async with aclosing(calls(source.events(), book)) as stream:  # type: ignore[type-var] # a generator, as an iterator
        first: Call = await anext(stream)
        assert book[CALL] == first
        assert not source.closed
    assert source.closed


async def test_a_source_need_be_no_generator() -> None:
    class Two:
        def __init__(self) -> None:
            self.left = [incoming(0), answered(5)]

        def __aiter__(self) -> Two:
            return self

        async def __anext__(self) -> Any:
            if not self.left:
                raise StopAsyncIteration
            return self.left.pop(0)

    assert [call.began_at async for call in calls(Two())] == [START, START]
    assert timedelta(0) == START - at(0)
