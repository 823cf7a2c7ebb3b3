"""Reads from services that behave oddly: what came, and what is missing or came twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from tests.paging.odd_service import START, Odd, Service
from voxloud_async import VoxloudClient, errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from voxloud_async.paging import Listing

EVENTS: Mapping[str, Odd] = {
    "as documented": Odd(),
    # rows
    "more rows of one moment than a page": Odd(ties=700),
    "rows of one moment in reverse each time": Odd(ties=30, tie_order="reversed"),
    "rows of one moment in any order": Odd(ties=30, tie_order="random"),
    "a page and more of one moment in reverse each time": Odd(ties=150, tie_order="reversed"),
    "a page and more of one moment in any order": Odd(ties=150, tie_order="random"),
    "few moments": Odd(moments=12),
    "timeless rows first": Odd(timeless=20),
    "timeless rows last": Odd(timeless=20, timeless_at="end"),
    "timeless rows in between": Odd(timeless=20, timeless_at="amid"),
    "timeless rows first, in every interval": Odd(timeless=20, timeless_in_interval=True),
    "timeless rows last, in every interval": Odd(timeless=20, timeless_at="end", timeless_in_interval=True),
    "many timeless rows last, in any order": Odd(timeless=250, timeless_at="end", tie_order="random"),
    "times in milliseconds": Odd(times="milliseconds"),
    "times in two zones": Odd(times="offsets"),
    "times of the year 1": Odd(times="first year"),
    "ids as texts": Odd(ids="texts"),
    "no ids": Odd(ids="none"),
    "ids for each type": Odd(ids="per type"),
    "rows that are listed twice": Odd(ids="twice"),
    "rows that do not fit": Odd(misfits=7),
    # order
    "in order of ids": Odd(order="id"),
    "in the opposite order": Odd(order="opposite"),
    "sorted as texts of two zones": Odd(order="text", times="offsets"),
    "some rows out of order": Odd(order="nearly"),
    # intervals
    "bounds left out": Odd(bounds="open"),
    "bounds ignored": Odd(bounds="ignored"),
    "start ignored": Odd(bounds="from ignored"),
    "bounds to the second": Odd(bounds="second"),
    "bounds to the day": Odd(bounds="day"),
    "bounds rounded up": Odd(bounds="rounded up"),
    "bounds an hour late": Odd(bounds="hour late"),
    # pages
    "at most 50 rows": Odd(cap=50),
    "at most 50 rows, not told": Odd(cap=50, over_cap="fewer and not told"),
    "more than 50 rows refused": Odd(cap=50, over_cap="400"),
    "deep pages refused": Odd(deepest=200),
    "numbered from 1": Odd(first_page=1),
    "numbered from 1, not told": Odd(first_page=1, numbers="absent"),
    "numbers one off": Odd(numbers="shifted"),
    "no numbers": Odd(numbers="absent"),
    "no word of the last page": Odd(last="absent"),
    "never the last page": Odd(last="never"),
    "always the last page": Odd(last="always"),
    "no total": Odd(total="absent"),
    "a total of 0": Odd(total="0"),
    "a total too large": Odd(total="too large"),
    "a total too small": Odd(total="too small"),
    "a bare list": Odd(envelope="bare"),
    "a bare list of at most 50 rows": Odd(envelope="bare", cap=50),
    "the envelope of contacts": Odd(envelope="data"),
    "some rows hidden": Odd(hidden=9),
    "a row more than asked for": Odd(extra_row=True),
    "size ignored": Odd(ignores="size"),
    "page ignored": Odd(ignores="page"),
    "size and page ignored, a bare list": Odd(ignores="both", envelope="bare"),
    "an empty page now and then": Odd(glitch="empty"),
    "the page before once more now and then": Odd(glitch="repeated"),
    "old responses": Odd(lag=4),
}
CONTACTS: Mapping[str, Odd] = {
    "contacts as documented": Odd(),
    "contacts in any order": Odd(order="random"),
    "at most 30 contacts": Odd(cap=30),
    "never the last contacts": Odd(last="never"),
    "always the last contacts": Odd(last="always"),
    "no word of the last contacts": Odd(last="absent"),
    "a bare list of contacts": Odd(envelope="bare"),
    "offset ignored": Odd(ignores="page"),
    "limit ignored": Odd(ignores="size"),
    "no contact but the first ones, a bare list": Odd(ignores="both", envelope="bare"),
    "some contacts hidden": Odd(hidden=9),
    "old lists of contacts": Odd(lag=4),
    "an empty page of contacts now and then": Odd(glitch="empty"),
}


@frozen
class Verdict:
    """What became of a read: how many rows are missing and how many came twice, or the error that ended it."""

    missing: int = 0
    doubled: int = 0
    error: str = ""
    requests: int = 0
    rows: int = 0
    too_large: bool = False

    @property
    def is_right(self) -> bool:
        """Return True if nothing was lost or doubled without an error."""
        return not (self.missing or self.doubled or self.too_large)


def read(odd: Odd, seed: int, *, contacts: bool = False, naively: bool = False) -> Verdict:
    """Read a list as the seed says: its length and how it moves, and how it is read."""
    chance = Random(seed * 7919 + 1)
    inserts, deletes = chance.choice([(0, 0), (1, 1), (5, 5), (1, 8)])
    odd = evolve(odd, seed=seed, rows=chance.choice([1, 60, 300, 900]), inserts=inserts, deletes=deletes)
    if odd.moments > 1_000:
        odd = evolve(odd, moments=chance.choice([500, 100_000, 10_000_000]))
    options: dict[str, Any] = {
        "page_size": chance.choice([7, 20, 50, 100, 100]),
        "prefetch": chance.choice([1, 2, 4, 8]),
    }
    resumes = chance.random() < 0.3
    if not contacts:
        options |= {"page_size": chance.choice([7, 20, 100, 100, 500, 2_000]), "sort": chance.choice(_SORTS)}
        if chance.random() < 0.3 and odd.times != "first year" and (odd.timeless_in_interval or not odd.timeless):
            options |= {"date_time_from": START - timedelta(days=1), "date_time_to": START + timedelta(days=2)}
    size = min(options["page_size"], odd.cap, 20 if odd.ignores else 2_000)
    service = Service(odd, most_requests=900 + 15 * (odd.rows + odd.ties + odd.timeless) // size)
    return asyncio.run(_judged(service, options, contacts=contacts, resumes=resumes, naively=naively))


_SORTS = ["timestamp,asc", "timestamp,asc", "timestamp,desc"]


async def _judged(
    service: Service, options: dict[str, Any], *, contacts: bool, resumes: bool, naively: bool
) -> Verdict:
    got: list[str] = []
    most = service.most_requests
    async with VoxloudClient("key", base_url="http://127.0.0.1:1", transport=service, rate=None) as client:

        def listing(cursor: str | None = None) -> Listing[Any]:
            service.most_requests = service.asked + most
            find = client.contacts.search if contacts else client.telephony_events.query
            return find(**options, cursor=cursor)

        try:
            if naively:
                await _naively(client, options, got)
            elif resumes:
                await _in_jobs(listing, Random(service.odd.seed), got)
            else:
                async for row in listing():
                    got.append(_key(row))  # noqa: PERF401 - what came before an error
        except errors.VoxloudError as error:
            return Verdict(error=type(error).__name__, requests=service.asked, rows=len(got))
    counts = Counter(got)
    return Verdict(
        missing=sum(key not in counts for key in service.always if not _is_hidden(key, service.odd)),
        doubled=sum(count > 1 for count in counts.values()),
        requests=service.asked,
        rows=len(got),
        too_large=service.largest > options["page_size"],
    )


async def _in_jobs(listing: Any, chance: Random, got: list[str]) -> None:
    """Read some pages, and the rest from their cursor, until nothing is left."""
    cursor = None
    while True:
        async with listing(cursor).pages() as pages:
            for _ in range(chance.randint(1, 3)):
                page = await anext(pages, None)
                if page is None:
                    return
                got += map(_key, page.items)
                cursor = page.cursor


async def _naively(client: VoxloudClient, options: dict[str, Any], got: list[str]) -> None:
    """Ask for one page after another by its number, as most clients do."""
    size = options["page_size"]
    for number in range(10_000):
        page = await client.request(
            "POST",
            "/api/v1/telephony-events",
            query={"page": str(number), "size": str(size), "sort": options["sort"]},
            body={},
        )
        got += [row["callId"] for row in page["content"]]
        if page["last"] or not page["content"]:
            return


def _key(row: Any) -> str:
    return str(getattr(row, "call_id", None) or row.id)


def _is_hidden(key: str, odd: Odd) -> bool:
    return bool(odd.hidden) and int(key[1:]) % odd.hidden == 0
