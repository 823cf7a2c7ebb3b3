"""Whose result an object is: the decision alone, without a service."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from attrs import frozen
from hypothesis import given, strategies as st

from voxloud_async.resources.created import Found, Lost, Traits, Verdict, assign


@frozen
class Thing:
    id: str


A, B, A2 = Traits("A", "a"), Traits("B", "b"), Traits("A2", "a")
"""`A` and `A2` are written differently, and say the same."""

NOTHING: Verdict[Any] = Verdict()


def found(identifier: str, traits: Traits, **facts: Any) -> Found[Thing]:
    return Found(thing=Thing(identifier), traits=traits, **{"is_recent": False} | facts)


def lost(traits: Traits, *before: str) -> Lost:
    """A create of which is known what existed before."""
    return Lost(traits, before=before)


def result(identifier: str) -> Verdict[Thing]:
    return Verdict(result=Thing(identifier))


def perhaps(*ids: str) -> Verdict[Thing]:
    return Verdict(candidates=ids)


@pytest.mark.parametrize(
    ("create", "things", "verdict"),
    [
        (lost(A), [], NOTHING),
        (lost(A), [found("1", A)], result("1")),
        (lost(A), [found("1", A2)], result("1")),  # the service wrote it its own way
        (lost(A, "1"), [found("1", A)], NOTHING),
        (lost(A, "1"), [found("1", A), found("2", A)], result("2")),
        (lost(A), [found("1", A), found("2", A)], perhaps("1", "2")),
        (lost(A), [found("1", A), found("2", A2)], perhaps("1", "2")),
        (lost(A), [found("1", B)], perhaps("1")),  # perhaps the service wrote it its own way
        (lost(A), [found("1", B), found("2", A)], result("2")),
        (lost(A), [found("1", A, is_awaited=True)], perhaps("1")),
        # Where it is not known what existed before, time may choose and never excludes.
        (Lost(A), [found("1", A, is_recent=True)], result("1")),
        (Lost(A), [found("1", A)], perhaps("1")),
        (Lost(A), [found("1", A), found("2", A, is_recent=True)], result("2")),
        (Lost(A), [found("1", B)], NOTHING),
        (Lost(A), [found("1", B, is_recent=True)], perhaps("1")),
    ],
)
def test_one_create(create: Lost, things: list[Found[Thing]], verdict: Verdict[Thing]) -> None:
    assert assign({0: create}, things) == {0: verdict}


@pytest.mark.parametrize(
    ("creates", "things", "verdicts"),
    [
        ([lost(A), lost(B)], [found("1", A)], [result("1"), NOTHING]),  # two people of one number
        ([lost(A), lost(B)], [found("1", A), found("2", B)], [result("1"), result("2")]),
        ([lost(A), lost(A)], [found("1", A)], [result("1"), NOTHING]),  # equal ones may change places
        ([lost(A), lost(A)], [found("1", A), found("2", A)], [result("1"), result("2")]),
        ([lost(A), lost(A)], [found("1", A), found("2", A), found("3", A)], [perhaps("1", "2", "3")] * 2),
        ([lost(A), lost(A2)], [found("1", A2)], [NOTHING, result("1")]),
        ([lost(A), lost(A2)], [found("1", A2), found("2", A2)], [result("2"), result("1")]),
        ([lost(A), lost(A2)], [found("1", A), found("2", A2)], [result("1"), result("2")]),
        # The second began when the first had been made: it cannot be that one.
        ([lost(A), lost(A, "1")], [found("1", A), found("2", A)], [result("1"), result("2")]),
        ([lost(A), lost(A, "1")], [found("2", A), found("1", A)], [result("1"), result("2")]),
        ([lost(A, "1"), lost(A)], [found("1", A)], [NOTHING, result("1")]),
        ([lost(A), lost(B)], [found("1", Traits("C", "c"))], [perhaps("1"), perhaps("1")]),
        ([lost(A), lost(B)], [found("1", A), found("2", A)], [perhaps("1", "2"), NOTHING]),
    ],
)
def test_several_creates(creates: list[Lost], things: list[Found[Thing]], verdicts: list[Verdict[Thing]]) -> None:
    assert assign(dict(enumerate(creates)), things) == dict(enumerate(verdicts))


TRAITS = st.sampled_from([A, A2, B, Traits("B2", "b"), Traits("C", "c")])
WORLDS = st.lists(st.tuples(TRAITS, st.booleans(), st.booleans()), max_size=6)
"""Items: what each says, whether it was made, and whether a new run began with it."""


@given(items=WORLDS, strangers=st.lists(TRAITS, max_size=2), rewrites=st.booleans(), order=st.randoms())
def test_taken_or_sent_again_each_item_comes_to_one_object(
    items: list[tuple[Traits, bool, bool]], strangers: list[Traits], order: Any, *, rewrites: bool
) -> None:
    """Where nothing is made elsewhere meanwhile, no verdict is in doubt, and following them makes each item once."""
    made = {f"old{number}": traits for number, traits in enumerate(strangers)}
    creates: dict[int, Lost] = {}
    before = (*made,)
    for number, (traits, happened, new_run) in enumerate(items):
        before = (*made,) if new_run else before
        creates[number] = lost(traits, *before)
        if happened:
            made[f"new{number}"] = Traits(traits.loose, traits.loose) if rewrites else traits
    owners: dict[str, int] = {}
    while creates:
        number = order.choice([*creates])
        things = [found(each, made[each]) for each in made if each not in owners]
        verdict = assign({number: creates[number], **creates}, things)[number]
        assert verdict.candidates == ()
        if verdict.result is None:
            made[f"again{number}"] = items[number][0]
            owners[f"again{number}"] = number
        else:
            owners[verdict.result.id] = number
        del creates[number]
    assert sorted(owners.values()) == list(range(len(items)))
    assert len(made) == len(strangers) + len(items)
    new = [traits for each, traits in made.items() if not each.startswith("old")]
    assert Counter(each.loose for each in new) == Counter(traits.loose for traits, _, _ in items)
    if not rewrites:
        assert Counter(each.exact for each in new) == Counter(traits.exact for traits, _, _ in items)
