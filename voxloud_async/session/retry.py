"""Sends a call again where its operation allows it. Outside the limiter: every attempt pays."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception

from ..errors import (
    DeadlineExceededError,
    NotFoundError,
    Phase,
    RequestNotSentError,
    ResponseLostError,
    ServerError,
    TransportError,
    VoxloudError,
)
from ..protocol.operations import Safety
from ..wire.message import Response
from .call import Call, Handler
from .clock import Clock
from .events import Notify, Retrying
from .policy import may_repeat, refused, verdict

_DELETED = Response(status=204)


def retry(handler: Handler, *, clock: Clock, chance: Callable[[], float], notify: Notify) -> Handler:
    """Repeat what may be repeated; where it may not, say what is unknown."""

    async def send(call: Call) -> Response:
        try:
            return await handler(call)
        except VoxloudError as error:
            # tenacity costs a fifth of a call, so only a call that failed pays for it.
            return await _Repetition(handler, call, clock, chance, notify, error).run()

    return send


@define
class _Repetition:
    """The further attempts of a call whose first one failed."""

    handler: Handler
    call: Call
    clock: Clock
    chance: Callable[[], float]
    notify: Notify
    failed: VoxloudError | None
    faults: int = 0
    refused_since: float | None = None
    ambiguous: bool = False
    late: bool = False
    last: VoxloudError | None = None

    async def run(self) -> Response:
        retrying = AsyncRetrying(
            retry=retry_if_exception(self.may_repeat),
            wait=self.wait,
            stop=self.stop,
            before_sleep=self.before_sleep,
            sleep=self.clock.sleep,
            reraise=True,
        )
        try:
            return await retrying(self.attempt)
        except VoxloudError as error:
            return self.conclude(error)

    async def attempt(self) -> Response:
        """The attempt that failed already, then real ones."""
        error, self.failed = self.failed, None
        if error is not None:
            self.count(error)
            raise error
        was_ambiguous = self.ambiguous
        try:
            return await self.handler(self.call)
        except NotFoundError:
            if was_ambiguous and self.call.operation.safety is Safety.DELETE:
                return _DELETED  # by the attempt whose answer was lost
            raise
        except DeadlineExceededError as waited:
            raise self.call.beyond(self.last, waited.phase, waited.wait) from self.last
        except VoxloudError as failure:
            if not _kept_waiting(failure):
                self.count(failure)
            raise

    def count(self, error: VoxloudError) -> None:
        self.last = error
        if refused(error):
            self.refused_since = self.clock.now() if self.refused_since is None else self.refused_since
        else:
            self.faults += 1
        self.ambiguous = self.ambiguous or isinstance(error, ResponseLostError | ServerError)

    def may_repeat(self, error: BaseException) -> bool:
        return isinstance(error, VoxloudError) and may_repeat(self.call.operation.safety, error)

    def wait(self, state: RetryCallState) -> float:
        """A refused call waits at the shared gate instead, in front of those that were never sent."""
        policy = self.call.options.retry
        return 0.0 if refused(_error(state)) else policy.backoff(self.faults, self.chance())

    def stop(self, state: RetryCallState) -> bool:
        now = self.clock.now()
        remaining = self.call.remaining(now)
        spent = self.spent(_error(state), now)
        needed = 0.0 if spent else state.upcoming_sleep
        self.late = remaining is not None and needed >= remaining
        return spent or self.late

    def spent(self, error: VoxloudError, now: float) -> bool:
        """Whether the policy allows no further attempt."""
        policy = self.call.options.retry
        if policy.max_attempts is not None:
            return self.call.attempts >= policy.max_attempts
        return self.faults >= policy.max_faults or self.out_of_patience(error, now)

    def out_of_patience(self, error: VoxloudError, now: float) -> bool:
        if self.refused_since is None or self.call.options.max_wait is not None:
            return False
        return now + (error.retry_after or 0.0) - self.refused_since > self.call.options.retry.patience

    def before_sleep(self, state: RetryCallState) -> None:
        error = type(_error(state)).__name__
        call = self.call
        self.notify(Retrying(str(call.operation), call.attempts, state.upcoming_sleep, error, call=call.number))

    def conclude(self, error: VoxloudError) -> Response:
        """Raise what the caller is to see."""
        safety = self.call.operation.safety
        if _kept_waiting(error):
            error = self.last or error
        if self.late and may_repeat(safety, error):
            raise self.call.beyond(error, self.phase(error)) from error
        outcome = verdict(safety, error)
        raise outcome from outcome.__cause__

    def phase(self, error: VoxloudError) -> Phase:
        """Where time ran out: in the exchange that just failed, or it would in the wait for the next."""
        remaining = self.call.remaining(self.clock.now())
        spent = remaining is not None and remaining <= 0.0
        return error.phase if spent and isinstance(error, TransportError) else "backoff"


def _kept_waiting(error: VoxloudError) -> bool:
    """Whether a call gave up in the queue, where nothing more was learned: what it met before says why."""
    return isinstance(error, RequestNotSentError) and error.phase == "limit"


def _error(state: RetryCallState) -> VoxloudError:
    error = state.outcome.exception() if state.outcome is not None else None
    assert isinstance(error, VoxloudError)  # noqa: S101 - `may_repeat` let nothing else through
    return error
