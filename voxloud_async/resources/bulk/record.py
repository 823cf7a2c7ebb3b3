"""What a bulk run remembers of the items it sends: in a journal, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Any, Protocol

from attrs import frozen

from ...protocol import jsontext
from .change import Change


@frozen
class Marks:
    """An item and its key, as digests: they tell what is alike, and nothing else."""

    item: str
    key: str


@frozen
class Intent:
    """An item that was about to be sent, at a time of the service's clock; whether it was is not known."""

    marks: Marks
    at: float


@frozen
class Done:
    """An item that is done, and the id of its object."""

    id: str


def marks(change: Change[Any], salt: bytes) -> Marks:
    """The digests of a change; only with the salt can others be compared with them."""
    return Marks(_digest(change.content, salt), _digest(change.key, salt))


def _digest(value: object, salt: bytes) -> str:
    return blake2b(jsontext.dumps(value), key=salt, digest_size=16).hexdigest()


class Record(Protocol):
    """What is remembered of each item, by its number."""

    def marks(self, change: Change[Any]) -> Marks:
        """The digests by which it is told again."""
        ...

    def pending(self) -> Iterable[tuple[int, Intent]]:
        """By number all that may have been sent, by a run before this one."""
        ...

    def before(self, index: int, change: Change[Any]) -> Intent | Done | None:
        """What is known of an item; ValueError where another item stands in its place."""
        ...

    async def begin(self, index: int, change: Change[Any], time: Callable[[], float]) -> None:
        """Remember that it is about to be sent, at this time."""
        ...

    def done(self, index: int, identifier: str) -> None:
        """Remember that it is done."""
        ...

    def void(self, index: int) -> None:
        """Remember that it has not been carried out."""
        ...

    def claims(self) -> Iterable[str]:
        """The ids of an earlier run's objects that may be found for an item, and are another's."""
        ...

    async def aclose(self) -> None:
        """Let go."""
        ...


class NoRecord:
    """Remembers nothing."""

    def marks(self, change: Change[Any]) -> Marks:
        """The digests, without a salt: nobody else sees them."""
        return marks(change, b"")

    def pending(self) -> Iterable[tuple[int, Intent]]:
        """Nothing."""
        return ()

    def before(self, index: int, change: Change[Any]) -> None:
        """Nothing."""

    async def begin(self, index: int, change: Change[Any], time: Callable[[], float]) -> None:
        """Do nothing."""

    def done(self, index: int, identifier: str) -> None:
        """Do nothing."""

    def void(self, index: int) -> None:
        """Do nothing."""

    def claims(self) -> Iterable[str]:
        """Nothing."""
        return ()

    async def aclose(self) -> None:
        """Do nothing."""
