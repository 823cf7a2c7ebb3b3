"""Which records incremental reads have returned, as a text to keep until the next one.

Records are kept in buckets of an hour. The text of a bucket is kept until the bucket changes, so that the text after a
page costs what the page changed, and not what is remembered in all.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import Enum, auto
from hashlib import blake2b
from itertools import accumulate, pairwise
from typing import Any, Self

from attrs import define, field

from ..errors import InvalidArgumentError
from ..models import TelephonyEvent
from ..paging.epoch import SECOND, Microseconds, to_epoch
from ..paging.source import Key, key_of
from ..paging.token import from_token, to_token
from ..protocol import arguments
from ..protocol.codec import unstructure

_HOUR: Microseconds = 3_600 * SECOND
_TIMELESS = 2**40  # the hour of records without a time, which are never forgotten
_DIGEST = 4  # bytes: one change in four thousand millions goes unnoticed
_NONE = bytes(_DIGEST)
_HEADER = struct.Struct(">IIB")  # bytes of the head and of the ids, and whether digests follow


class Seen(Enum):
    """What is known of a record."""

    NEW = auto()
    CHANGED = auto()
    SAME = auto()


@define
class _Bucket:
    """The records of an hour, each with the digest of its content."""

    records: dict[Key, bytes] = field(factory=dict)
    _text: bytes | None = None

    def put(self, key: Key, digest: bytes) -> None:
        self.records[key], self._text = digest, None

    def take(self, key: Key) -> None:
        del self.records[key]
        self._text = None

    def text(self, hour: int) -> bytes:
        if self._text is None:
            self._text = _written(hour, self.records)
        return self._text


@define
class SeenRecords:
    """All up to `mark` was read. What lies before `floor` counts as returned; from there on it is known by its key.

    With `digests` the content of each record is remembered as well, so that a change of it is noticed.
    """

    mark: Microseconds | None = None
    floor: Microseconds | None = None
    digests: bool = False
    _buckets: dict[int, _Bucket] = field(factory=dict, repr=False)

    @classmethod
    def initial(cls, state: object, since: datetime | None, filters: str, *, digests: bool) -> Self:
        """Return what a state says; without one, all from before `since` counts as returned.

        Raises:
            ValueError: `state` is damaged or of other filters, or `since` has no time zone.
            TypeError: one of them is of another type.
        """
        if since is not None:
            arguments.moment("since", since)
        if state is None:
            return cls(floor=None if since is None else to_epoch(since), digests=digests)
        payload = from_token("state", state, filters)
        if payload is None:
            reason = "is damaged, or not one of incremental reads of this number at this service"
            raise InvalidArgumentError("state", reason)
        (length,) = struct.unpack_from(">I", payload)
        mark, floor = json.loads(payload[4 : 4 + length])
        buckets = {hour: _Bucket(records) for hour, records in _read(payload[4 + length :])}
        return cls(mark, floor, digests, buckets)

    def text(self, filters: str) -> str:
        """Return it as a text."""
        head = json.dumps([self.mark, self.floor]).encode()
        buckets = b"".join(bucket.text(hour) for hour, bucket in sorted(self._buckets.items()) if bucket.records)
        return to_token(struct.pack(">I", len(head)) + head + buckets, filters)

    def add(self, row: TelephonyEvent) -> Seen:
        """Remember a record, and return whether it is new or has changed."""
        key, digest = key_of(row), _digest(row) if self.digests else _NONE
        hour = _TIMELESS if row.timestamp is None else to_epoch(row.timestamp) // _HOUR
        bucket = self._buckets.setdefault(hour, _Bucket())
        before = bucket.records.get(key)
        if before is None and (moved := self._bucket_of(key)) is not None:  # its time was changed
            before = moved.records[key]
            moved.take(key)
            bucket.put(key, before)
        if before != digest:
            bucket.put(key, digest)
        if before is None:
            return Seen.NEW
        return Seen.CHANGED if _NONE not in {before, digest} and before != digest else Seen.SAME

    def reach(self, mark: Microseconds, overlap: Microseconds) -> None:
        """Note that all up to `mark` is read, and that what lies further back than `overlap` will not be read again.

        Neither mark nor floor ever goes back: of what was forgotten, it is unknown whether it was returned.
        """
        self.mark = mark if self.mark is None else max(mark, self.mark)
        least = self.mark - overlap
        self.floor = least if self.floor is None else max(least, self.floor)
        for hour in [hour for hour in self._buckets if hour < self.floor // _HOUR]:
            del self._buckets[hour]

    def _bucket_of(self, key: Key) -> _Bucket | None:
        return next((bucket for bucket in self._buckets.values() if key in bucket.records), None)


def _digest(row: TelephonyEvent) -> bytes:
    text = json.dumps(unstructure(row), sort_keys=True)
    return blake2b(text.encode(errors="surrogatepass"), digest_size=_DIGEST).digest()


def _written(hour: int, records: dict[Key, bytes]) -> bytes:
    """An hour as bytes. Ids are sorted by type, and their differences written, which are small and much the same."""
    numbers: dict[str, list[int]] = {}
    others = []
    for key in records:
        kind, number = _split(key)
        if number is None:
            others.append(key)
        else:
            numbers.setdefault(kind, []).append(number)
    steps = {kind: _steps(sorted(found)) for kind, found in numbers.items()}
    text = json.dumps([steps, others], separators=(",", ":"))
    ids = zlib.compress(text.encode(), 1)  # level 6 takes six times as long
    digests = b"".join(records[key] for key in _keys(steps, others))
    has_digests = bool(digests.strip(b"\0"))
    head = json.dumps(hour).encode()
    return _HEADER.pack(len(head), len(ids), has_digests) + head + ids + (digests if has_digests else b"")


def _read(data: bytes) -> Iterator[tuple[int, dict[Key, bytes]]]:
    place = 0
    while place < len(data):
        head, length, has_digests = _HEADER.unpack_from(data, place)
        place += _HEADER.size
        hour = json.loads(data[place : place + head])
        keys = list(_keys(*json.loads(zlib.decompress(data[place + head : place + head + length]))))
        place += head + length
        size = _DIGEST if has_digests else 0
        yield hour, {key: data[place + size * n : place + size * (n + 1)] or _NONE for n, key in enumerate(keys)}
        place += size * len(keys)


def _keys(steps: dict[str, list[int]], others: list[Any]) -> Iterator[Key]:
    for kind, found in steps.items():
        yield from (f"{kind} {number}" if kind else number for number in accumulate(found))
    yield from others


def _split(key: Key) -> tuple[str, int | None]:
    """The type and the number of a key; None where its id is no number."""
    if isinstance(key, int):
        return "", key
    kind, _, digits = key.rpartition(" ")
    is_number = bool(kind) and digits.isascii() and digits.isdecimal() and str(int(digits)) == digits
    return kind, int(digits) if is_number else None


def _steps(values: Iterable[int]) -> list[int]:
    return [after - before for before, after in pairwise([0, *values])]
