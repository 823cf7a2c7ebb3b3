"""Carries changes out, and tells what became of those whose answer nobody heard."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final, TypeVar

from attrs import define, field

from ...errors import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    ClientClosedError,
    DeadlineExceededError,
    OutcomeUnknownError,
    RequestNotSentError,
    ServerError,
    UsageError,
    VoxloudError,
)
from ...session.caller import Caller
from .change import Change
from .record import Intent, Marks, Record

R = TypeVar("R")

FATAL = (AuthenticationError, ClientClosedError, UsageError)
"""What one item met, every other would meet."""

SETTLED: Final = 5.0
"""Seconds after the beginning of a run in which a request of a killed one takes effect, and can be found, or never."""

_REMEMBERED = 65_536  # ids; only those made in the seconds of one call can be mistaken for its result


@define(eq=False)
class Settlement:
    """Knows whose result an object is: no object becomes the result of two items."""

    _caller: Caller
    _record: Record
    _begun: float = field(init=False)
    _claims: dict[str, None] = field(factory=dict, init=False)
    _kept: set[str] = field(init=False)
    """Ids that are somebody's and may be found for an item in `_open`, however old that is."""

    _open: dict[str, dict[int, str]] = field(factory=dict, init=False)
    """By key and number the items of which it is not known whether they are done."""

    def __attrs_post_init__(self) -> None:
        self._begun, self._kept = self._caller.now(), {*self._record.claims()}
        for index, intent in self._record.pending():
            self._reopen(index, intent.marks)

    async def carry_out(self, index: int, change: Change[R], begun: Intent | None) -> R:
        """Send it, unless an earlier run has; raises the error of the call. Changes of one key must not overlap."""
        if begun is None or change.look is None:
            return await self._send(index, change, begun)
        found = await self._left_behind(change, begun)
        return await self._send(index, change, begun) if found is None else self._claim(index, change, found)

    async def _send(self, index: int, change: Change[R], begun: Intent | None) -> R:
        started = self._caller.now()
        if begun is None:
            await self._record.begin(index, change, self._caller.service_time)
        try:
            with self._caller.claims.awaiting(change.key):
                result = await change.send(begun is not None)
        except OutcomeUnknownError as error:
            return self._claim(index, change, await self._answer_lost(index, error, change, started))
        except VoxloudError as error:
            # Sent again, it was believed to have had no effect before; a refusal says so of this time.
            if _without_effect(error) and (begun is None or isinstance(error, BadRequestError)):
                self._record.void(index)
            raise
        return self._claim(index, change, result)

    def _claim(self, index: int, change: Change[R], result: R) -> R:
        if change.look is not None:
            self._remember(change.identify(result))
            if self._open:
                self._resolve(index, self._record.marks(change).key, change.identify(result))
        return result

    def _remember(self, identifier: str) -> None:
        self._caller.claims.add(identifier)  # other runs and calls of this client may look, too
        self._claims[identifier] = None
        if len(self._claims) > _REMEMBERED:
            del self._claims[next(iter(self._claims))]

    async def _left_behind(self, change: Change[R], begun: Intent) -> R | None:
        """What a run that was killed has made of it, or None where it has made nothing."""
        near = await self._unclaimed_since(change, begun.at)
        # Not since `begun.at`: it may have waited for the limit, and left in the last moment of that run.
        too_soon = self._begun + SETTLED - self._caller.now()
        if not near and too_soon > 0.0:
            await self._caller.sleep(too_soon)
            near = await self._unclaimed_since(change, begun.at)
        if not near and change.recognisable():
            return None
        found = _same(change, near)
        if not self._tells(change, found):
            error = OutcomeUnknownError()
            error.resolve = partial(self._only, change, partial(self._unclaimed, change, lambda: begun.at))
            error.candidates = tuple(map(change.identify, near))  # also what the service may have written its own way
            raise error
        return found[0]

    async def _unclaimed_since(self, change: Change[R], at: float) -> Sequence[R]:
        try:
            return await self._unclaimed(change, lambda: at)
        except FATAL:
            raise
        except VoxloudError as error:
            raise OutcomeUnknownError from error

    async def _answer_lost(self, index: int, error: OutcomeUnknownError, change: Change[R], started: float) -> R:
        """What was made, where it can be told; else the error with what is known."""

        def since() -> float:
            return self._caller.service_time() - (self._caller.now() - started)

        self._reopen(index, self._record.marks(change))
        error.resolve = partial(self._only, change, partial(self._nobodys, change, since))
        try:
            found = _same(change, await self._nobodys(change, since))
        except VoxloudError:
            raise error from error.__cause__
        if self._tells(change, found):
            return found[0]
        error.candidates = tuple(map(change.identify, found))
        raise error from error.__cause__

    async def _only(self, change: Change[R], look: Callable[[], Awaitable[Sequence[R]]]) -> R | None:
        found = _same(change, await look())
        return found[0] if self._tells(change, found) else None

    async def _unclaimed(self, change: Change[R], since: Callable[[], float]) -> Sequence[R]:
        assert change.look is not None  # noqa: S101 - what may be sent again is never looked for
        return [found for found in await change.look(since) if not self._claimed(change.identify(found))]

    async def _nobodys(self, change: Change[R], since: Callable[[], float]) -> Sequence[R]:
        """Without what other calls of this client were answered with; an earlier run of it may be what one goes on."""
        return [
            each for each in await self._unclaimed(change, since) if change.identify(each) not in self._caller.claims
        ]

    def _claimed(self, identifier: str) -> bool:
        return identifier in self._claims or identifier in self._kept

    def _tells(self, change: Change[Any], found: Sequence[object]) -> bool:
        """Whether the first found is its result: nobody else's, or that of one that says the very same."""
        if self._caller.claims.awaits(change.key):
            return False  # it may be that of a call outside this run
        alike = self._open.get(self._record.marks(change).key, {})
        return 0 < len(found) <= len(alike) and len(set(alike.values())) == 1

    def _reopen(self, index: int, marks: Marks) -> None:
        self._open.setdefault(marks.key, {})[index] = marks.item

    def _resolve(self, index: int, key: str, identifier: str) -> None:
        alike = self._open.get(key)
        if alike is None:
            return
        alike.pop(index, None)
        if alike:
            self._kept.add(identifier)
        else:
            del self._open[key]


def _same(change: Change[R], found: Sequence[R]) -> Sequence[R]:
    return [each for each in found if change.same(each)]


def _without_effect(error: VoxloudError) -> bool:
    """Whether a create that ended so has created nothing: it was not sent, or refused."""
    if isinstance(error, RequestNotSentError | DeadlineExceededError) or error.sent is False:
        return True
    return isinstance(error, ApiError) and not isinstance(error, ServerError)
