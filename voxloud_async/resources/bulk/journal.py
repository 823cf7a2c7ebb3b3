"""The journal of a bulk run: what is about to be sent stands in it before it is sent, and what is done, after.

NDJSON. The first line says whose journal it is; then `{"n", "item", "key", "at"}` says that item `n` is about to be
sent, `{"n", "item", "id"}` that it is done, and `{"n"}` that nothing came of it. `item` and `key` are digests.
"""

from __future__ import annotations

import secrets
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import define, field

from ...protocol import jsontext
from .change import Change
from .log_file import LogFile, make_durable
from .record import Done, Intent, Marks, marks

_OPENING = b'{"voxloud_async":"journal"'
_VERSION = 1
_NEWEST = 4096  # more than are made in the seconds by which two clocks, or two times without fractions, may differ


@define(eq=False)
class Journal:
    """Remembers in a file what a run does, and what one before it did.

    In memory it has the items that were begun and not done, and sixteen bytes for each that an earlier run did.
    """

    _file: LogFile
    _salt: bytes
    _begun: dict[int, Intent] = field(factory=dict, init=False)
    _places: array[int] = field(factory=lambda: array("q"), init=False)
    _keys: array[int] = field(factory=lambda: array("Q"), init=False)
    _claims: set[str] = field(factory=set, init=False)

    @classmethod
    def open(cls, path: Path, purpose: str) -> Journal:
        """Open or begin a journal; ValueError where it is in use, of something else, or damaged. It blocks."""
        file = LogFile.open(path)
        try:
            journal = cls(file, _begin(file, purpose))
            journal._read()
        except BaseException:
            file.release()
            raise
        return journal

    def marks(self, change: Change[Any]) -> Marks:
        """The digests by which it is told again."""
        return marks(change, self._salt)

    def pending(self) -> Iterable[tuple[int, Intent]]:
        """All that was begun and is not done."""
        return [*self._begun.items()]

    def before(self, index: int, change: Change[Any]) -> Intent | Done | None:
        """What is known of an item; ValueError where another item stands in its place."""
        found: Intent | Done | None = self._begun.get(index)
        held = found.marks.item if isinstance(found, Intent) else None
        if index < len(self._places) and self._places[index]:
            entry = self._at(self._places[index])
            found, held = Done(entry["id"]), entry["item"]
        if held is not None and held != self.marks(change).item:
            raise ValueError(f"journal {self._file.path} is of other items: item {index} was another one")
        return found

    async def begin(self, index: int, change: Change[Any], time: Callable[[], float]) -> None:
        """Remember that it is about to be sent; returns once that would outlive a power cut."""
        intent = self._begun[index] = Intent(self.marks(change), time())
        self._append({"n": index, "item": intent.marks.item, "key": intent.marks.key, "at": intent.at})
        await self._file.sync()

    def done(self, index: int, identifier: str) -> None:
        """Remember that it is done. Where a power cut takes that away, the next run looks for its object."""
        self._append({"n": index, "item": self._begun[index].marks.item, "id": identifier})
        del self._begun[index]

    def void(self, index: int) -> None:
        """Remember that nothing came of it: the next run may send it, or another item in its place."""
        self._append({"n": index})
        del self._begun[index]

    def claims(self) -> Iterable[str]:
        """The ids of an earlier run's objects that may be found for an item, and are another's."""
        return self._claims

    async def aclose(self) -> None:
        """Sync and close the file."""
        await self._file.aclose()

    def _append(self, entry: Mapping[str, object]) -> None:
        self._file.append(jsontext.dumps(entry) + b"\n")

    def _read(self) -> None:
        newest = deque[str](maxlen=_NEWEST)
        lines = enumerate(self._file, 1)
        next(lines)
        for number, (place, line) in lines:
            try:
                self._take(place, jsontext.loads(line), newest)
            except (ValueError, KeyError, TypeError):
                raise ValueError(f"journal {self._file.path} is damaged in line {number}") from None
        self._claims = {*newest, *self._alike()}

    def _take(self, place: int, entry: Mapping[str, Any], newest: deque[str]) -> None:
        index = entry["n"]
        if "at" in entry:
            self._begun[index] = Intent(Marks(entry["item"], entry["key"]), float(entry["at"]))
        elif "id" in entry:
            newest.append(entry["id"])
            self._keep(index, place, self._begun.pop(index))
        else:
            self._begun.pop(index, None)

    def _keep(self, index: int, place: int, intent: Intent) -> None:
        missing = [0] * (index + 1 - len(self._places))
        self._places.extend(missing)
        self._keys.extend(missing)
        self._places[index], self._keys[index] = place, _short(intent.marks.key)

    def _alike(self) -> Iterator[str]:
        """The ids of items of the same keys as those pending."""
        keys = {_short(intent.marks.key) for intent in self._begun.values()}
        for place, key in zip(self._places, self._keys, strict=True):
            if place and key in keys:
                yield self._at(place)["id"]

    def _at(self, place: int) -> Mapping[str, Any]:
        entry: Mapping[str, Any] = jsontext.loads(self._file.at(place))
        return entry


def _short(key: str) -> int:
    return int(key[:16], 16)


def _begin(file: LogFile, purpose: str) -> bytes:
    """The salt of a journal, which is begun where there is none; ValueError where the file is something else."""
    first = next(iter(file), None)
    if first is None:
        return _new(file, purpose)
    try:
        header = jsontext.loads(first[1])
        version, salt = header["version"], bytes.fromhex(header["salt"])
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{file.path} is no journal") from None
    if version != _VERSION:
        raise ValueError(f"journal {file.path} is of version {version}, which is not known")
    if header["purpose"] != purpose:
        raise ValueError(f"journal {file.path} is of a run that was to {header['purpose']}, not to {purpose}")
    file.mend()
    return salt


def _new(file: LogFile, purpose: str) -> bytes:
    torn = file.torn()
    if torn[: len(_OPENING)] != _OPENING[: len(torn)]:
        raise ValueError(f"{file.path} is no journal")
    file.mend()
    salt = secrets.token_bytes(16)
    facts = {"version": _VERSION, "purpose": purpose, "salt": salt.hex()}
    file.append(_OPENING + b"," + jsontext.dumps(facts).removeprefix(b"{") + b"\n")
    make_durable(file.path.parent)
    return salt
