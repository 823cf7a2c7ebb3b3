"""Updates and deletes in bulk, and creates whose answer is lost."""

from __future__ import annotations

from typing import Any

from voxloud_async import VoxloudClient
from voxloud_async.errors import (
    ArgumentTypeError,
    InvalidArgumentError,
    NotFoundError,
    OutcomeUnknownError,
    ResponseLostError,
)
from voxloud_async.resources.bulk.outcome import Summary
from voxloud_async.sandbox import Fault, Sandbox

from .samples import ADA, contacts


async def test_update_many(client: VoxloudClient, sandbox: Sandbox) -> None:
    made = await client.contacts.create_many(contacts(6)).collect()
    items: list[Any] = [(outcome.id, {**ADA, "last_name": str(outcome.index)}) for outcome in made]
    items += [("no-such-id", ADA), ("../x", ADA), (made[0].id, {}), "id", (made[0].id, ADA, 3)]
    outcomes = await client.contacts.update_many(items).collect()
    assert [outcome.id for outcome in outcomes] == [outcome.id for outcome in made] + [None] * 5
    errors = [type(outcome.error) for outcome in outcomes[6:]]
    assert errors == [NotFoundError, InvalidArgumentError, *[ArgumentTypeError] * 3]
    last_names = [sandbox.state.contacts[str(outcome.id)].last_name for outcome in made]
    assert last_names == ["0", "1", "2", "3", "4", "5"]
    assert sandbox.count("PUT") == 7


async def test_several_updates_of_one_contact_go_in_their_order(client: VoxloudClient, sandbox: Sandbox) -> None:
    made = await client.contacts.create(**ADA)
    sandbox.fail_next(Fault(delay=0.1, executed=True), match="PUT")
    items: list[Any] = [(made.id, {**ADA, "last_name": str(number)}) for number in range(5)]
    assert [outcome.index async for outcome in client.contacts.update_many(items)] == [0, 1, 2, 3, 4]
    assert sandbox.state.contacts[made.id].last_name == "4"


async def test_delete_many(client: VoxloudClient, sandbox: Sandbox) -> None:
    made = [str(outcome.id) for outcome in await client.contacts.create_many(contacts(6)).collect()]
    outcomes = await client.contacts.delete_many([*made[:4], "no-such-id"]).collect()
    assert [outcome.id for outcome in outcomes] == [*made[:4], None]
    assert isinstance(outcomes[4].error, NotFoundError)
    assert {*sandbox.state.contacts} == {*made[4:]}
    assert await client.contacts.delete_many(made, missing_ok=True).finish() == Summary(done=6, total=6)
    assert sandbox.state.contacts == {}


async def test_a_delete_whose_answer_is_lost_for_good_is_unknown(client: VoxloudClient, sandbox: Sandbox) -> None:
    sandbox.fail_next(Fault(cut="before_headers"), n=20)
    (outcome,) = await client.contacts.delete_many(["1"]).collect()
    assert isinstance(outcome.error, ResponseLostError)
    assert outcome.unknown


async def test_a_lost_create_that_is_not_found_is_unknown(client: VoxloudClient, sandbox: Sandbox) -> None:
    sandbox.fail_next(Fault(cut="inside_headers"), match="POST")
    (outcome,) = await client.contacts.create_many([ADA]).collect()
    assert isinstance(outcome.error, OutcomeUnknownError)
    assert (outcome.unknown, outcome.ok, outcome.error.candidates) == (True, False, ())
    assert await outcome.error.resolve() is None
    async with VoxloudClient(sandbox.api_key, base_url=sandbox.url, rate=None) as other:
        made = await other.contacts.create(**ADA)
    assert (await outcome.error.resolve()).id == made.id
    assert sandbox.count("POST") == 2
