"""The registry of created ids: whose result each object is, as far as this client knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

MOST = 16_384
"""Ids that are remembered: more than a client creates while one create waits for its response and looks for it."""


class CreatedIds:
    """The ids of the newest results, each with its owner, and the creates that still wait for their response.

    An owner is any object that stands for one create; no object is the result of two.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._owners: dict[str, object] = {}
        self._waiting: Counter[tuple[Hashable, Hashable]] = Counter()

    def add(self, identifier: str, owner: object) -> None:
        """Record that an object is the result of this create."""
        self._owners[identifier] = owner
        if len(self._owners) > self._most:
            del self._owners[next(iter(self._owners))]

    def owner(self, identifier: str) -> object | None:
        """Return the create whose result an object is, or None where that is not known."""
        return self._owners.get(identifier)

    @contextmanager
    def waiting(self, key: Hashable, content: Hashable) -> Iterator[None]:
        """Mark a create of this key and content as sent, as long as its response may still arrive."""
        waiting = key, content
        self._waiting[waiting] += 1
        try:
            yield
        finally:
            self._waiting[waiting] -= 1
            if not self._waiting[waiting]:
                del self._waiting[waiting]

    def is_awaited(self, key: Hashable, content: Hashable) -> bool:
        """Return True while such a create waits for its response: what is found may be its result."""
        return (key, content) in self._waiting
