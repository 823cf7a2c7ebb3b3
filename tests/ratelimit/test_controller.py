"""What the controller promises whatever its numbers: when it grants, what cuts it, and that no clock upsets it."""

from __future__ import annotations

import math
import random
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from voxloud_async._ratelimit import throttle as numbers
from voxloud_async._ratelimit.controller import BURST, START_RATE, RateController
from voxloud_async._ratelimit.permit import Outcome, Permit
from voxloud_async._ratelimit.rate_curve import LEAST_RATE, MOST_RATE, RequestCounter

if TYPE_CHECKING:
    from collections.abc import Callable

ANSWERED, REFUSED, DOWN, LOST, FAILED = Outcome
IN_A_ROW = numbers.OUTAGE_AFTER


def a_controller(rate: float | None = None, chance: Callable[[], float] = lambda: 1.0) -> RateController:
    return RateController(rate, chance=chance)


def take(controller: RateController, now: float, *, waiting: bool = True) -> tuple[Permit, float]:
    """A permit as soon as there is one, and the time it was granted."""
    ready = controller.ready_at(now, waiting=waiting)
    while ready > now:
        now = ready
        ready = controller.ready_at(now, waiting=waiting)
    return controller.grant(now), now


def served(controller: RateController, now: float, seconds: float) -> float:
    """Answer everything for so long; gives the time."""
    end = now + seconds
    while now < end:
        permit, now = take(controller, now)
        controller.feedback(permit, ANSWERED, now)
    return now


class Machine(RuleBasedStateMachine):
    """Callers, a service and a clock that all do as they like."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.out: list[Permit] = []
        self.probes = 0

    @initialize(rate=st.sampled_from([None, None, 0.1, 1.0, 5.0, 100.0, math.inf]), seed=st.integers(0, 99))
    def begin(self, rate: float | None, seed: int) -> None:
        self.fixed = rate
        self.controller = a_controller(rate, random.Random(seed).random)

    def gate(self) -> float:
        return self.controller._key.gate.until

    @rule(seconds=st.sampled_from([0.0, 1e-6, 0.01, 0.3, 1.0, 7.0, 60.0, 3600.0, -1e-6, -0.5, -3600.0]))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    @rule(waiting=st.booleans())
    def ask(self, waiting: bool) -> None:  # noqa: FBT001 - Hypothesis calls by name
        ready = self.controller.ready_at(self.now, waiting=waiting)
        assert not math.isnan(ready)
        assert ready >= self.now
        if ready <= self.now:
            assert self.gate() <= self.now
            assert not self.controller._key.gate.probe
            permit = self.controller.grant(self.now)
            self.out.append(permit)

    @precondition(lambda self: self.out)
    @rule(data=st.data(), outcome=st.sampled_from(Outcome), retry_after=st.sampled_from([None, 0.0, 3.0, 1e9, 1e300]))
    def answer(self, data: st.DataObject, outcome: Outcome, retry_after: float | None) -> None:
        permit = self.out.pop(data.draw(st.integers(0, len(self.out) - 1)))
        epoch, rate = self.controller.epoch, self.controller.rate
        pause = self.controller.feedback(permit, outcome, self.now, retry_after)
        assert 0.0 <= pause < math.inf
        if outcome is ANSWERED:
            assert pause == 0.0
        alive = outcome in (ANSWERED, FAILED)  # which may show how long a slow limit had refused
        if outcome is LOST or (permit.epoch != epoch and not alive) or self.fixed is not None:
            assert self.controller.rate == rate
        if outcome in (REFUSED, DOWN):
            assert pause > 0.0 or permit.epoch != epoch
            assert self.controller.rate <= rate

    @precondition(lambda self: self.out)
    @rule(data=st.data(), give_back=st.booleans())
    def cancel(self, data: st.DataObject, give_back: bool) -> None:  # noqa: FBT001 - Hypothesis calls by name
        permit = self.out.pop(data.draw(st.integers(0, len(self.out) - 1)))
        gate = self.controller._key.gate
        before = (gate.until, gate.single, self.controller.rate)
        (self.controller.give_back if give_back else self.controller.forget)(permit)
        assert (gate.until, gate.single, self.controller.rate) == before

    @invariant()
    def tokens_stay_within_the_burst(self) -> None:
        if hasattr(self, "controller"):
            assert self.controller._key._tokens <= self.controller._key.burst <= max(BURST, 1.0)
            assert self.controller._key._tokens > -1e-9 or self.fixed == math.inf  # which does not count them

    @invariant()
    def the_rate_stays_within_bounds(self) -> None:
        if not hasattr(self, "controller"):
            return
        if self.fixed is None:
            assert LEAST_RATE <= self.controller.rate <= MOST_RATE
        else:
            assert self.controller.rate == self.fixed

    @invariant()
    def one_probe_at_most_is_out(self) -> None:
        if hasattr(self, "controller"):
            probes = [permit for permit in self.out if permit.probe and permit.epoch == self.controller.epoch]
            assert len(probes) <= 1


Machine.TestCase.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
test_the_controller_keeps_its_promises = Machine.TestCase


# Growth and cuts


def test_it_grows_while_callers_wait_and_only_then() -> None:
    waiting, idle = a_controller(), a_controller()
    now = 0.0
    for _ in range(30):
        now += 0.1
        waiting.ready_at(now, waiting=True)
        idle.ready_at(now, waiting=False)
    assert waiting.rate > 2 * START_RATE
    assert idle.rate == START_RATE


def test_a_refusal_cuts_once_per_epoch() -> None:
    controller = a_controller()
    now = served(controller, 0.0, 5.0)
    permits = [take(controller, now)[0] for _ in range(5)]
    before = controller.rate
    controller.feedback(permits[0], REFUSED, now)
    after = controller.rate
    assert after < before
    for permit in permits[1:]:
        assert controller.feedback(permit, REFUSED, now) >= 0.0
        assert controller.rate == after


def test_an_outage_does_not_cut() -> None:
    controller = a_controller()
    now = served(controller, 0.0, 5.0)
    rate = controller.rate
    for _ in range(10):
        permit, now = take(controller, now, waiting=False)
        assert controller.feedback(permit, DOWN, now) > 0.0
    assert controller.rate == rate


def test_refusals_in_a_row_go_on_cutting() -> None:
    controller = a_controller()
    now = served(controller, 0.0, 1.0)
    rates = []
    for _ in range(40):
        permit, now = take(controller, now, waiting=False)
        controller.feedback(permit, REFUSED, now)
        rates.append(controller.rate)
    assert all(later <= rate for rate, later in pairwise(rates))
    assert LEAST_RATE <= rates[-1] < rates[0]


def test_what_a_long_window_refuses_at_its_end_is_spread_over_it() -> None:
    controller, now = a_controller(), 0.0
    for _ in range(100):
        permit, now = take(controller, now)
        controller.feedback(permit, ANSWERED, now)
    while now < 60.0:
        permit, now = take(controller, now)
        controller.feedback(permit, REFUSED, now)
    assert 0.9 * 100 / 60 < controller.rate < 1.2 * 100 / 60


def test_retry_after_says_how_long_a_window_is() -> None:
    controller, now = a_controller(), 0.0
    for _ in range(100):
        permit, now = take(controller, now)
        controller.feedback(permit, ANSWERED, now)
    permit, now = take(controller, now)
    controller.feedback(permit, REFUSED, now, math.ceil(60.0 - now))
    permit, now = take(controller, now)
    controller.feedback(permit, ANSWERED, now)
    assert 0.9 * 100 / 60 < controller.rate < 1.1 * 100 / 60


def test_no_more_than_a_minute_is_spread_over() -> None:
    controller, now = a_controller(), 0.0
    for _ in range(600):
        permit, now = take(controller, now)
        controller.feedback(permit, ANSWERED, now)
    while now < 7200.0:
        permit, now = take(controller, now)
        controller.feedback(permit, REFUSED, now)
    assert controller.rate > 0.5 * 600 / 60


def test_an_outage_among_refusals_is_no_window() -> None:
    controller, now = a_controller(), 0.0
    for _ in range(100):
        permit, now = take(controller, now)
        controller.feedback(permit, ANSWERED, now)
    for outcome in (REFUSED, *[DOWN] * 30, REFUSED):
        permit, now = take(controller, now)
        controller.feedback(permit, outcome, now)
    assert now > 60.0
    assert controller.rate > 5 * 100 / 60


def test_what_others_have_used_up_gives_no_estimate() -> None:
    controller, now = a_controller(), 0.0
    while now < 5.0:
        permit, now = take(controller, now)
        controller.feedback(permit, REFUSED, now)
    assert controller.rate == pytest.approx(0.85 * START_RATE), "the first cut, and no more"


@pytest.mark.parametrize(("window", "most"), [(60.0, 8), (20.0, 7)])
def test_a_request_a_window_is_found_with_few_refusals(window: float, most: int) -> None:
    controller, now, free, refused = a_controller(), 0.0, 0.0, 0
    accepted: list[float] = []
    while len(accepted) < 12:
        permit, now = take(controller, now)
        if now < free:
            refused += 1
            controller.feedback(permit, REFUSED, now)
        else:
            accepted.append(now)
            free = now + window
            controller.feedback(permit, ANSWERED, now)
    assert refused <= most
    assert accepted[-1] <= 1.8 * 11 * window


@pytest.mark.parametrize("limit", [5.0, 10.0, 40.0])
def test_it_finds_a_hidden_limit(limit: float) -> None:
    controller, now, tokens, filled, accepted = a_controller(), 0.0, limit, 0.0, 0
    while now < 60.0:
        permit, now = take(controller, now)
        tokens, filled = min(limit, tokens + (now - filled) * limit), now
        refused = tokens < 1.0
        tokens -= 0.0 if refused else 1.0
        accepted += not refused
        controller.feedback(permit, REFUSED if refused else ANSWERED, now)
    assert 0.8 * 60 * limit <= accepted <= 61 * limit


# The gate


def test_pauses_grow_up_to_a_cap() -> None:
    for outcome, cap in ((REFUSED, numbers.PAUSE_CAP), (DOWN, numbers._DOWN_CAP)):
        controller, now, pauses = a_controller(rate=100.0), 0.0, []
        for _ in range(20):
            permit, now = take(controller, now)
            pauses.append(controller.feedback(permit, outcome, now))
        assert all(later > pause - 1e-9 for pause, later in pairwise(pauses))
        assert pauses[-1] == pytest.approx(cap)


@pytest.mark.parametrize("outcome", [REFUSED, DOWN])
def test_an_outage_of_days_is_waited_out(outcome: Outcome) -> None:
    controller, now = a_controller(), 0.0
    for _ in range(3000):
        permit, now = take(controller, now)
        assert 0.0 < controller.feedback(permit, outcome, now) <= 60.0
    permit, now = take(controller, now)
    controller.feedback(permit, ANSWERED, now)
    take(controller, now)
    assert take(controller, now)[1] - now < 60.0


def test_jitter_spreads_the_probes_of_an_outage() -> None:
    pauses = []
    for chance in (0.0, 0.5, 1.0):
        controller = a_controller(chance=lambda chance=chance: chance)  # type: ignore[misc] # a loop's variable
        pauses.append(controller.feedback(controller.grant(0.0), DOWN, 0.0))
    assert pauses == pytest.approx([pauses[2] * 0.5, pauses[2] * 0.75, pauses[2]])


def test_retry_after_extends_a_pause_and_never_shortens_it() -> None:
    controller = a_controller()
    first, second, third = (controller.grant(0.0) for _ in range(3))
    assert controller.feedback(first, REFUSED, 0.0, 30.0) == 30.0
    assert controller.feedback(second, REFUSED, 0.0, 1.0) == 30.0
    assert controller.feedback(third, DOWN, 0.0, 40.0) == 40.0
    assert controller.ready_at(0.0, waiting=True) == 40.0


def test_retry_after_is_clamped() -> None:
    controller = a_controller()
    assert controller.feedback(controller.grant(0.0), REFUSED, 0.0, 1e12) == numbers.RETRY_AFTER_CAP


@pytest.mark.parametrize("outcome", [LOST, FAILED])
def test_faults_shut_the_gate_when_they_come_in_a_row(outcome: Outcome) -> None:
    controller = a_controller(rate=math.inf)
    pauses = [controller.feedback(controller.grant(0.0), outcome, 0.0) for _ in range(IN_A_ROW[outcome])]
    assert pauses[:-1] == [0.0] * (len(pauses) - 1)
    assert pauses[-1] > 0.0


@pytest.mark.parametrize("outcome", [LOST, FAILED])
def test_a_probe_that_meets_the_same_fault_shuts_the_gate_for_longer(outcome: Outcome) -> None:
    controller, now, pauses = a_controller(rate=math.inf), 0.0, []
    for _ in range(IN_A_ROW[outcome] + 2):
        permit, now = take(controller, now)
        pauses.append(controller.feedback(permit, outcome, now))
    assert pauses[-3:] == pytest.approx([0.5, 1.0, 2.0])
    probe, now = take(controller, now)
    assert probe.probe
    controller.feedback(probe, ANSWERED, now)
    assert not take(controller, now)[0].probe
    assert controller.feedback(controller.grant(now), outcome, now) == 0.0


@pytest.mark.parametrize(
    ("outcome", "between"),
    [(outcome, between) for outcome in (LOST, FAILED) for between in Outcome if between is not outcome],
)
def test_another_outcome_between_faults_starts_their_count_anew(outcome: Outcome, between: Outcome) -> None:
    controller = a_controller(rate=math.inf)
    for _ in range(IN_A_ROW[outcome] - 1):
        assert controller.feedback(controller.grant(0.0), outcome, 0.0) == 0.0
    controller.feedback(controller.grant(0.0), between, 0.0)
    until = controller._key.gate.until
    controller.feedback(controller.grant(0.0), outcome, 0.0)
    assert controller._key.gate.until == until


def test_a_500_of_a_probe_says_that_the_service_is_up() -> None:
    controller = a_controller(rate=math.inf)
    controller.feedback(controller.grant(0.0), DOWN, 0.0)
    probe, now = take(controller, 0.0)
    controller.feedback(probe, FAILED, now)
    assert not take(controller, now)[0].probe


def test_an_answer_of_the_present_opens_the_gate_and_one_of_the_past_does_not() -> None:
    controller = a_controller(rate=math.inf)
    old = controller.grant(0.0)
    now = 0.0
    for _ in range(2):
        permit, now = take(controller, now)
        controller.feedback(permit, DOWN, now)
    controller.feedback(old, ANSWERED, now)
    probe, now = take(controller, now)
    assert probe.probe
    assert controller.ready_at(now, waiting=True) == math.inf
    controller.feedback(probe, ANSWERED, now)
    assert not take(controller, now)[0].probe


# Permits and clocks


def test_a_permit_given_back_can_be_granted_again() -> None:
    controller = a_controller(rate=1.0)
    permit = controller.grant(0.0)
    assert controller.ready_at(0.0, waiting=True) > 0.0
    controller.give_back(permit)
    assert controller.ready_at(0.0, waiting=True) == 0.0


def test_t21_an_hour_asleep_is_one_burst() -> None:
    controller = a_controller(rate=5.0)
    now = served(controller, 0.0, 10.0) + 3600.0
    granted = 0
    while controller.ready_at(now, waiting=True) <= now:
        controller.grant(now)
        granted += 1
    assert granted == 5


def test_t21_an_hour_asleep_is_no_hour_of_growth() -> None:
    controller = a_controller()
    now = served(controller, 0.0, 1.0)
    before = controller.rate
    controller.ready_at(now + 3600.0, waiting=True)
    assert controller.rate < 10 * before


@pytest.mark.parametrize("back", [2.0, 3600.0])
def test_t21_a_clock_that_goes_back_stops_nobody(back: float) -> None:
    controller = a_controller(rate=5.0)
    now = served(controller, 10_000.0, 10.0) - back
    for _ in range(20):
        before = now
        _, now = take(controller, now)
        assert now - before <= 1.0


def test_a_client_that_is_never_refused_remembers_no_more_than_the_last_seconds() -> None:
    passed = RequestCounter()
    for second in range(10_000):
        passed.add(float(second), 1)
    assert len(passed._counts) <= 8
    assert passed.recent(9_999.0) == 2
