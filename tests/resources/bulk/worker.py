"""A process that is to be killed: it creates contacts with a journal. Arguments: URL, key, journal, count."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from voxloud_async import VoxloudClient
from voxloud_async.resources.bulk import change


async def work(url: str, key: str, journal: str, count: int) -> None:
    items: Any = ({"first_name": f"N{number}", "primary_phone": f"+39031{number:07}"} for number in range(count))
    async with VoxloudClient(key, base_url=url, rate=None) as client:
        summary = await client.contacts.create_many(items, concurrency=32, journal=journal).finish()
    print(summary.done, summary.failed, summary.unknown)  # noqa: T201 - what it tells the test


if __name__ == "__main__":
    vars(change)["SETTLED"] = 0.5  # a sandbox takes no longer
    asyncio.run(work(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
