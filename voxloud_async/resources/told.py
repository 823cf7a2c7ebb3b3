"""What incremental reads have told so far, as a text to keep until the next one."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from datetime import datetime
from hashlib import blake2b
from itertools import accumulate, pairwise

from attrs import define, field

from ..models import TelephonyEvent
from ..paging.sealed import sealed, unsealed
from ..paging.ticks import Ticks, ticks
from ..protocol import arguments
from ..protocol.codec import unstructure
from .listings import digest

_MINUTE: Ticks = 60_000_000
_ALWAYS = 2**40  # a minute that never comes

Key = int | str


@define
class Told:
    """All up to `mark` was read. What lies before `floor` counts as told; from there on it is known by its key.

    A key is kept up to the minute, which is near enough to forget it by. Records without a time are never forgotten.
    """

    mark: Ticks | None = None
    floor: Ticks | None = None
    _minutes: dict[Key, int] = field(factory=dict, repr=False)

    @classmethod
    def of(cls, state: object, since: datetime | None, digest: str) -> Told:
        """What a state says; without one, all from before `since` counts as told. Raises ValueError or TypeError."""
        if since is not None:
            arguments.moment("since", since)
        if state is not None:
            return cls.parse(state, digest)
        return cls(floor=None if since is None else ticks(since))

    @classmethod
    def parse(cls, text: object, digest: str) -> Told:
        """Read a text; raises ValueError or TypeError where it is not one of reads with these filters."""
        payload = unsealed("state", text, digest)
        if payload is None:
            raise ValueError("state is damaged, or not one of incremental reads of this number at this service")
        mark, floor, numbers, minutes, others = json.loads(zlib.decompress(payload))
        known = zip(accumulate(numbers), accumulate(minutes), strict=True)
        return cls(mark, floor, {**dict(known), **others})

    def text(self, digest: str) -> str:
        """It as a text: ids rise, and times with them, so that their differences are small and much the same."""
        numbers = sorted(key for key in self._minutes if isinstance(key, int))
        minutes = _steps(self._minutes[key] for key in numbers)
        others = {key: minute for key, minute in self._minutes.items() if isinstance(key, str)}
        state = [self.mark, self.floor, _steps(numbers), minutes, others]
        packed = zlib.compress(json.dumps(state, separators=(",", ":")).encode(), 1)  # level 6 takes six times as long
        return sealed(packed, digest)

    def add(self, row: TelephonyEvent) -> bool:
        """Remember a row; whether it was not told before."""
        key, at = _key(row), row.timestamp
        is_new = key not in self._minutes
        self._minutes[key] = _ALWAYS if at is None else ticks(at) // _MINUTE  # its time may have changed
        return is_new

    def reach(self, mark: Ticks, overlap: Ticks) -> None:
        """All up to there is read, and what lies further back than the overlap will not be read again.

        Neither ever goes back: of what was forgotten, nobody could say whether it was told.
        """
        self.mark = mark if self.mark is None else max(mark, self.mark)
        least = self.mark - overlap
        self.floor = floor = least if self.floor is None else max(least, self.floor)
        self._minutes = {key: minute for key, minute in self._minutes.items() if minute >= floor // _MINUTE}


def told_digest(base_url: str, number: str | None) -> str:
    """A word for what a state is good for. A state of another form would have another word."""
    return digest("events told, form 1", [base_url, number])


def _key(row: TelephonyEvent) -> Key:
    if row.id is not None:
        return row.id
    whole = json.dumps(unstructure(row), sort_keys=True)
    return blake2b(whole.encode(errors="surrogatepass"), digest_size=12).hexdigest()


def _steps(values: Iterable[int]) -> list[int]:
    return [after - before for before, after in pairwise([0, *values])]
