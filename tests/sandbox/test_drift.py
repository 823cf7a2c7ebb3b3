"""Rows that move while they are read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from voxloud_async.sandbox import Drift, Sandbox
from voxloud_async.sandbox.exchange import Call

EVENTS = ("POST", "/api/v1/telephony-events", b"{}")
CONTACTS = ("GET", "/api/v1/contacts", b"")


def ask(sandbox: Sandbox, method: str, path: str, body: bytes, query: str = "") -> Any:
    headers = {"voverc-auth": sandbox.api_key, "content-type": "application/json"}
    call = Call(method=method, path=path, query_string=query, headers=headers, body=body)
    return json.loads(sandbox._service.answer(call).body)


def state(sandbox: Sandbox) -> tuple[Any, Any]:
    events = sandbox.state.events
    return [events[each] for each in events.ids], dict(sandbox.state.contacts)


def moved(drift: Drift, times: int = 20) -> Sandbox:
    sandbox = Sandbox(events=50, contacts=40, drift=drift, clock=lambda: 0.0)
    for _ in range(times):
        ask(sandbox, *EVENTS)
        ask(sandbox, *CONTACTS)
    return sandbox


def test_nothing_moves_by_itself() -> None:
    assert state(moved(Drift())) == state(Sandbox(events=50, contacts=40))


def test_the_same_seed_the_same_movement() -> None:
    drift = Drift(seed=4, arrivals=3, removals=2, changes=2)
    assert state(moved(drift)) == state(moved(drift))
    assert state(moved(drift)) != state(moved(Drift(seed=5, arrivals=3, removals=2, changes=2)))


def test_rows_arrive_within_what_is_there() -> None:
    calm, sandbox = Sandbox(events=50, contacts=40), moved(Drift(arrivals=4))
    events = sandbox.state.events
    assert set(calm.state.events.ids) < set(events.ids)
    assert set(calm.state.contacts) < set(sandbox.state.contacts)
    bounds = [calm.state.events.moment(each) for each in (calm.state.events.ids[0], calm.state.events.ids[-1])]
    times = [events.moment(each) for each in events.ids]
    assert times == sorted(times)
    assert [times[0], times[-1]] == bounds


def test_rows_go_until_none_is_left() -> None:
    sandbox = moved(Drift(removals=20, changes=2), times=60)
    assert len(sandbox.state.events) == len(sandbox.state.contacts) == 0
    ask(sandbox, *EVENTS)
    ask(sandbox, *CONTACTS)


def test_an_empty_pbx_has_nothing_to_change_or_to_copy() -> None:
    sandbox = Sandbox(events=0, contacts=0, drift=Drift(arrivals=5, changes=5))
    for _ in range(9):
        ask(sandbox, *EVENTS)
        ask(sandbox, *CONTACTS)
    assert len(sandbox.state.events) == 0
    assert sandbox.state.contacts


def test_rows_change_and_stay() -> None:
    calm, sandbox = Sandbox(events=50, contacts=40), moved(Drift(changes=3))
    (rows, contacts), (before, held) = state(sandbox), state(calm)
    assert [row["id"] for row in rows] != [] != [row for row in rows if row not in before]
    assert {row["id"] for row in rows} == {row["id"] for row in before}
    assert contacts.keys() == held.keys()
    assert contacts != held


def test_it_stands_still_after_so_many_pages() -> None:
    sandbox = moved(Drift(arrivals=9, pages=4))
    before = state(sandbox)
    ask(sandbox, *EVENTS)
    assert state(sandbox) == before


def test_other_requests_move_nothing() -> None:
    sandbox = Sandbox(events=50, contacts=40, drift=Drift(arrivals=9, removals=9))
    before = state(sandbox)
    ask(sandbox, "POST", "/api/v1/validate-auth", b"")
    ask(sandbox, "GET", "/api/v1/telephony-events", b"", "callId=nothing")
    assert state(sandbox) == before


@pytest.mark.parametrize("name", ["arrivals", "removals", "changes", "pages"])
def test_a_drift_cannot_be_negative(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Drift(**{name: -1})
