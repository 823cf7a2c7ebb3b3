"""Who reads the stream: this package with several look-aheads, and the paging of a client that Stainless generated."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import openai
from openai._base_client import BaseAsyncPage, BasePage, PageInfo

from voxloud_async import VoxloudClient

PAGE = 100


async def voxloud(url: str, prefetch: int) -> int:
    """This package without a rate limit; the number of rows."""
    count = 0
    async with (
        VoxloudClient("key", base_url=url, rate=None) as client,
        aclosing(aiter(client.telephony_events.query(page_size=PAGE, prefetch=prefetch))) as rows,
    ):
        async for _ in rows:
            count += 1
    return count


class Event(openai.BaseModel):
    """A phone call as such a client models it."""

    id: int
    type: str
    timestamp: int
    accountId: str | None = None  # noqa: N815 - the wire's names, as everywhere below
    direction: str | None = None
    originatorName: str | None = None  # noqa: N815
    originatorNumber: str | None = None  # noqa: N815
    destinationName: str | None = None  # noqa: N815
    destinationNumber: str | None = None  # noqa: N815
    maskCallerNumber: bool | None = None  # noqa: N815
    lastEvent: str | None = None  # noqa: N815
    duration: int | None = None
    ringTime: int | None = None  # noqa: N815
    archived: bool | None = None
    callId: str | None = None  # noqa: N815
    recorded: bool | None = None
    voicemail: bool | None = None
    answererName: str | None = None  # noqa: N815
    answererNumber: str | None = None  # noqa: N815
    userEmail: str | None = None  # noqa: N815
    labels: list[str] | None = None
    transcription: str | None = None
    summary: str | None = None
    sentiment_score: int | None = None


class EventPage(BaseAsyncPage[Event], BasePage[Event]):
    """Spring's page in the terms of that client."""

    content: list[Event]
    last: bool
    number: int

    def _get_page_items(self) -> list[Event]:
        return self.content

    def next_page_info(self) -> PageInfo | None:
        return None if self.last else PageInfo(params={"page": self.number + 1})


async def stainless(url: str) -> int:
    """The paging of `openai`, one page after another; the number of rows."""
    count = 0
    async with openai.AsyncOpenAI(api_key="key", base_url=f"{url}/api/v1") as client:
        options: Any = {"params": {"size": PAGE, "page": 0}}
        pages: AsyncIterator[Event] = aiter(
            client.get_api_list(
                "/telephony-events", model=Event, page=EventPage, body={}, options=options, method="post"
            )
        )
        async for _ in pages:
            count += 1
    return count
