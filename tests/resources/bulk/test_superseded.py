"""Several changes of one contact: a newer one is never overwritten by an older one, whatever fails or is lost."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from voxloud_async import RetryPolicy
from voxloud_async.errors import ResponseLostError
from voxloud_async.resources.bulk import change
from voxloud_async.resources.bulk.outcome import Summary
from voxloud_async.sandbox import Fault, Weather

from .journals import UNSENT
from .samples import ADA

if TYPE_CHECKING:
    from pathlib import Path

    from voxloud_async import VoxloudClient
    from voxloud_async.sandbox import Sandbox

pytestmark = pytest.mark.usefixtures("soon")


@pytest.fixture
def once(client: VoxloudClient) -> VoxloudClient:
    """A client that sends nothing twice by itself."""
    return client.with_options(retry=RetryPolicy(max_attempts=1))


def version(number: int) -> Any:
    return {**ADA, "last_name": f"v{number}"}


def sent(sandbox: Sandbox) -> list[str]:
    """The versions that arrived, in their order."""
    return [json.loads(each.body or b"")["last_name"] for each in sandbox.requests if each.method == "PUT"]


@pytest.mark.parametrize(
    "fault", [Fault(status=400), UNSENT, Fault(cut="inside_headers", executed=True), Fault(status=500)], ids=str
)
async def test_what_a_later_change_has_overtaken_is_never_sent_again(
    once: VoxloudClient, sandbox: Sandbox, journal: Path, fault: Fault
) -> None:
    contact = await once.contacts.create(**ADA)
    changes: list[Any] = [(contact.id, version(number)) for number in range(3)]
    sandbox.fail_next(fault, match="PUT")
    first = await once.contacts.update_many(changes, journal=journal).collect()
    assert [outcome.ok for outcome in first] == [False, True, True]
    run = once.contacts.update_many(changes, journal=journal)
    again = await run.collect()
    assert [(outcome.superseded, outcome.replayed) for outcome in again] == [
        (True, False),
        (False, True),
        (False, True),
    ]
    assert (again[0].ok, again[0].id, again[0].result) == (True, contact.id, None)
    assert run.summary == Summary(done=3, replayed=2, superseded=1, total=3)
    assert sent(sandbox) == ["v0", "v1", "v2"]
    assert sandbox.state.contacts[contact.id].last_name == "v2"
    assert await once.contacts.update_many(changes, journal=journal).finish() == run.summary


async def test_what_is_mended_is_superseded_too(once: VoxloudClient, sandbox: Sandbox, journal: Path) -> None:
    """A row that was refused is changed, to another contact at that; its place in the list is still an early one."""
    ada, bea = [await once.contacts.create(**ADA) for _ in range(2)]
    changes: list[Any] = [("no-such-id", version(0)), (ada.id, version(1)), (bea.id, version(2))]
    assert (await once.contacts.update_many(changes, journal=journal).finish()).failed == 1
    changes[0] = (bea.id, version(0))
    assert (await once.contacts.update_many(changes, journal=journal).finish()).superseded == 1
    assert sandbox.state.contacts[bea.id].last_name == "v2"


async def test_what_may_have_been_overtaken_waits_for_the_later_change(
    once: VoxloudClient, sandbox: Sandbox, journal: Path
) -> None:
    """The later change was lost: perhaps it happened. It is sent again, the earlier one only if it is refused."""
    contact = await once.contacts.create(**ADA)
    changes: list[Any] = [(contact.id, version(number)) for number in range(2)]
    sandbox.fail_next(Fault(status=400), match="PUT")
    sandbox.fail_next(UNSENT, match="PUT")
    first = await once.contacts.update_many(changes, journal=journal).collect()
    assert [outcome.unknown for outcome in first] == [False, True]
    sandbox.fail_next(Fault(status=400), match="PUT")
    second = await once.contacts.update_many(changes, journal=journal).collect()
    assert [(outcome.superseded, outcome.ok) for outcome in second] == [(True, True), (False, False)]
    third = await once.contacts.update_many(changes, journal=journal).finish()
    assert third == Summary(done=2, total=2)
    assert sent(sandbox) == ["v0", "v1", "v1", "v0", "v1"]


async def test_what_was_refused_for_now_after_it_was_lost_may_have_happened(
    client: VoxloudClient, sandbox: Sandbox, journal: Path
) -> None:
    contact = await client.contacts.create(**ADA)
    changes: list[Any] = [(contact.id, version(number)) for number in range(2)]
    sandbox.fail_next(Fault(status=400), match="PUT")
    for fault in (Fault(cut="inside_headers", executed=True), Fault(status=401)):
        sandbox.fail_next(fault, match="PUT")
    run = client.contacts.update_many(changes, journal=journal)
    with pytest.raises(Exception, match="401"):
        await run.finish()
    assert (await client.contacts.update_many(changes, journal=journal).finish()).superseded == 1
    assert sent(sandbox) == ["v0", "v1", "v1", "v1"]


async def test_deletes_of_one_contact(once: VoxloudClient, sandbox: Sandbox, journal: Path) -> None:
    contact = await once.contacts.create(**ADA)
    sandbox.fail_next(UNSENT, match="DELETE")
    assert await once.contacts.delete_many([contact.id] * 2, journal=journal).finish() == Summary(
        done=1, unknown=1, total=2
    )
    assert await once.contacts.delete_many([contact.id] * 2, journal=journal).finish() == Summary(
        done=2, replayed=1, superseded=1, total=2
    )
    assert sandbox.count("DELETE") == 2


@pytest.mark.parametrize("fault", [Fault(cut="inside_headers"), Fault(status=500)], ids=str)
async def test_within_a_run_the_next_change_waits_until_a_lost_one_has_settled(
    once: VoxloudClient, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    monkeypatch.setattr(change, "SETTLED", 0.3)
    ada, bea = [await once.contacts.create(**ADA) for _ in range(2)]
    sandbox.fail_next(fault, match="PUT")
    changes: list[Any] = [(ada.id, version(0)), (ada.id, version(1)), (bea.id, version(2)), (ada.id, version(3))]
    outcomes = await once.contacts.update_many(changes).collect()
    assert [outcome.unknown for outcome in outcomes] == [True, False, False, False]
    times = {name: each.at for name, each in zip(sent(sandbox), puts(sandbox), strict=True)}
    assert times["v2"] < 0.25 + times["v0"] < 0.3 + times["v0"] <= times["v1"] < times["v3"]
    assert times["v3"] < times["v1"] + 0.25  # it was not lost


def puts(sandbox: Sandbox) -> list[Any]:
    return [each for each in sandbox.requests if each.method == "PUT"]


async def test_after_a_refusal_the_next_change_goes_at_once(
    once: VoxloudClient, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change, "SETTLED", 60.0)
    contact = await once.contacts.create(**ADA)
    sandbox.fail_next(Fault(status=400), match="PUT")
    changes: list[Any] = [(contact.id, version(number)) for number in range(2)]
    assert await once.contacts.update_many(changes).finish() == Summary(done=1, failed=1, total=2)


async def test_only_locks_in_use_and_lost_changes_are_remembered(
    once: VoxloudClient, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change, "SETTLED", 0.05)
    locks = change.KeyedLocks(once._session)
    for key in ("a", "b"):
        async with locks.of(key):
            locks.settle(key)
    assert {*locks._entries} == {"a", "b"}
    await asyncio.sleep(0.06)
    async with locks.of("c"):
        locks.settle("c")
    assert {*locks._entries} == {"c"}
    assert sandbox.count() == 0


async def test_a_run_that_resumes_waits_for_what_was_on_its_way(
    client: VoxloudClient, sandbox: Sandbox, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A killed run's change may take effect after it: the next run's later change must not be overtaken by it."""
    contact = await client.contacts.create(**ADA)
    changes: list[Any] = [(contact.id, version(number)) for number in range(2)]
    sandbox.change_weather(Weather(latency=5.0))
    async with client.contacts.update_many(changes, journal=journal, concurrency=1) as run:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(run), 1.0)
    sandbox.change_weather(Weather())
    monkeypatch.setattr(change, "SETTLED", 0.3)
    started = time.monotonic()
    assert (await client.contacts.update_many(changes, journal=journal).finish()).done == 2
    assert time.monotonic() - started >= 0.3
    assert sent(sandbox) == ["v0", "v0", "v1"]


async def test_a_lost_change_says_what_was_lost(once: VoxloudClient, sandbox: Sandbox) -> None:
    contact = await once.contacts.create(**ADA)
    sandbox.fail_next(UNSENT, match="PUT")
    (outcome,) = await once.contacts.update_many([(contact.id, version(0))]).collect()
    assert isinstance(outcome.error, ResponseLostError)
    assert outcome.unknown


async def test_a_later_change_that_an_earlier_run_sent_stays_later_after_a_run_that_sends_nothing(
    once: VoxloudClient, sandbox: Sandbox, journal: Path
) -> None:
    contact = await once.contacts.create(**ADA)
    changes: list[Any] = [(contact.id, version(number)) for number in range(2)]
    sandbox.fail_next(Fault(status=503), match="PUT")
    sandbox.fail_next(Fault(cut="inside_headers", executed=True), match="PUT")
    await once.contacts.update_many(changes, journal=journal).collect()
    hasty = once.with_options(max_wait=1e-9)
    second = await hasty.contacts.update_many(changes, journal=journal).collect()
    assert second[1].unknown, "an earlier run sent it"
    run = once.contacts.update_many(changes, journal=journal, concurrency=1)
    first = await anext(run)
    await run.aclose()
    assert first.superseded
    assert "v0" not in sent(sandbox)[2:]
