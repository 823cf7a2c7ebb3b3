"""Which things were the result of which call, as far as this client knows."""

from __future__ import annotations

MOST = 4096
"""Ids that are remembered: more creates than a client has answered while one of them still looks for its result."""


class Claims:
    """Ids that creates were answered with, the latest of them: none is the result of another call too."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._ids: dict[str, None] = {}

    def __contains__(self, identifier: str) -> bool:
        return identifier in self._ids

    def add(self, identifier: str) -> None:
        """This thing is the result of a call."""
        self._ids[identifier] = None
        if len(self._ids) > self._most:
            del self._ids[next(iter(self._ids))]
