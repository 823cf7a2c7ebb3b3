"""The script in Redis and the controller in the process, given the same news, take the same steps."""

from __future__ import annotations

import json
import math
import random
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest
from attrs import define

from voxloud_async.session.controller import BURST, START_RATE, Outcome, Permit, RateController

if TYPE_CHECKING:
    from tests.servers import RedisServer

FIXED = 20.0
SCRIPT = resources.files("voxloud_async.session").joinpath("shared_rate.lua").read_text()
OUTCOMES = {"answered": 55, "refused": 20, "down": 5, "lost": 5, "failed": 10, "unused": 5, "forgotten": 5}


@define
class Answer:
    """What the script says."""

    granted: bool
    wait: float
    epoch: int
    probe: bool
    rate: float


class Record:
    """The script on a record, at times of the test's own."""

    def __init__(self, server: RedisServer, name: str, *, learns: bool) -> None:
        self._script = server.client.register_script(SCRIPT)
        self._name = name
        self._start = json.dumps({"rate": START_RATE if learns else FIXED, "burst": BURST, "learns": int(learns)})

    def ask(self, now: float, *, waiting: bool = False) -> Answer:
        return self._step(now, [], ask=True, waiting=waiting)

    def tell(self, now: float, *news: list[Any]) -> Answer:
        return self._step(now, list(news), ask=False, waiting=False)

    def _step(self, now: float, news: list[list[Any]], *, ask: bool, waiting: bool) -> Answer:
        arguments = [repr(now), self._start, json.dumps(news), int(ask), int(waiting)]
        granted, wait, epoch, probe, _, rate, _ = self._script([self._name], arguments)
        return Answer(granted == b"1", float(wait), int(epoch), probe == b"1", float(rate))


class Schedule:
    """A random walk, of which both controllers are told the same."""

    def __init__(self, server: RedisServer, seed: int) -> None:
        self.random = random.Random(seed)
        learns = self.random.random() < 0.8
        self.chance = 0.0
        self.local = RateController(None if learns else FIXED, chance=lambda: self.chance)
        self.shared = Record(server, f"record-{seed}", learns=learns)
        self.now = 1000.0
        self.out: list[Permit] = []
        self.granted = 0

    def step(self) -> None:
        self.now += self.random.choice([0.0, 0.001, 0.05, 0.3, 1.0])
        probes = [permit for permit in self.out if permit.probe]
        if self.out and (probes or self.random.random() < 0.5):
            answer = self.return_one((probes or [self.random.choice(self.out)])[0])
        else:
            answer = self.ask()
        assert answer.rate == pytest.approx(self.local.rate, rel=1e-6)

    def ask(self) -> Answer:
        waiting = self.random.random() < 0.5
        ready = self.local.ready_at(self.now, waiting=waiting)
        answer = self.shared.ask(self.now, waiting=waiting)
        shut = ready == math.inf or self.local._gate.until > self.now
        assert answer.granted == (not shut)
        if answer.granted:
            assert answer.wait == pytest.approx(ready - self.now, abs=1e-6)
            permit = self.local.grant(self.now)
            assert (answer.epoch, answer.probe) == (permit.epoch, permit.probe)
            self.out.append(Permit(permit.epoch, ready, permit.probe))
            self.granted += 1
        return answer

    def return_one(self, permit: Permit) -> Answer:
        self.out.remove(permit)
        outcome = self.random.choices(list(OUTCOMES), list(OUTCOMES.values()))[0]
        retry_after = (
            self.random.choice([None, None, None, 0.0, 1.0, 1000.0])
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
        trip = self.now - permit.granted
        return self.shared.tell(self.now, [outcome, permit.epoch, int(permit.probe), trip, waited, self.chance])


@pytest.mark.parametrize("first", range(0, 60, 10))
def test_the_script_is_the_controller(redis_server: RedisServer, first: int) -> None:
    schedules = [Schedule(redis_server, seed) for seed in range(first, first + 10)]
    for schedule in schedules:
        for _ in range(200):
            schedule.step()
    assert sum(schedule.granted for schedule in schedules) > 100


def refusal(epoch: int, *, retry_after: float = -1.0, probe: bool = False) -> list[Any]:
    return ["refused", epoch, int(probe), 0.05, retry_after, 0.5]


def outage(epoch: int) -> list[Any]:
    return ["down", epoch, 0, 0.05, -1, 1.0]


def test_one_refusal_pauses_whoever_asks_and_cuts_once(redis_server: RedisServer) -> None:
    record = Record(redis_server, "record", learns=True)
    before = record.ask(1000.0)
    cut = record.tell(1001.0, refusal(0), refusal(0), refusal(0))
    paused = record.ask(1001.0)
    assert (before.granted, before.wait) == (True, 0.0)
    assert cut.rate < before.rate
    assert (paused.granted, paused.epoch) == (False, 1)
    assert paused.wait == pytest.approx(1.0 / cut.rate)


def test_a_lost_probe_frees_its_place_after_its_lease(redis_server: RedisServer) -> None:
    record = Record(redis_server, "record", learns=True)
    record.tell(1000.0, outage(0))
    probe, second = record.ask(1001.0), record.ask(1002.0)
    assert (probe.granted, probe.probe, second.granted) == (True, True, False)
    assert not record.ask(1010.9).granted
    assert record.ask(1011.1).probe, "its process died, and another one probes"


def test_a_probe_that_nobody_sent_frees_its_place_but_opens_nothing(redis_server: RedisServer) -> None:
    record = Record(redis_server, "record", learns=True)
    record.tell(1000.0, outage(0))
    record.ask(1001.0)
    record.tell(1001.0, ["unused", 1, 1, 0.0, -1, 0.5])
    assert record.ask(1001.0).probe


@pytest.mark.parametrize("back", [60.0, 3600.0, 10 * 365 * 86400.0])
def test_a_clock_set_back_stops_nothing(redis_server: RedisServer, back: float) -> None:
    record = Record(redis_server, "record", learns=True)
    now = 1_000_000_000.0
    for _ in range(12):
        record.ask(now)
    record.tell(now, refusal(0, retry_after=2.0))
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
