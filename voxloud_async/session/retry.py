"""Sends a call again where its operation allows it. Outside the limiter: every attempt pays."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field
from tenacity import AsyncRetrying, RetryCallState

from .._clock import Clock
from ..errors import DeadlineExceededError, NotFoundError, Phase, RequestNotSentError, TransportError, VoxloudError
from ..protocol.operations import Safety
from ..wire.message import Response
from .budget import RetryBudget
from .call import Call, Handler
from .events import Notify, RetryDenied, Retrying
from .policy import Met, Stop, decide, refused, verdict

_DELETED = Response(status=204)

_ITS_TURN = 1.0  # second that a call may wait for its turn once the gate is open


def retry(
    handler: Handler, *, clock: Clock, chance: Callable[[], float], notify: Notify, budget: RetryBudget
) -> Handler:
    """Repeat what may be repeated; where it may not, say what is unknown."""

    async def send(call: Call) -> Response:
        try:
            response = await handler(call)
        except VoxloudError as error:
            # tenacity costs a fifth of a call, so only a call that failed pays for it.
            response = await Repetition(handler, call, clock, chance, notify, budget).after(error)
        budget.earn()
        return response

    return send


@define
class Repetition:
    """The further attempts of a call that failed; `met` counts what it met over all of them."""

    handler: Handler
    call: Call
    clock: Clock
    chance: Callable[[], float]
    notify: Notify
    budget: RetryBudget
    met: Met = field(factory=Met)
    decision: float | Stop = Stop.FORBIDDEN

    async def after(self, failure: VoxloudError) -> Response:
        """The answer to a further attempt; raises what the caller is to see."""
        failed = [failure]

        async def attempt() -> Response:
            if failed:
                raise failed.pop()
            return await self.handler(self.call)

        retrying = AsyncRetrying(
            retry=self.goes_on, wait=self.wait, before_sleep=self.before_sleep, sleep=self.clock.sleep
        )
        try:
            return await retrying(attempt)
        except VoxloudError as error:
            return self.conclude(error)

    def goes_on(self, state: RetryCallState) -> bool:
        """Decide after an attempt; cancellation and mistakes of ours are none of its business."""
        error = state.outcome.exception() if state.outcome is not None else None
        if not isinstance(error, VoxloudError) or _turned_away(error):
            return False
        now = self.clock.now()
        self.met.add(error, now)
        self.call.latest = self.met.latest(self.call.operation.safety) + _ITS_TURN
        self.decision = decide(
            self.call.operation.safety,
            self.call.options.retry,
            error,
            self.met,
            attempts=self.call.attempts,
            now=now,
            remaining=self.call.remaining(now),
            chance=self.chance(),
        )
        return not isinstance(self.decision, Stop) and self.can_afford(error)

    def can_afford(self, error: VoxloudError) -> bool:
        """Whether the budget of all calls allows it."""
        if refused(error) or self.budget.spend():
            return True
        call = self.call
        self.notify(RetryDenied(str(call.operation), call.attempts, type(error).__name__, call=call.number))
        return False

    def wait(self, _: RetryCallState) -> float:
        """Seconds until the next attempt."""
        assert not isinstance(self.decision, Stop)  # noqa: S101 - it goes on
        return self.decision

    def before_sleep(self, state: RetryCallState) -> None:
        """Tell of it."""
        error, call = type(self.met.last).__name__, self.call
        self.notify(Retrying(str(call.operation), call.attempts, state.upcoming_sleep, error, call=call.number))

    def conclude(self, error: VoxloudError) -> Response:
        """Raise what the caller is to see."""
        call, last = self.call, self.met.last
        safety = call.operation.safety
        if _turned_away(error) and last is not None:
            if isinstance(error, DeadlineExceededError):
                raise call.beyond(last, error.phase, error.wait) from last
            error = last
        if self.met.ambiguous and safety is Safety.DELETE and isinstance(error, NotFoundError):
            return _DELETED  # by the attempt whose answer was lost
        if self.decision is Stop.LATE:
            raise call.beyond(error, self.phase(error), error.retry_after if refused(error) else None) from error
        outcome = verdict(safety, error)
        raise outcome from outcome.__cause__

    def phase(self, error: VoxloudError) -> Phase:
        """Where time ran out: in the exchange that just failed, or it would in the wait for the next."""
        if refused(error):
            return "limit"
        remaining = self.call.remaining(self.clock.now())
        spent = remaining is not None and remaining <= 0.0
        return error.phase if spent and isinstance(error, TransportError) else "backoff"


def _turned_away(error: VoxloudError) -> bool:
    """Whether a call gave up in the queue, where nothing more was learned: what it met before says why."""
    return isinstance(error, DeadlineExceededError) or (
        isinstance(error, RequestNotSentError) and error.phase == "limit"
    )
