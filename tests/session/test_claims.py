"""What creates were answered with: remembered, and forgotten in order."""

from __future__ import annotations

from voxloud_async.session.claims import MOST, Claims


def test_it_knows_what_it_was_told() -> None:
    claims = Claims()
    claims.add("7")
    assert "7" in claims
    assert "8" not in claims


def test_it_knows_which_answers_are_on_their_way() -> None:
    claims = Claims()
    with claims.awaiting("a"):
        with claims.awaiting("a"):
            assert (claims.awaits("a"), claims.awaits("b")) == (True, False)
        assert claims.awaits("a")
    assert not claims.awaits("a")


def test_it_forgets_the_oldest_first() -> None:
    claims = Claims()
    for number in range(MOST + 2):
        claims.add(str(number))
        claims.add(str(number))
    assert [str(number) in claims for number in (0, 1, 2, MOST + 1)] == [False, False, True, True]
