"""Any sequence of calls has the effect that a handful of dictionaries would have."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from attrs import define, field
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from tests.webhooks.inbox.stores import HAS_MEMORY
from voxloud_async.webhooks.inbox import Counts, DeadLetter, Delivery, Inbox, Lease
from voxloud_async.webhooks.inbox.protocol import EVERY, KEPT, Selection
from voxloud_async.webhooks.inbox.sqlite import SqliteInbox

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

KEYS = st.sampled_from("abcdef")
TYPES = st.sampled_from(["PHONE_CALL", "CALL_INCOMING", "unknown"])
SELECTIONS = st.just(EVERY) | st.builds(
    Selection, st.frozensets(TYPES, max_size=2), st.booleans(), st.sampled_from([0.0, 5.0])
)
SPANS = st.sampled_from([0.0, 1.0, 5.0, 60.0])


@define
class Waiting:
    delivery: Delivery
    due: float
    runs: int = 0
    token: str | None = None


@define
class Model:
    """What an inbox should hold."""

    now: float = 1_700_000_000.0
    waiting: dict[str, Waiting] = field(factory=dict)
    dead: dict[str, DeadLetter] = field(factory=dict)
    done: dict[str, float] = field(factory=dict)
    fingerprints: dict[str, str] = field(factory=dict)
    announced: dict[str, float] = field(factory=dict)

    def knows(self, key: str) -> bool:
        return key in self.waiting or key in self.dead or self.done.get(key, 0.0) + KEPT > self.now

    def held(self, lease: Lease) -> Waiting | None:
        each = self.waiting.get(lease.delivery.key)
        return each if each is not None and each.token == lease.token else None

    def of(self, selection: Selection) -> list[Waiting]:
        chosen = [each for each in self.waiting.values() if selection.has(each.delivery.type)]
        return sorted(chosen, key=lambda each: each.due)

    def due(self, selection: Selection) -> list[Waiting]:
        return [each for each in self.of(selection) if each.due + selection.waited <= self.now]

    def counts(self) -> Counts:
        return Counts(
            waiting=len(self.waiting),
            leased=sum(each.token is not None and each.due > self.now for each in self.waiting.values()),
            dead=len(self.dead),
            done=sum(at + KEPT > self.now for at in self.done.values()),
        )


class Machine(RuleBasedStateMachine):
    make: Callable[[Path, Callable[[], float]], Inbox]
    leases = Bundle("leases")

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.runner = self.stack.enter_context(asyncio.Runner())
        self.model = Model()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.inbox = type(self).make(folder / "inbox.db", lambda: self.model.now)

    def run(self, call: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(call)

    def teardown(self) -> None:
        self.run(self.inbox.aclose())
        self.stack.close()

    @rule(keys=st.lists(KEYS, max_size=4), body=st.binary(max_size=4), kind=TYPES, content=st.sampled_from(["", "x"]))
    def add(self, keys: list[str], body: bytes, kind: str, content: str) -> None:
        now = self.model.now
        coming = {
            key: Delivery(key=key, body=body, received=now, type=kind, fingerprint=content and f"{content}{key}")
            for key in keys
        }
        new = {key: each for key, each in coming.items() if not self.model.knows(key)}
        assert self.run(self.inbox.add(list(coming.values()))) == set(new)
        for key, each in new.items():
            self.model.waiting[key] = Waiting(each, self.model.now)
            self.model.done.pop(key, None)
            self.model.fingerprints[key] = each.fingerprint

    @rule(target=leases, limit=st.integers(1, 4), seconds=SPANS, of=SELECTIONS)
    def lease(self, limit: int, seconds: float, of: Selection) -> Any:
        due = [each.due for each in self.model.due(of)[:limit]]
        granted = self.run(self.inbox.lease(limit, seconds, of))
        assert [self.model.waiting[each.delivery.key].due for each in granted] == due
        for each in granted:
            mine = self.model.waiting[each.delivery.key]
            assert (each.delivery, each.run, each.until) == (mine.delivery, mine.runs + 1, self.model.now + seconds)
            assert each.token != mine.token
            mine.runs, mine.token, mine.due = each.run, each.token, each.until
        return multiple(*granted)

    @rule(target=leases, lease=leases, seconds=SPANS)
    def extend(self, lease: Lease, seconds: float) -> Any:
        mine = self.model.held(lease)
        extended = self.run(self.inbox.extend(lease, seconds))
        assert (extended is None) is (mine is None)
        if mine is None:
            return multiple()
        mine.due = self.model.now + seconds
        assert extended.until == mine.due
        return extended

    @rule(lease=leases)
    def done(self, lease: Lease) -> None:
        mine = self.model.held(lease)
        assert self.run(self.inbox.done(lease)) is (mine is not None)
        if mine is not None:
            del self.model.waiting[lease.delivery.key]
            self.model.done[lease.delivery.key] = self.model.now

    @rule(lease=leases, delay=SPANS)
    def retry(self, lease: Lease, delay: float) -> None:
        mine = self.model.held(lease)
        assert self.run(self.inbox.retry(lease, delay, "ValueError")) is (mine is not None)
        if mine is not None:
            mine.token, mine.due = None, self.model.now + delay

    @rule(lease=leases)
    def release(self, lease: Lease) -> None:
        mine = self.model.held(lease)
        assert self.run(self.inbox.release(lease)) is (mine is not None)
        if mine is not None:
            mine.token, mine.due, mine.runs = None, self.model.now, mine.runs - 1

    @rule(types=st.lists(TYPES, max_size=2), seconds=SPANS)
    def announce(self, types: list[str], seconds: float) -> None:
        self.run(self.inbox.announce(types, seconds))
        for each in types:
            self.model.announced[each] = max(self.model.announced.get(each, 0.0), self.model.now + seconds)

    @rule(of=SELECTIONS)
    def due_in(self, of: Selection) -> None:
        first = next((each.due + of.waited for each in self.model.of(of)), None)
        assert self.run(self.inbox.due_in(of)) == (None if first is None else max(0.0, first - self.model.now))

    @rule(lease=leases)
    def bury(self, lease: Lease) -> None:
        mine = self.model.held(lease)
        assert self.run(self.inbox.bury(lease, "KeyError")) is (mine is not None)
        if mine is not None:
            del self.model.waiting[lease.delivery.key]
            letter = DeadLetter(delivery=mine.delivery, runs=mine.runs, error="KeyError", died=self.model.now)
            self.model.dead[lease.delivery.key] = letter

    @rule(keys=st.lists(KEYS, max_size=3))
    def replay(self, keys: list[str]) -> None:
        found = [self.model.dead.pop(key) for key in set(keys) if key in self.model.dead]
        assert self.run(self.inbox.replay(keys)) == len(found)
        for letter in found:
            self.model.waiting[letter.delivery.key] = Waiting(letter.delivery, self.model.now)

    @rule(keys=st.lists(KEYS, max_size=3))
    def discard(self, keys: list[str]) -> None:
        found = [self.model.dead.pop(key) for key in set(keys) if key in self.model.dead]
        assert self.run(self.inbox.discard(keys)) == len(found)
        for letter in found:
            self.model.done[letter.delivery.key] = self.model.now

    @rule(seconds=st.sampled_from([1.0, 5.0, 60.0, KEPT - 60.0, KEPT]))
    def advance(self, seconds: float) -> None:
        self.model.now += seconds

    @invariant()
    def holds_what_it_should(self) -> None:
        assert self.run(self.inbox.counts()) == self.model.counts()
        assert self.run(self.inbox.known("abcdef")) == {key for key in "abcdef" if self.model.knows(key)}
        known = {key: self.model.fingerprints[key] for key in "abcdef" if self.model.knows(key)}
        assert self.run(self.inbox.fingerprints("abcdef")) == known
        announced = {each for each, until in self.model.announced.items() if until > self.model.now}
        assert self.run(self.inbox.announced()) == announced
        first = min((each.due for each in self.model.waiting.values()), default=None)
        assert self.run(self.inbox.due_in()) == (None if first is None else max(0.0, first - self.model.now))
        letters = self.run(self.inbox.dead_letters())
        assert {each.delivery.key: each for each in letters} == self.model.dead
        assert [each.died for each in letters] == sorted((each.died for each in letters), reverse=True)


@pytest.mark.parametrize("kind", ["sqlite", *(["memory"] if HAS_MEMORY else [])])
def test_any_sequence_of_calls_does_what_the_model_does(kind: str) -> None:
    class Chosen(Machine):
        make = staticmethod({"sqlite": sqlite, "memory": memory}[kind])

    chosen = settings(
        max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    run_state_machine_as_test(Chosen, settings=chosen)


def sqlite(path: Path, wall: Callable[[], float]) -> Inbox:
    return SqliteInbox(path, wall=wall)


def memory(_: Path, wall: Callable[[], float]) -> Inbox:
    made: Any = import_module("voxloud_async.webhooks.inbox.memory")
    inbox: Inbox = made.MemoryInbox(wall=wall)
    return inbox
