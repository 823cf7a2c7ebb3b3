"""Where to go on with a list, as a text to keep: opaque, printable, and good for the same filters alone."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from attrs import frozen

from .places import Window
from .plan import Plan
from .sealed import sealed, unsealed
from .seam import TICK, Key, Rank, Seam
from .tail import Tail
from .ticks import Ticks, moment, ticks


@frozen
class Cursor:
    """What a read knows between two pages. With a `position` it goes on from there, else from the window's edge."""

    window: Window
    direction: int
    edge: Rank | None
    ids: dict[Key, Rank | None]
    position: int | None

    @classmethod
    def at_edge(cls, edge: Rank, seam: Seam[Any], window: Window) -> Cursor:
        """Where a read stands that goes by moments; from its edge the rows of the last tick may come again."""
        return cls(window, seam.direction, edge, seam.since(edge - TICK), None)

    @classmethod
    def at_position(cls, tail: Tail, window: Window, direction: int) -> Cursor:
        """Where a read stands that goes by what pages have in common, as one does that has met no moment yet."""
        return cls(window, direction, None, dict.fromkeys(tail.anchors()), tail.position)

    @property
    def tail(self) -> Tail:
        """What the read it goes on from ended with."""
        return Tail(self.position or 0, list(self.ids))

    @classmethod
    def parse(cls, text: object, digest: str) -> Cursor:
        """Read a text; raises ValueError where it is not the cursor of a list with these filters."""
        payload = unsealed("cursor", text, digest)
        if payload is None:
            raise ValueError("cursor is not one of a list with these filters")
        direction, edge, ids, since, until, position = json.loads(payload)
        return cls(Window(_moment(since), _moment(until)), direction, edge, dict(ids), position)

    def text(self, digest: str) -> str:
        """It as a text."""
        window = [_ticks(self.window.since), _ticks(self.window.until)]
        ids = [[key, rank] for key, rank in self.ids.items() if isinstance(key, int | str)]
        state = [self.direction, self.edge, ids, *window, self.position]
        return sealed(json.dumps(state, separators=(",", ":")).encode(), digest)

    def restore(self, plan: Plan, seam: Seam[Any]) -> None:
        """Stand where it says."""
        plan.restart(self.position or 0, self.window)
        seam.direction = self.direction
        seam.edge = self.edge
        seam.floor = None if self.edge is None else self.edge - TICK
        seam.ids = dict(self.ids)
        seam.complete = not self.ids


def _ticks(at: datetime | None) -> Ticks | None:
    return None if at is None else ticks(at)


def _moment(at: Ticks | None) -> datetime | None:
    return None if at is None else moment(at)
