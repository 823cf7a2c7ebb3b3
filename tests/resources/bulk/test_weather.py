"""Bulk creates in bad weather: one contact for each item, whatever becomes of requests and answers."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from voxloud_async import VoxloudClient
from voxloud_async.errors import OutcomeUnknownError, ResponseLostError, ServerError
from voxloud_async.resources.bulk import change
from voxloud_async.resources.bulk.outcome import Summary
from voxloud_async.sandbox import Fault, Quirks, Sandbox, TokenBucket, Weather

from .samples import contacts, names, once_each

if TYPE_CHECKING:
    from pathlib import Path

    from tests.resources.conftest import Serve

ITEMS = 120
STORM = Weather(limits=(TokenBucket(rate=100.0, burst=10),))
FAULTS = {
    "lost before": Weather(cut_before=0.2),
    "lost after": Weather(cut_after=0.2),
    "500 before": Weather(error_before=0.2),
    "500 after": Weather(error_after=0.2),
    "500 mostly": Weather(error_after=0.5),
    "all of it": Weather(cut_before=0.1, cut_after=0.1, error_before=0.1, error_after=0.1, html_errors=True),
}
JOHN: Any = {"first_name": "John", "primary_phone": "+390312345678"}


async def test_refusals_for_now_lose_and_double_nothing(client: VoxloudClient, sandbox: Sandbox) -> None:
    sandbox.change_weather(STORM)
    assert await client.contacts.create_many(contacts(ITEMS), concurrency=32).finish() == Summary(done=ITEMS)
    assert names(sandbox) == once_each(ITEMS)
    assert sandbox.count(status=429) > 0
    assert sandbox.count("POST", status=200) == ITEMS


@pytest.mark.parametrize("weather", FAULTS.values(), ids=FAULTS)
async def test_every_item_is_sent_once_or_refused(client: VoxloudClient, sandbox: Sandbox, weather: Weather) -> None:
    sandbox.change_weather(weather)
    outcomes = await client.contacts.create_many(contacts(ITEMS), concurrency=32).collect()
    assert sandbox.count("POST") == ITEMS
    made = names(sandbox)
    assert max(made.values()) == 1
    assert [outcome.index for outcome in outcomes if not outcome.ok and not outcome.unknown] == []
    sandbox.change_weather(Weather())  # looks are lost as well, and then nobody knew
    for outcome in outcomes:
        name = f"N{outcome.index}"
        if outcome.ok:
            assert sandbox.state.contacts[str(outcome.id)].first_name == name
        else:
            assert isinstance(outcome.error, OutcomeUnknownError)
            found = await outcome.error.resolve()
            assert [name] * made[name] == ([] if found is None else [found.first_name])


@pytest.mark.parametrize("weather", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("order", ["oldest_first", "newest_first"])
async def test_with_a_journal_it_comes_to_one_contact_an_item(
    serve: Serve, weather: Weather, order: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change, "SETTLED", 0.1)
    served = await serve(Quirks(contact_order=order), contacts=0, events=0, weather=weather)
    summary = Summary(unknown=1)
    for _ in range(40):
        if summary.done == ITEMS:
            break
        run = served.client.contacts.create_many(contacts(ITEMS), concurrency=32, journal=tmp_path / "journal")
        with suppress(ResponseLostError, ServerError):  # it could not begin: the client's repetitions are spent
            summary = await run.finish()
    assert (summary.done, summary.failed, summary.unknown) == (ITEMS, 0, 0)
    assert names(served.sandbox) == once_each(ITEMS)


async def test_of_equal_items_none_takes_the_contact_of_another(client: VoxloudClient, sandbox: Sandbox) -> None:
    for fault in (Fault(cut="before_headers"), Fault(cut="before_headers", executed=True), Fault(status=500)):
        sandbox.fail_next(fault, match="POST")
        sandbox.fail_next(Fault(delay=0.0), match="POST")
    outcomes = await client.contacts.create_many([JOHN] * 12, concurrency=12).collect()
    found = [outcome.id for outcome in outcomes if outcome.ok]
    assert len({*found}) == len(found) == 10
    assert {*found} == {*sandbox.state.contacts}
    assert sandbox.count("POST") == 12


async def test_a_number_written_two_ways_is_one(serve: Serve) -> None:
    served = await serve(Quirks(invalid_phone="normalised"), contacts=0, events=0)
    served.sandbox.fail_next(Fault(cut="inside_headers", delay=0.05), match="POST")
    served.sandbox.fail_next(Fault(delay=0.3, executed=True), match="POST")
    items: list[Any] = [JOHN, {**JOHN, "primary_phone": "00390312345678"}]
    lost, made = await served.client.contacts.create_many(items).collect()
    assert (lost.unknown, made.ok) == (True, True)  # the contact is that of the second alone
    assert served.sandbox.count("POST") == 2


async def test_maintenance_is_waited_for(client: VoxloudClient, sandbox: Sandbox) -> None:
    sandbox.fail_next(Fault(status=503, retry_after="0"), n=5, match="POST")
    outcomes = await client.contacts.create_many(contacts(20)).collect()
    assert sum(outcome.unknown for outcome in outcomes) == 5  # a 503 may have been carried out
    assert names(sandbox).total() == 15
    assert sandbox.count("POST") == 20


async def test_what_another_call_of_the_client_made_is_not_taken(client: VoxloudClient, sandbox: Sandbox) -> None:
    sandbox.fail_next(Fault(cut="inside_headers", delay=0.2), match="POST")
    run = asyncio.create_task(client.contacts.create_many([JOHN]).collect())
    while sandbox.count("POST") < 1:  # noqa: ASYNC110 - the sandbox tells nobody
        await asyncio.sleep(0.001)
    made = await client.contacts.create(**JOHN)
    (outcome,) = await run
    assert outcome.unknown
    assert {*sandbox.state.contacts} == {made.id}
