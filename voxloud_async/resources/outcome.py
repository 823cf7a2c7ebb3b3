"""After a lost answer: look whether the thing exists before telling the caller that nobody knows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, Protocol, TypeVar

from attrs import define

from ..errors import OutcomeUnknownError, VoxloudError
from ..session.claims import Claims


class _Identified(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=_Identified)

Look = Callable[[], Awaitable[Sequence[T]]]
"""Looks for what a create may have made."""


async def settled(
    create: Awaitable[T],
    look: Look[T],
    look_again: Look[T],
    claims: Claims,
    *,
    alike: Hashable,
    sure: Callable[[T], bool] = lambda _: True,
) -> T:
    """What was created, or what is found in its stead; raises OutcomeUnknownError where neither is sure.

    Finding nothing proves nothing, since the service may list a thing later than it makes it; nor does a thing that
    another call of this client made, which `claims` knows, or may have made, as one `alike` that still waits for its
    answer, or that is not `sure` to be what was asked for. `look` has the rest of the call's time, `look_again` time of
    its own.
    """
    try:
        with claims.awaiting(alike):
            made = await create
    except OutcomeUnknownError as error:
        search = _Search(claims, alike, sure)
        error.resolve = lambda: search.only(look_again)
        try:
            found = await search.only(look)
        except VoxloudError:
            raise error from error.__cause__
        if found is None:
            error.candidates = search.candidates
            raise
        return found
    claims.add(made.id)
    return made


@define
class _Search(Generic[T]):
    """The looks of one call, which may find its own result again."""

    claims: Claims
    alike: Hashable
    sure: Callable[[T], bool]
    own: str | None = None
    candidates: tuple[str, ...] = ()

    async def only(self, look: Look[T]) -> T | None:
        found = [each for each in await look() if each.id == self.own or each.id not in self.claims]
        self.candidates = tuple(each.id for each in found)
        certain = [each for each in found if self.sure(each)]
        if len(certain) != 1 or (certain[0].id != self.own and self.claims.awaits(self.alike)):
            return None
        self.own = certain[0].id
        self.claims.add(self.own)
        return certain[0]
