"""Was it created? Which of the objects found are the results of creates whose responses were lost.

The decision is pure: the lost creates of one key and the objects of that key in, a verdict for each create out. It is
the same for single creates and for bulk runs. Time can make an object the likely result; it never proves that an object
with the same content is not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from attrs import Factory, field, frozen

from .._tracebacks import without_frames
from ..errors import OutcomeUnknownError, VoxloudError
from ..session.caller import Caller
from ..session.created_ids import CreatedIds


class _Identified(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=_Identified)
K = TypeVar("K", bound=Hashable)


@frozen
class Traits:
    """What an object says, to compare: `exact` as it is written, `loose` as a service may rewrite it."""

    exact: Any
    loose: Any


@frozen
class Lost:
    """A create that may have happened. `before` holds the ids of its key that existed before it, where that is known.

    `owner` stands for it in the registry of created ids.
    """

    traits: Traits
    owner: object = field(factory=object)
    before: Collection[str] | None = None


@frozen(kw_only=True)
class Found(Generic[T]):
    """An object that is not known to be the result of any create.

    `is_recent` says that its own time lies within the call, `is_awaited` that it may be the result of a create that
    still waits for its response.
    """

    thing: T
    traits: Traits
    is_recent: bool
    is_awaited: bool = False


@frozen(kw_only=True)
class Verdict(Generic[T]):
    """`result` is what the create made; else it may be one of `candidates`; without either, it made nothing found."""

    result: T | None = None
    candidates: tuple[str, ...] = ()


def assign(creates: Mapping[K, Lost], found: Sequence[Found[T]]) -> dict[K, Verdict[T]]:
    """Decide for each lost create of one key which object is its result.

    An object that existed before a create is not its result. Of the others it may be one that says the same, and first
    of all one that is written the same way; creates that say the same may change places. Where there are more such
    objects than creates, one of them comes from elsewhere, and all are candidates. So are objects that say the same and
    have an older time or none, and new ones that say something else, which the service may have written its own way.
    """
    fits = {key: [each for each in found if _fits(lost, each)] for key, lost in creates.items()}
    free = {each.thing.id: each for each in found}
    assigned: dict[K, Found[T]] = {}
    hardest_first = sorted(creates, key=lambda key: len(fits[key]))
    for suits in (_is_written_alike, _fits):
        for key in hardest_first:
            if key not in assigned:
                left = (each.thing.id for each in fits[key] if each.thing.id in free and suits(creates[key], each))
                identifier = next(left, None)
                if identifier is not None:
                    assigned[key] = free.pop(identifier)
    fitting = {each.thing.id for every in fits.values() for each in every}
    surplus = [each.traits.loose for each in free.values() if each.thing.id in fitting]
    strangers = [each for each in free.values() if each.thing.id not in fitting]
    return {
        key: _verdict(lost, fits[key], assigned.get(key), strangers, doubtful=lost.traits.loose in surplus)
        for key, lost in creates.items()
    }


def _verdict(
    lost: Lost, fits: Sequence[Found[T]], own: Found[T] | None, strangers: Sequence[Found[T]], *, doubtful: bool
) -> Verdict[T]:
    if fits and (doubtful or (own is not None and own.is_awaited)):
        return Verdict(candidates=_ids(fits))
    if own is not None:
        return Verdict(result=own.thing)
    return Verdict(candidates=_ids(each for each in strangers if _may_be(lost, each)))


def _ids(found: Iterable[Found[T]]) -> tuple[str, ...]:
    return tuple(each.thing.id for each in found)


def _fits(lost: Lost, found: Found[Any]) -> bool:
    """Return True if an object is new and says the same."""
    return _is_new(lost, found) and found.traits.loose == lost.traits.loose


def _may_be(lost: Lost, found: Found[Any]) -> bool:
    """Return True if an object is new, or says the same and may be new."""
    return _is_new(lost, found) or (lost.before is None and found.traits.loose == lost.traits.loose)


def _is_new(lost: Lost, found: Found[Any]) -> bool:
    return found.is_recent if lost.before is None else found.thing.id not in lost.before


def _is_written_alike(lost: Lost, found: Found[Any]) -> bool:
    return bool(found.traits.exact == lost.traits.exact)


class Creation(Protocol[T]):
    """One create: how it is sent, and how its result is looked for and recognised."""

    @property
    def key(self) -> str:
        """Only creates of one key can be mistaken for one another."""
        ...

    @property
    def traits(self) -> Traits:
        """What the new object is to say."""
        ...

    async def send(self) -> T:
        """Send it once."""
        ...

    async def look(self, started: float | None) -> Iterable[T]:
        """Return all objects of the key; the requests count `max_wait` from `started`, or each from its beginning."""
        ...

    def traits_of(self, thing: T) -> Traits:
        """Return what an object says."""
        ...

    def is_recent(self, thing: T, started: float, ended: float) -> bool:
        """Return True if by its own time, or without one, it was made in a call of these times (see `Caller.now`)."""
        ...


@frozen(kw_only=True)
class Context:
    """What is known beside a create: the other creates of its key that may have happened, and whose ids are whose.

    `taken` returns further ids that are results of others. `mark` turns traits into the form that `lost` has them in.
    """

    ids: CreatedIds
    lost: Lost
    rivals: Callable[[], Mapping[Any, Lost]] = dict
    taken: Callable[[], Collection[str]] = tuple
    mark: Callable[[Traits], Traits] = lambda traits: traits


async def create(creation: Creation[T], caller: Caller, context: Context | None = None) -> T:
    """Send a create and return its result; where its response is lost, the object that is surely its result.

    Raises OutcomeUnknownError where none is. Finding nothing proves nothing, since a service may list an object later
    than it makes it.
    """
    started = caller.now()
    context = context or Context(ids=caller.created_ids, lost=Lost(creation.traits))
    try:
        with context.ids.waiting(creation.key, creation.traits.loose):
            made = await creation.send()
    except OutcomeUnknownError as error:
        search = Search(creation, context, started, caller.now())
        error.resolve_with(search.look)
        try:
            found, error.candidates = await search.look(started)
        except VoxloudError:
            raise error from error.__cause__
        if found is None:
            raise
        return found
    context.ids.add(made.id, context.lost.owner)
    return made


@frozen(eq=False)
class Search(Generic[T]):
    """The search for the result of a lost create, whose call began at `started` and ended at `ended`."""

    _creation: Creation[T]
    context: Context
    _started: float
    _ended: float
    _taken: Collection[str] = field(default=Factory(lambda it: it.context.taken(), takes_self=True), init=False)

    @without_frames
    async def look(self, max_wait_from: float | None = None) -> tuple[T | None, tuple[str, ...]]:
        """Look for the result; returns it, if one object surely is it, and the ids of those that may be."""
        return self.decide(await self._creation.look(max_wait_from))

    def decide(self, things: Iterable[T]) -> tuple[T | None, tuple[str, ...]]:
        """Do the same with these objects of its key."""
        context, found = self.context, []
        for thing in things:
            owner = context.ids.owner(thing.id)
            if owner == context.lost.owner:
                return thing, ()
            if owner is None and thing.id not in self._taken:
                found.append(self._found(thing))
        verdict = assign({self: context.lost, **context.rivals()}, found)[self]
        if verdict.result is not None:
            context.ids.add(verdict.result.id, context.lost.owner)
        return verdict.result, verdict.candidates

    def _found(self, thing: T) -> Found[T]:
        traits, ids = self._creation.traits_of(thing), self.context.ids
        return Found(
            thing=thing,
            traits=self.context.mark(traits),
            is_recent=self._creation.is_recent(thing, self._started, self._ended),
            is_awaited=ids.is_awaited(self._creation.key, traits.loose),
        )
