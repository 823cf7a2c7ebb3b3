"""The journal of a bulk run: an item is in it before it is sent, and its result once that is known.

NDJSON. The first line names the run; then `{"key", "ids"}` lists the objects of a key that exist before the creates of
that key on the lines below, `{"n", "item", "key"}` says that item `n` is about to be sent, `{"n", "item", "id"}` that
it is done, and `{"n"}` that nothing came of it. `item`, `key` and `loose` are digests.
"""

from __future__ import annotations

import secrets
from array import array
from collections.abc import Collection, Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from ...errors import InvalidArgumentError
from ...protocol import jsontext
from ..created import Lost, Traits
from .change import Change, Repeatable
from .log_file import LogFile, make_durable

_OPENING = b'{"voxloud_async":"journal"'
_VERSION = 2


@frozen
class Marks:
    """An item and the object that it concerns, as digests: they say what is equal, and nothing else."""

    item: str
    key: str
    loose: str | None = None
    """For a create: what the object says however a service may rewrite it."""


@frozen
class Begun:
    """An item that was about to be sent, and the ids of its key that existed before; nothing says whether it was."""

    marks: Marks
    before: Collection[str]


@define(eq=False)
class Journal:
    """Keeps in a file what a run does, and knows what the runs before it did.

    In memory it has the items that are begun and not done, the ids that existed before them, and sixteen bytes for each
    item that is done.
    """

    _file: LogFile
    _salt: bytes
    begun: dict[int, Begun] = field(factory=dict, init=False)
    newest: str | None = field(default=None, init=False)
    """The id of the last item that an earlier run did."""

    _places: array[int] = field(factory=lambda: array("q"), init=False)
    _keys: array[int] = field(factory=lambda: array("Q"), init=False)
    _existing: dict[str, Collection[str]] = field(factory=dict, init=False)
    _latest: dict[int, int] = field(factory=dict, init=False)

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

    def marks(self, change: Change) -> Marks:
        """Return the digests by which an item is recognised; raises ValueError for what JSON cannot write."""
        if isinstance(change, Repeatable):
            return Marks(self.digest(change.content), self.digest(change.key))
        traits = self.traits(change.traits)
        return Marks(traits.exact, self.digest(change.key), traits.loose)

    def traits(self, traits: Traits) -> Traits:
        """Return traits as digests."""
        return Traits(self.digest(traits.exact), self.digest(traits.loose))

    def digest(self, value: object) -> str:
        """Return the digest of a value, which only this journal's salt gives."""
        return blake2b(jsontext.dumps(value), key=self._salt, digest_size=16).hexdigest()

    def done_before(self, index: int, marks: Marks) -> str | None:
        """Return the id of an item's object if it is done; ValueError where another item was in its place."""
        entry: Mapping[str, Any] = {}
        if index < len(self._places) and self._places[index]:
            entry = self._at(self._places[index])
        elif index in self.begun:
            entry = {"item": self.begun[index].marks.item}
        if entry and entry["item"] != marks.item:
            raise InvalidArgumentError("journal", f"{self._file.path} is of other items: item {index} was another one")
        return entry.get("id")

    def is_superseded(self, index: int, marks: Marks) -> bool:
        """Return True if an earlier run sent a later item of the same key, which this one would overwrite."""
        return self._latest.get(_short(marks.key), -1) > index

    def all_lost(self) -> dict[str, dict[int, Lost]]:
        """Return the creates that are begun, by the digest of their key and their number."""
        lost: dict[str, dict[int, Lost]] = {}
        for index, begun in self.begun.items():
            lost.setdefault(begun.marks.key, {})[index] = self.lost(index)
        return lost

    def lost(self, index: int) -> Lost:
        """Return a create that is begun as one that may have happened."""
        begun = self.begun[index]
        traits = Traits(begun.marks.item, begun.marks.loose)
        return Lost(traits, owner=(self._salt, index), before=begun.before)

    def ids_of(self, key: str) -> set[str]:
        """Return the ids of all items of a key that are done."""
        ids, start = set(), 0
        try:
            while True:
                index = self._keys.index(_short(key), start)
                ids.add(self._at(self._places[index])["id"])
                start = index + 1
        except ValueError:
            return ids

    async def begin(self, index: int, marks: Marks, before: Collection[str]) -> None:
        """Record that an item is about to be sent; returns once the record would survive a power cut."""
        if {*before} != {*self._existing.get(marks.key, ())}:
            self._existing[marks.key] = frozenset(before)
            self._append({"key": marks.key, "ids": sorted(before)})
        self.begun[index] = Begun(marks, self._existing.get(marks.key, ()))
        loose = {} if marks.loose is None else {"loose": marks.loose}
        self._append({"n": index, "item": marks.item, "key": marks.key, **loose})
        await self._file.sync()

    def done(self, index: int, identifier: str) -> None:
        """Record that an item is done. Where a power cut takes that away, the next run looks for its object."""
        marks = self.begun[index].marks
        self._keep(index, self._append({"n": index, "item": marks.item, "id": identifier}))

    def void(self, index: int) -> None:
        """Record that nothing came of an item: the next run may send it, or another item in its place."""
        self._append({"n": index})
        del self.begun[index]

    async def aclose(self) -> None:
        """Sync and close the file."""
        await self._file.aclose()

    def _append(self, entry: Mapping[str, object]) -> int:
        return self._file.append(jsontext.dumps(entry) + b"\n")

    def _read(self) -> None:
        lines = enumerate(self._file, 1)
        next(lines)
        for number, (place, line) in lines:
            try:
                self._take(place, jsontext.loads(line))
            except (ValueError, KeyError, TypeError):
                raise InvalidArgumentError("journal", f"{self._file.path} is damaged in line {number}") from None
        if self.begun or 0 in self._places:
            self._latest = dict(self._sent())

    def _take(self, place: int, entry: Mapping[str, Any]) -> None:
        if "ids" in entry:
            self._existing[entry["key"]] = frozenset(entry["ids"])
        elif "key" in entry:
            marks = Marks(entry["item"], entry["key"], entry.get("loose"))
            self.begun[entry["n"]] = Begun(marks, self._existing.get(marks.key, ()))
        elif "id" in entry:
            self._keep(entry["n"], place)
            self.newest = entry["id"]
        else:
            self.begun.pop(entry["n"], None)

    def _keep(self, index: int, place: int) -> None:
        begun = self.begun.pop(index)
        missing = [0] * (index + 1 - len(self._places))
        self._places.extend(missing)
        self._keys.extend(missing)
        self._places[index], self._keys[index] = place, _short(begun.marks.key)

    def _sent(self) -> Iterator[tuple[int, int]]:
        """The keys of all items that are done or begun, and their numbers, in the order of the items."""
        begun = {index: _short(begun.marks.key) for index, begun in self.begun.items()}
        for index, (place, key) in enumerate(zip(self._places, self._keys, strict=True)):
            if place:
                yield key, index
            elif index in begun:
                yield begun.pop(index), index
        yield from ((key, index) for index, key in sorted(begun.items()))

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
        raise InvalidArgumentError("journal", f"{file.path} is no journal") from None
    if version != _VERSION:
        raise InvalidArgumentError("journal", f"{file.path} is of version {version}, which is not known")
    if header["purpose"] != purpose:
        raise InvalidArgumentError(
            "journal", f"{file.path} is of a run that was to {header['purpose']}, not to {purpose}"
        )
    file.mend()
    return salt


def _new(file: LogFile, purpose: str) -> bytes:
    torn = file.torn()
    if torn[: len(_OPENING)] != _OPENING[: len(torn)]:
        raise InvalidArgumentError("journal", f"{file.path} is no journal")
    file.mend()
    salt = secrets.token_bytes(16)
    facts = {"version": _VERSION, "purpose": purpose, "salt": salt.hex()}
    file.append(_OPENING + b"," + jsontext.dumps(facts).removeprefix(b"{") + b"\n")
    make_durable(file.path.parent)
    return salt
