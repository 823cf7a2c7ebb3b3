"""The registry of created ids: owners are remembered, and forgotten in order; waiting creates are counted."""

from __future__ import annotations

from voxloud_async.session.created_ids import MOST, CreatedIds


def test_it_knows_the_owner_of_an_id() -> None:
    ids = CreatedIds()
    owner = object()
    ids.add("7", owner)
    assert ids.owner("7") is owner
    assert ids.owner("8") is None


def test_it_knows_which_creates_wait_for_a_response() -> None:
    ids = CreatedIds()
    with ids.waiting("key", "a"):
        with ids.waiting("key", "a"):
            assert [ids.is_awaited("key", content) for content in "ab"] == [True, False]
            assert not ids.is_awaited("other", "a")
        assert ids.is_awaited("key", "a")
    assert not ids.is_awaited("key", "a")


def test_it_forgets_the_oldest_first() -> None:
    ids = CreatedIds()
    for number in range(MOST + 2):
        ids.add(str(number), ids)
        ids.add(str(number), ids)
    assert [ids.owner(str(number)) is ids for number in (0, 1, 2, MOST + 1)] == [False, False, True, True]
