"""Contacts that look like the one a run may have created: none is taken that is another's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from voxloud_async import VoxloudClient
from voxloud_async.errors import AuthenticationError, OutcomeUnknownError, ResponseLostError
from voxloud_async.resources.bulk.outcome import Summary
from voxloud_async.sandbox import Fault, Quirks, Sandbox
from voxloud_async.testing import FakeTransport, answer

from .journals import JOHN, LOST, UNSENT, elsewhere, interrupted, many_elsewhere
from .samples import contact, names

if TYPE_CHECKING:
    from pathlib import Path

    from tests.resources.conftest import Serve

pytestmark = pytest.mark.usefixtures("soon")


HELD = {"id": "1", "first_name": "John", "primary_phone": JOHN["primary_phone"], "company_name": "John&Associates"}
NONE, ONE = (answer({"data": data, "has_next": False}) for data in ([], [HELD]))


async def test_a_contact_that_was_not_there_before_is_its_result_whatever_its_time(journal: Path) -> None:
    transport = FakeTransport(NONE, ResponseLostError("reset"), ONE)
    async with VoxloudClient("key", base_url="https://voxloud.test", transport=transport, rate=None) as client:
        (outcome,) = await client.contacts.create_many([JOHN], journal=journal).collect()
    assert (outcome.id, outcome.replayed) == ("1", False)
    assert [request.method for request in transport.requests] == ["GET", "POST", "GET"]


async def test_a_contact_that_was_there_before_is_not_its_result_whatever_its_time(journal: Path) -> None:
    transport = FakeTransport(ONE, ResponseLostError("reset"), ONE, ONE, answer({"id": "2"}))
    async with VoxloudClient("key", base_url="https://voxloud.test", transport=transport, rate=None) as client:
        (outcome,) = await client.contacts.create_many([JOHN], journal=journal).collect()
        assert isinstance(outcome.error, OutcomeUnknownError)
        assert outcome.error.candidates == ()
        (outcome,) = await client.contacts.create_many([JOHN], journal=journal).collect()
        assert outcome.id == "2"
    assert [request.method for request in transport.requests] == ["GET", "POST", "GET", "GET", "POST"]


@pytest.mark.usefixtures("forgetful")
async def test_of_equal_items_an_older_one_takes_nothing_of_those_before_and_after_it(
    client: VoxloudClient, sandbox: Sandbox, journal: Path
) -> None:
    for _ in range(2):
        sandbox.fail_next(UNSENT, match="POST")
    items: list[Any] = [JOHN, JOHN, *[JOHN, contact(1)] * 7]
    for count in (10, len(items)):
        await client.contacts.create_many(items[:count], journal=journal, concurrency=1).finish()
    outcomes = await client.contacts.create_many(items, journal=journal).collect()
    assert len({outcome.id for outcome in outcomes}) == len(outcomes) == len(sandbox.state.contacts)


@pytest.mark.usefixtures("forgetful")
async def test_what_this_run_made_before_it_is_not_taken_either(
    client: VoxloudClient, sandbox: Sandbox, journal: Path
) -> None:
    sandbox.fail_next(Fault(status=400), n=2, match="POST")
    sandbox.fail_next(UNSENT, match="POST")
    items = [JOHN, contact(1), JOHN]
    first = await client.contacts.create_many(items, journal=journal, concurrency=1).finish()
    assert (first.failed, first.unknown) == (2, 1)
    outcomes = await client.contacts.create_many(items, journal=journal, concurrency=1).collect()
    assert len({outcome.id for outcome in outcomes}) == len(sandbox.state.contacts) == 3


@pytest.mark.usefixtures("forgetful")
async def test_a_lost_create_takes_nothing_that_its_run_made_long_ago(
    client: VoxloudClient, sandbox: Sandbox, journal: Path
) -> None:
    for fault in (Fault(delay=0.0), Fault(delay=0.0), UNSENT):
        sandbox.fail_next(fault, match="POST")
    outcomes = await client.contacts.create_many([JOHN, contact(1), JOHN], journal=journal, concurrency=1).collect()
    assert [outcome.unknown for outcome in outcomes] == [False, False, True]
    assert isinstance(outcomes[2].error, OutcomeUnknownError)
    assert outcomes[2].error.candidates == ()
    assert await outcomes[2].error.resolve() is None
    assert len(sandbox.state.contacts) == 2


async def test_several_alike_are_never_guessed_at(client: VoxloudClient, sandbox: Sandbox, journal: Path) -> None:
    await interrupted(client, sandbox, [JOHN], journal)
    somebody_elses = await elsewhere(sandbox)
    (outcome,) = await client.contacts.create_many([JOHN], journal=journal).collect()
    assert isinstance(outcome.error, OutcomeUnknownError)
    assert {*outcome.error.candidates} == {*sandbox.state.contacts}
    assert sandbox.count("POST") == 2
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


@pytest.mark.parametrize("company_name", ["verbatim", "spaced"])
async def test_items_that_differ_in_spelling_each_find_a_contact(
    serve: Serve, journal: Path, company_name: Any
) -> None:
    served = await serve(Quirks(company_name=company_name), contacts=0, events=0)
    client, sandbox = served.client, served.sandbox
    items: list[Any] = [JOHN, {**JOHN, "company_name": "John & Associates"}]
    sandbox.fail_next(LOST, n=2, match="POST")
    sandbox.fail_next(Fault(delay=0.0), match="GET")
    sandbox.fail_next(Fault(status=404), n=2, match="GET")
    assert (await client.contacts.create_many(items, journal=journal).finish()).unknown == 2
    outcomes = await client.contacts.create_many(items, journal=journal).collect()
    assert {outcome.id for outcome in outcomes} == {*sandbox.state.contacts}
    assert sandbox.count("POST") == 2
    if company_name == "verbatim":
        assert [outcome.result.company_name for outcome in outcomes if outcome.result] == [
            item["company_name"] for item in items
        ]


@pytest.mark.parametrize("made", [0, 1])
async def test_of_two_people_with_one_number_the_one_that_was_not_made_is_sent(
    client: VoxloudClient, sandbox: Sandbox, journal: Path, made: int
) -> None:
    items: list[Any] = [JOHN, {**JOHN, "first_name": "Jane"}]
    for number in range(2):
        sandbox.fail_next(LOST if number == made else UNSENT, match="POST")
    sandbox.fail_next(Fault(delay=0.0), match="GET")
    sandbox.fail_next(Fault(status=404), n=2, match="GET")
    assert (await client.contacts.create_many(items, journal=journal).finish()).unknown == 2
    assert await client.contacts.create_many(items, journal=journal).finish() == Summary(done=2, total=2)
    assert {*names(sandbox).items()} == {("John", 1), ("Jane", 1)}
    assert sandbox.count("POST") == 3


async def test_a_look_that_fails_leaves_it_unknown(client: VoxloudClient, sandbox: Sandbox, journal: Path) -> None:
    await interrupted(client, sandbox, [JOHN], journal)
    await many_elsewhere(sandbox)  # more than a run of one item reads: it searches
    for fault in (Fault(delay=0.0), Fault(delay=0.0), Fault(status=404)):
        sandbox.fail_next(fault, match="GET")
    (outcome,) = await client.contacts.create_many([JOHN], journal=journal).collect()
    assert outcome.unknown
    for fault in (Fault(delay=0.0), Fault(delay=0.0), Fault(status=401)):
        sandbox.fail_next(fault, match="GET")
    with pytest.raises(AuthenticationError):
        await client.contacts.create_many([JOHN], journal=journal).finish()
    (outcome,) = await client.contacts.create_many([JOHN], journal=journal).collect()
    assert outcome.ok
    assert names(sandbox)["John"] == 1


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize("search", ["partial", "e164_only"])
@pytest.mark.parametrize("phone", ["+39 031 2345678", "00390312345678"])
async def test_a_number_that_the_service_writes_its_own_way_is_found(
    serve: Serve, journal: Path, phone: str, search: Any, *, many: bool
) -> None:
    served = await serve(Quirks(invalid_phone="normalised", phone_search=search), contacts=0, events=0)
    if many:
        await many_elsewhere(served.sandbox)
    items: list[Any] = [{**JOHN, "primary_phone": phone}]
    await interrupted(served.client, served.sandbox, items, journal)
    (outcome,) = await served.client.contacts.create_many(items, journal=journal).collect()
    assert outcome.ok
    assert names(served.sandbox)["John"] == 1


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
