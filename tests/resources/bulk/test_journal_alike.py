"""Contacts that look like the one a run may have created: none is taken that is another's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from voxloud_async import VoxloudClient
from voxloud_async.errors import AuthenticationError, OutcomeUnknownError, ResponseLostError
from voxloud_async.resources.bulk import journal as bulk_journal, settle
from voxloud_async.sandbox import Fault, Quirks, Sandbox
from voxloud_async.testing import FakeTransport, answer

from .journals import JOHN, LOST, UNSENT, elsewhere, interrupted
from .samples import contact

if TYPE_CHECKING:
    from pathlib import Path

    from tests.resources.conftest import Serve

pytestmark = pytest.mark.usefixtures("soon")


async def test_a_contact_without_a_time_may_be_it(journal: Path) -> None:
    held = {"id": "1", "first_name": "John", "primary_phone": JOHN["primary_phone"], "company_name": "John&Associates"}
    none, one = (answer({"data": data, "has_next": False}) for data in ([], [held]))
    transport = FakeTransport(none, ResponseLostError("reset"), one, none, one)
    async with VoxloudClient("key", base_url="https://voxloud.test", transport=transport, rate=None) as client:
        for _ in range(2):
            (outcome,) = await client.contacts.create_many([JOHN], journal=journal).collect()
            assert outcome.unknown
    assert [request.method for request in transport.requests] == ["GET", "POST", "GET", "GET", "GET"]


async def test_of_equal_items_an_older_one_takes_nothing_of_those_before_and_after_it(
    client: VoxloudClient, sandbox: Sandbox, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settle, "_REMEMBERED", 1)
    monkeypatch.setattr(bulk_journal, "_NEWEST", 1)
    for _ in range(2):
        sandbox.fail_next(UNSENT, match="POST")
    items: list[Any] = [JOHN, JOHN, *[JOHN, contact(1)] * 7]
    for count in (10, len(items)):
        await client.contacts.create_many(items[:count], journal=journal, concurrency=1).finish()
    outcomes = await client.contacts.create_many(items, journal=journal).collect()
    assert len({outcome.id for outcome in outcomes}) == len(outcomes) == len(sandbox.state.contacts)


async def test_what_this_run_made_before_it_is_not_taken_either(
    client: VoxloudClient, sandbox: Sandbox, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settle, "_REMEMBERED", 1)
    sandbox.fail_next(Fault(status=400), n=2, match="POST")
    sandbox.fail_next(UNSENT, match="POST")
    items = [JOHN, contact(1), JOHN]
    first = await client.contacts.create_many(items, journal=journal, concurrency=1).finish()
    assert (first.failed, first.unknown) == (2, 1)
    outcomes = await client.contacts.create_many(items, journal=journal, concurrency=1).collect()
    assert len({outcome.id for outcome in outcomes}) == len(sandbox.state.contacts) == 3


async def test_several_alike_are_never_guessed_at(client: VoxloudClient, sandbox: Sandbox, journal: Path) -> None:
    await interrupted(client, sandbox, [JOHN], journal)
    somebody_elses = await elsewhere(sandbox)
    (outcome,) = await client.contacts.create_many([JOHN], journal=journal).collect()
    assert isinstance(outcome.error, OutcomeUnknownError)
    assert {*outcome.error.candidates} == {*sandbox.state.contacts}
    assert sandbox.count("POST") == 2
    assert outcome.error.resolve is not None
    assert await outcome.error.resolve() is None
    await client.contacts.delete(somebody_elses.id)
    assert (await outcome.error.resolve()).id in sandbox.state.contacts
    assert (await client.contacts.create_many([JOHN], journal=journal).finish()).done == 1
    assert sandbox.count("POST") == 2


async def test_what_is_older_is_not_taken_for_it(client: VoxloudClient, sandbox: Sandbox, journal: Path) -> None:
    old = await elsewhere(sandbox)
    held = sandbox.state.contacts[old.id]
    sandbox.state.contacts[old.id] = evolve(held, created_at=held.created_at - 10_000)
    sandbox.fail_next(UNSENT, match="POST")
    await client.contacts.create_many([JOHN], journal=journal).finish()
    (outcome,) = await client.contacts.create_many([JOHN], journal=journal).collect()
    assert outcome.ok
    assert len(sandbox.state.contacts) == 2


async def test_equal_items_are_as_many_contacts(client: VoxloudClient, sandbox: Sandbox, journal: Path) -> None:
    items = [JOHN] * 6
    sandbox.fail_next(LOST, match="POST")  # the first is found
    sandbox.fail_next(UNSENT, match="POST")  # the second is not
    sandbox.fail_next(Fault(status=404), match="GET /api/v1/contacts")  # the time
    with pytest.raises(Exception, match="404"):
        await client.contacts.create_many(items, journal=journal).finish()
    first = await client.contacts.create_many(items, journal=journal).collect()
    assert [outcome.unknown for outcome in first] == [False, True, False, False, False, False]
    second = await client.contacts.create_many(items, journal=journal).collect()
    assert {outcome.id for outcome in second} == {*sandbox.state.contacts}
    assert len(sandbox.state.contacts) == 6
    assert sandbox.count("POST") == 7


async def test_of_equal_items_left_behind_each_finds_its_own(
    client: VoxloudClient, sandbox: Sandbox, journal: Path
) -> None:
    sandbox.fail_next(LOST, n=3, match="POST")
    sandbox.fail_next(Fault(delay=0.0), match="GET")
    sandbox.fail_next(Fault(status=404), n=3, match="GET")  # no look succeeds
    first = await client.contacts.create_many([JOHN] * 4, journal=journal, concurrency=1).collect()
    assert [outcome.unknown for outcome in first] == [True, True, True, False]
    second = await client.contacts.create_many([JOHN] * 4, journal=journal).collect()
    assert {outcome.id for outcome in second} == {*sandbox.state.contacts}
    assert sandbox.count("POST") == 4


async def test_alike_but_not_equal_items_are_never_guessed_at(
    client: VoxloudClient, sandbox: Sandbox, journal: Path
) -> None:
    items: list[Any] = [JOHN, {**JOHN, "company_name": "John & Associates"}]
    sandbox.fail_next(LOST, n=2, match="POST")
    sandbox.fail_next(Fault(delay=0.0), match="GET")
    sandbox.fail_next(Fault(status=404), n=2, match="GET")
    assert (await client.contacts.create_many(items, journal=journal).finish()).unknown == 2
    outcomes = await client.contacts.create_many(items, journal=journal).collect()
    assert all(outcome.unknown for outcome in outcomes)
    assert sandbox.count("POST") == 2


async def test_a_look_that_fails_leaves_it_unknown(client: VoxloudClient, sandbox: Sandbox, journal: Path) -> None:
    await interrupted(client, sandbox, [JOHN], journal)
    sandbox.fail_next(Fault(delay=0.0), match="GET")
    sandbox.fail_next(Fault(status=404), match="GET")
    (outcome,) = await client.contacts.create_many([JOHN], journal=journal).collect()
    assert outcome.unknown
    sandbox.fail_next(Fault(delay=0.0), match="GET")
    sandbox.fail_next(Fault(status=401), match="GET")
    with pytest.raises(AuthenticationError):
        await client.contacts.create_many([JOHN], journal=journal).finish()
    assert sandbox.count("POST") == 1


@pytest.mark.parametrize("phone", ["+39 031 2345678", "00390312345678"])
async def test_a_number_that_the_service_writes_its_own_way_is_not_sent_again(
    serve: Serve, journal: Path, phone: str
) -> None:
    served = await serve(Quirks(invalid_phone="normalised"), contacts=0, events=0)
    items: list[Any] = [{**JOHN, "primary_phone": phone}]
    await interrupted(served.client, served.sandbox, items, journal)
    (outcome,) = await served.client.contacts.create_many(items, journal=journal).collect()
    assert outcome.unknown
    assert len(served.sandbox.state.contacts) == 1


async def test_a_contact_of_its_number_that_differs_leaves_it_unknown(
    client: VoxloudClient, sandbox: Sandbox, journal: Path
) -> None:
    sandbox.fail_next(UNSENT, match="POST")
    await client.contacts.create_many([JOHN], journal=journal).finish()
    other = await elsewhere(sandbox, {**JOHN, "company_name": "Else"})
    await elsewhere(sandbox, {**JOHN, "primary_phone": "+390311111111", "phones": [JOHN["primary_phone"]]})
    (outcome,) = await client.contacts.create_many([JOHN], journal=journal).collect()
    assert isinstance(outcome.error, OutcomeUnknownError)
    assert outcome.error.candidates == (other.id,)
    assert sandbox.count("POST") == 3
