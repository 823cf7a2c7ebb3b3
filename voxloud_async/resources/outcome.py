"""After a lost answer: look whether the thing exists before telling the caller that nobody knows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from ..errors import OutcomeUnknownError, VoxloudError


class _Identified(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=_Identified)

Look = Callable[[], Awaitable[Sequence[T]]]
"""Looks for what a create may have made."""


async def settled(create: Awaitable[T], look: Look[T], look_again: Look[T]) -> T:
    """What was created, or what is found in its stead; raises OutcomeUnknownError where neither is sure.

    Finding nothing proves nothing, since the service may list a thing later than it makes it. `look` has the rest of
    the call's time, `look_again` time of its own.
    """
    try:
        return await create
    except OutcomeUnknownError as error:
        error.resolve = lambda: _only(look_again)
        try:
            found = await look()
        except VoxloudError:
            raise error from error.__cause__
        if len(found) == 1:
            return found[0]
        error.candidates = tuple(each.id for each in found)
        raise


async def _only(look: Look[T]) -> T | None:
    found = await look()
    return found[0] if len(found) == 1 else None
