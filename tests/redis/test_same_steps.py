"""The script in Redis and the controller in the process, given the same news, take the same steps."""

from __future__ import annotations

import json
import random
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest
from attrs import define

from voxloud_async._ratelimit.controller import BURST, START_RATE, RateController
from voxloud_async._ratelimit.permit import Outcome, Permit

if TYPE_CHECKING:
    from tests.servers import RedisServer

FIXED = 20.0
SCRIPT = resources.files("voxloud_async._ratelimit").joinpath("controller.lua").read_text()
OUTCOMES = {"answered": 55, "refused": 20, "down": 5, "lost": 5, "failed": 10, "unused": 5, "forgotten": 5}


@define
class Answer:
    """What the script returns."""

    granted: bool
    wait: float
    epoch: int
    probe: bool
    own_epoch: int
    own_probe: bool
    rate: float
    operations: dict[str, tuple[int, float]]


class Record:
    """The script on a record, at times of the test's own."""

    def __init__(self, server: RedisServer, name: str, *, learns: bool) -> None:
        self._script = server.client.register_script(SCRIPT)
        self._name = name
        self._start = json.dumps({"rate": START_RATE if learns else FIXED, "burst": BURST, "learns": int(learns)})

    def ask(self, now: float, operation: str = "", *, waiting: bool = False) -> Answer:
        return self._step(now, [], operation, waiting=waiting)

    def report(self, now: float, *news: list[Any]) -> Answer:
        return self._step(now, list(news), "-", waiting=False)

    def _step(self, now: float, news: list[list[Any]], operation: str, *, waiting: bool) -> Answer:
        arguments = [repr(now), self._start, json.dumps(news), operation, int(waiting)]
        answer = self._script([self._name], arguments)
        granted, wait, epoch, probe, own_epoch, own_probe, _, rate, _ = (float(part) for part in answer[:9])
        operations = json.loads(answer[9] or "{}")
        return Answer(bool(granted), wait, int(epoch), bool(probe), int(own_epoch), bool(own_probe), rate, operations)


class Schedule:
    """A random walk over a few operations, some of which are refused alone; both controllers get the same."""

    def __init__(self, server: RedisServer, seed: int) -> None:
        self.random = random.Random(seed)
        learns = self.random.random() < 0.8
        self.operations = ["a", "b", "c"][: self.random.randint(1, 3)]
        self.cursed = self.operations[0] if self.random.random() < 0.5 else ""
        self.chance = 0.0
        self.local = RateController(None if learns else FIXED, chance=lambda: self.chance)
        self.shared = Record(server, f"record-{seed}", learns=learns)
        self.now = 1000.0
        self.out: list[Permit] = []
        self.granted = self.owned = 0

    def step(self) -> None:
        self.now += self.random.choice([0.0, 0.001, 0.05, 0.3, 1.0, 1.0, 20.0 if self.random.random() < 0.1 else 0.0])
        probes = [permit for permit in self.out if permit.probe or (permit.own is not None and permit.own.probe)]
        if self.out and (probes or self.random.random() < 0.5):
            answer = self.return_one((probes or [self.random.choice(self.out)])[0])
        else:
            answer = self.ask()
        assert answer.rate == pytest.approx(self.local.rate, rel=1e-6)
        own = sorted(name for name, (is_own, _) in answer.operations.items() if is_own)
        assert own == sorted(name for name in self.operations if self.local.is_own(name))
        assert all(self.local.yields(name) for name, (is_own, _) in answer.operations.items() if not is_own)

    def ask(self) -> Answer:
        waiting, operation = self.random.random() < 0.5, self.random.choice(self.operations)
        blocked = self.local.blocked_until(self.now, operation)
        ready = self.local.ready_at(self.now, operation, waiting=waiting)
        answer = self.shared.ask(self.now, operation, waiting=waiting)
        own = self.local._own.get(operation)
        assert answer.granted == (blocked <= self.now and (own is None or own._tokens >= 1.0))
        if answer.granted:
            assert answer.wait == pytest.approx(ready - self.now, abs=1e-6)
            permit = self.local.grant(self.now, operation)
            of_its_own = permit.own or Permit(-1, 0.0)
            assert (answer.epoch, answer.probe) == (permit.epoch, permit.probe)
            assert (answer.own_epoch, answer.own_probe) == (of_its_own.epoch, of_its_own.probe)
            permit.granted = ready
            if permit.own is not None:
                permit.own.granted = ready
                self.owned += 1
            self.out.append(permit)
            self.granted += 1
        return answer

    def outcome_of(self, permit: Permit) -> str:
        if permit.operation == self.cursed and self.random.random() < 0.9:
            return self.random.choice(["refused", "refused", "down"])
        return self.random.choices(list(OUTCOMES), list(OUTCOMES.values()))[0]

    def return_one(self, permit: Permit) -> Answer:
        self.out.remove(permit)
        outcome = self.outcome_of(permit)
        retry_after = (
            self.random.choice([None, None, None, 0.0, 1.0, 2.0, 8.0, 1000.0])
            if outcome in {"refused", "down", "failed"}
            else None
        )
        self.chance = self.random.random()
        if outcome == "unused":
            self.local.give_back(permit)
        elif outcome == "forgotten":
            self.local.forget(permit)
        else:
            self.local.feedback(permit, Outcome(outcome), self.now, retry_after)
        waited = -1 if retry_after is None else retry_after
        own = permit.own or Permit(-1, 0.0)
        trip = self.now - permit.granted
        news = [outcome, permit.operation, permit.epoch, int(permit.probe), own.epoch, int(own.probe)]
        return self.shared.report(self.now, [*news, trip, waited, self.chance])


@pytest.mark.parametrize("first", range(0, 60, 10))
def test_the_script_is_the_controller(redis_server: RedisServer, first: int) -> None:
    schedules = [Schedule(redis_server, seed) for seed in range(first, first + 10)]
    for schedule in schedules:
        for _ in range(200):
            schedule.step()
    assert sum(schedule.granted for schedule in schedules) > 100
    assert sum(schedule.owned for schedule in schedules) > 10


def refusal(epoch: int, *, retry_after: float = -1.0, probe: bool = False) -> list[Any]:
    return ["refused", "", epoch, int(probe), -1, 0, 0.05, retry_after, 0.5]


def outage(epoch: int) -> list[Any]:
    return ["down", "", epoch, 0, -1, 0, 0.05, -1, 1.0]


def test_one_refusal_pauses_whoever_asks_and_cuts_once(redis_server: RedisServer) -> None:
    record = Record(redis_server, "record", learns=True)
    before = record.ask(1000.0)
    cut = record.report(1001.0, refusal(0), refusal(0), refusal(0))
    paused = record.ask(1001.0)
    assert (before.granted, before.wait) == (True, 0.0)
    assert cut.rate < before.rate
    assert (paused.granted, paused.epoch) == (False, 1)
    assert paused.wait == pytest.approx(1.0 / cut.rate)


def test_a_lost_probe_frees_its_place_after_its_lease(redis_server: RedisServer) -> None:
    record = Record(redis_server, "record", learns=True)
    record.report(1000.0, outage(0))
    probe, second = record.ask(1001.0), record.ask(1002.0)
    assert (probe.granted, probe.probe, second.granted) == (True, True, False)
    assert not record.ask(1010.9).granted
    assert record.ask(1011.1).probe, "its process died, and another one probes"


def test_a_probe_that_nobody_sent_frees_its_place_but_opens_nothing(redis_server: RedisServer) -> None:
    record = Record(redis_server, "record", learns=True)
    record.report(1000.0, outage(0))
    record.ask(1001.0)
    record.report(1001.0, ["unused", "", 1, 1, -1, 0, 0.0, -1, 0.5])
    assert record.ask(1001.0).probe


@pytest.mark.parametrize("back", [60.0, 3600.0, 10 * 365 * 86400.0])
def test_a_clock_set_back_stops_nothing(redis_server: RedisServer, back: float) -> None:
    record = Record(redis_server, "record", learns=True)
    now = 1_000_000_000.0
    for _ in range(12):
        record.ask(now)
    record.report(now, refusal(0, retry_after=2.0))
    assert record.ask(now - back).wait == pytest.approx(2.0)
    later = record.ask(now - back + 2.5)
    assert (later.granted, later.wait) == (True, 0.0)


def test_a_clock_set_forward_gives_at_most_a_burst(redis_server: RedisServer) -> None:
    record = Record(redis_server, "record", learns=True)
    record.ask(1000.0)
    at_once = [record.ask(1000.0 + 3600.0).wait == 0.0 for _ in range(30)]
    assert sum(at_once) == BURST


def test_the_record_expires(redis_server: RedisServer) -> None:
    Record(redis_server, "record", learns=True).ask(1000.0)
    assert 3500 < redis_server.client.ttl("record") <= 3600


@pytest.mark.parametrize("learns", [True, False])
def test_the_record_of_a_limit_that_is_never_hit_stays_small(redis_server: RedisServer, learns: bool) -> None:  # noqa: FBT001 - a table's column
    record = Record(redis_server, "record", learns=learns)
    for quarter in range(400):
        record.ask(1000.0 + 0.25 * quarter)
    assert redis_server.client.strlen("record") < 1000
