"""Campaigns of bulk writes that are killed, on services that lose responses and whose clocks are off.

`python -m tests.resources.bulk.campaigns 200` runs that many seeds and prints what came of them. A seed chooses the
clocks, the other readings of the API text, the items, what exists before, the faults, and when the run is stopped: by
SIGKILL, for one seed of five, or within this process at any turn of its event loop, with the journal as it is then.
"""

from __future__ import annotations

# ruff: noqa: PLR0917, ASYNC240, T201 - figures are printed, files are small, and arguments make up a campaign
import asyncio
import json
import random
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from attrs import define, evolve, field

from voxloud_async import RetryPolicy, VoxloudClient
from voxloud_async.errors import VoxloudError
from voxloud_async.resources.bulk import change
from voxloud_async.resources.bulk.outcome import Outcome, Summary
from voxloud_async.resources.bulk.run import BulkRun
from voxloud_async.sandbox import Quirks, Sandbox, Weather

CLOCKS = (
    *({"contact_created_at": each} for each in ("behind", "ahead", "minute", "constant", "absent", "exact")),
    {"date_header": "blank"},
    {"date_header": "blank", "contact_created_at": "absent"},
)
READINGS: dict[str, tuple[Any, ...]] = {
    "company_name": ("verbatim", "spaced"),
    "contact_order": ("oldest_first", "newest_first"),
    "contact_filters": ("and", "or"),
    "phone_search": ("partial", "e164_only"),
    "has_next": ("exact", "hopeful"),
    "empty_fields": ("absent", "null"),
    "invalid_phone": ("normalised",),
}
FAULTS = ("cut_before", "cut_after", "error_before", "error_after")
RUNS_ALLOWED = 5
SETTLED, SETTLED_IN_PROCESSES = 0.05, 0.3
_NAMES = ("Ada", "Bea", "Cleo")
_COMPANIES = ("A&B", "A & B", "C", None)
_PHONES = ("+390312345678", "+390312345679", "+390692345678", "00390312345670", "+39 031 2345671")

Items = Sequence[Any]


@define
class Figures:
    """What campaigns came to."""

    campaigns: int = 0
    killed: int = 0
    stopped: int = 0
    unknown: int = 0
    items: int = 0
    requests: int = 0
    runs_to_the_end: Counter[int] = field(factory=Counter)


def run_of(kind: str, client: VoxloudClient, items: Items, journal: Path) -> BulkRun[Any, Any]:
    """A run of creates or updates."""
    if kind == "creates":
        return client.contacts.create_many(items, journal=journal)
    return client.contacts.update_many([tuple(each) for each in items], journal=journal)


def new_client(url: str, key: str) -> VoxloudClient:
    retry = RetryPolicy(max_faults=2, base=0.001, cap=0.01)
    return VoxloudClient(key, base_url=url, rate=None, retry=retry)


async def campaign(seed: int, folder: Path, figures: Figures) -> None:
    """Run one campaign of creates and one of updates; raises AssertionError where a promise is broken."""
    chance = random.Random(seed)
    readings = {name: chance.choice(values) for name, values in READINGS.items()}
    quirks = Quirks(**readings | CLOCKS[seed % len(CLOCKS)])
    change.SETTLED = SETTLED
    figures.campaigns += 1
    for kind in ("creates", "updates"):
        async with Sandbox(seed=seed, contacts=0, events=0, quirks=quirks, keep_bodies=True) as sandbox:
            before = await existing(chance, sandbox)
            items = creates(chance) if kind == "creates" else updates(chance, before)
            stop = killed if seed % 5 == 0 else stopped
            outcomes = await carried_out(kind, chance, sandbox, items, folder / kind, stop, figures)
            figures.items += len(items)
            figures.requests += sandbox.count()
            (check_creates if kind == "creates" else check_updates)(sandbox, items, before, outcomes)


async def carried_out(
    kind: str,
    chance: random.Random,
    sandbox: Sandbox,
    items: Items,
    journal: Path,
    stop: Callable[..., Awaitable[None]],
    figures: Figures,
) -> list[Outcome[Any, Any]]:
    """Stop it some times in bad weather, let it end in it once or twice, and repeat it in good weather until done."""
    shares: dict[str, Any] = {name: chance.choice((0.0, 0.05, 0.15)) for name in FAULTS}
    jitter, delay = chance.choice((0.0, 0.01, 0.05)), chance.choice((0.0, 0.03))
    bad = Weather(latency=0.002, jitter=jitter, search_delay=delay, **shares)
    sandbox.change_weather(bad)
    await asyncio.sleep(delay)  # else a search would miss what exists before
    for _ in range(chance.randrange(1, 4)):
        await stop(kind, chance, sandbox, items, journal)
        figures.stopped += stop is stopped
        figures.killed += stop is killed
    for _ in range(chance.randrange(3)):
        with suppress(VoxloudError):
            figures.unknown += (await once(kind, sandbox, items, journal)).unknown
    sandbox.change_weather(Weather(search_delay=delay))
    for number in range(1, RUNS_ALLOWED + 1):
        async with new_client(sandbox.url, sandbox.api_key) as client:
            outcomes = await run_of(kind, client, items, journal).collect()
        if all(outcome.ok for outcome in outcomes):
            figures.runs_to_the_end[number] += 1
            return outcomes
    raise AssertionError(f"it is not done after {RUNS_ALLOWED} runs")


async def once(kind: str, sandbox: Sandbox, items: Items, journal: Path) -> Summary:
    async with new_client(sandbox.url, sandbox.api_key) as client:
        return await run_of(kind, client, items, journal).finish()


async def stopped(kind: str, chance: random.Random, sandbox: Sandbox, items: Items, journal: Path) -> None:
    """Stop it dead within this process: nothing that it wrote or would write after this moment is there."""
    after = sandbox.count() + chance.randrange(len(items) + 5)
    task = asyncio.create_task(once(kind, sandbox, items, journal))
    while sandbox.count() < after and not task.done():  # noqa: ASYNC110 - nothing signals it
        await asyncio.sleep(0)
    for _ in range(chance.randrange(200)):
        await asyncio.sleep(0)
    content = journal.read_bytes() if journal.exists() else None
    task.cancel()
    with suppress(asyncio.CancelledError, VoxloudError):
        await task
    if content is not None:
        torn = b'{"n":0,"it'[: chance.randrange(10)] if content.endswith(b"\n") else b""
        journal.write_bytes(content + torn)


async def killed(kind: str, chance: random.Random, sandbox: Sandbox, items: Items, journal: Path) -> None:
    """Start a process and kill it with SIGKILL."""
    after = sandbox.count() + chance.randrange(len(items) + 5)
    arguments = [str(Path(__file__)), kind, sandbox.url, sandbox.api_key, str(journal)]
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdin=PIPE, stderr=DEVNULL)
    assert process.stdin is not None
    process.stdin.write(json.dumps(items).encode())
    process.stdin.close()
    while sandbox.count() < after and process.returncode is None:  # noqa: ASYNC110 - nothing signals it
        await asyncio.sleep(0.001)
    await asyncio.sleep(chance.random() * 0.02)
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()


async def existing(chance: random.Random, sandbox: Sandbox) -> list[str]:
    """Contacts that another program made, some of them just now, and some just like those to come."""
    async with new_client(sandbox.url, sandbox.api_key) as client:
        made = await client.contacts.create_many([contact(chance) for _ in range(chance.randrange(4, 12))]).collect()
    contacts = sandbox.state.contacts
    for identifier in chance.sample([*contacts], len(contacts) // 2):
        contacts[identifier] = evolve(contacts[identifier], created_at=contacts[identifier].created_at - 86_400_000)
    return [str(outcome.id) for outcome in made]


def contact(chance: random.Random) -> dict[str, Any]:
    """One of few, so that numbers are shared, spellings differ, and some are equal."""
    company = chance.choice(_COMPANIES)
    fields = {"first_name": chance.choice(_NAMES), "primary_phone": chance.choice(_PHONES)}
    return fields | ({} if company is None else {"company_name": company})


def creates(chance: random.Random) -> Items:
    """Some that are unlike any other, and some that are not."""
    items = [contact(chance) for _ in range(chance.randrange(5, 20))]
    items += [{"first_name": f"N{n}", "primary_phone": f"+39031{n:07}"} for n in range(chance.randrange(5, 30))]
    chance.shuffle(items)
    return items


def updates(chance: random.Random, ids: Sequence[str]) -> Items:
    """Changes of few contacts, the version of each in its `last_name`."""
    return [
        (chance.choice(ids), {"first_name": "A", "primary_phone": _PHONES[0], "last_name": f"{number:03}"})
        for number in range(chance.randrange(20, 50))
    ]


def check_creates(sandbox: Sandbox, items: Items, before: Sequence[str], outcomes: Sequence[Outcome[Any, Any]]) -> None:
    """One contact for each item, which is its own, and no other."""
    contacts = {key: each for key, each in sandbox.state.contacts.items() if key not in before}
    assert len({outcome.id for outcome in outcomes}) == len(items), "two items have one contact"
    assert {outcome.id for outcome in outcomes} == {*contacts}, "a contact is lost, or belongs to no item"
    for outcome in outcomes:
        held = contacts[str(outcome.id)]
        assert said(items[outcome.index]) == said(vars_of(held)), "an item has the contact of another"
    if sandbox.quirks.company_name == "verbatim":
        wanted = Counter((each["first_name"], each.get("company_name")) for each in items)
        assert wanted == Counter((each.first_name, each.company_name) for each in contacts.values())


def said(fields: Any) -> tuple[Any, ...]:
    company = fields.get("company_name")
    phone = "".join(filter(str.isdigit, fields["primary_phone"]))[-7:]
    return fields["first_name"], phone, None if company is None else company.replace(" ", "")


def vars_of(held: Any) -> dict[str, Any]:
    return {name: getattr(held, name) for name in ("first_name", "primary_phone", "company_name")}


def check_updates(sandbox: Sandbox, items: Items, before: Sequence[str], outcomes: Sequence[Outcome[Any, Any]]) -> None:
    """Each contact has its last change, and at no time was a newer one overwritten."""
    assert {outcome.id for outcome in outcomes} <= {*before}
    last = {identifier: fields["last_name"] for identifier, fields in items}
    for identifier, version in last.items():
        path = f"/api/v1/contacts/{identifier}"
        arrived = [json.loads(each.body or b"") for each in sandbox.requests if each.path == path and each.executed]
        versions = [each["last_name"] for each in arrived]
        assert versions == sorted(versions), f"an older change overwrote a newer one: {versions}"
        assert sandbox.state.contacts[identifier].last_name == version


async def main(count: int) -> Figures:
    """Run the campaigns of the first seeds."""
    figures = Figures()
    for seed in range(count):
        with tempfile.TemporaryDirectory() as folder:
            await campaign(seed, Path(folder), figures)
    return figures


async def work(name: str, url: str, key: str, journal: str) -> None:
    """The process that is killed."""
    change.SETTLED = SETTLED_IN_PROCESSES
    async with new_client(url, key) as client:
        await run_of(name, client, json.load(sys.stdin), Path(journal)).finish()


if __name__ == "__main__":
    if len(sys.argv) > 2:
        asyncio.run(work(*sys.argv[1:]))
    else:
        print(asyncio.run(main(int(sys.argv[1]))))
