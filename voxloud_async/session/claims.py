"""Which things were the result of which call, as far as this client knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

MOST = 4096
"""Ids that are remembered: more creates than a client has answered while one of them still looks for its result."""


class Claims:
    """Ids that creates were answered with, the latest of them: none is the result of another call too."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._ids: dict[str, None] = {}
        self._awaited: Counter[Hashable] = Counter()

    def __contains__(self, identifier: str) -> bool:
        return identifier in self._ids

    @contextmanager
    def awaiting(self, alike: Hashable) -> Iterator[None]:
        """The answer to a create is on its way: what is found of those `alike` may be its result."""
        self._awaited[alike] += 1
        try:
            yield
        finally:
            self._awaited[alike] -= 1
            if not self._awaited[alike]:
                del self._awaited[alike]

    def awaits(self, alike: Hashable) -> bool:
        """Whether such an answer is on its way."""
        return alike in self._awaited

    def add(self, identifier: str) -> None:
        """This thing is the result of a call."""
        self._ids[identifier] = None
        if len(self._ids) > self._most:
            del self._ids[next(iter(self._ids))]
