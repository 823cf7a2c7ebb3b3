"""A list that contradicts itself is never taken for complete, and a quiet one never for a moving one."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from attrs import define, field

from tests.paging.odd_service import Odd, Service
from voxloud_async import VoxloudClient
from voxloud_async.errors import ConflictError
from voxloud_async.testing import answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from voxloud_async.wire.message import Request, Response

SUMMER_TIME = datetime(2026, 3, 29, 1, tzinfo=UTC)


def row(number: int, at: datetime) -> dict[str, Any]:
    return {"id": number, "type": "PHONE_CALL", "timestamp": at.isoformat(), "direction": "INBOUND", "duration": 1}


@define
class Filtered:
    """A quiet list by pages; rows whose ids are `hidden` are left out of the pages, which count them all the same."""

    rows: Sequence[dict[str, Any]]
    hidden: range = range(0)
    asked: list[dict[str, str]] = field(factory=list)

    async def send(self, request: Request, *, timeout: float) -> Response:  # noqa: ARG002, ASYNC109 - the contract
        query = dict(parse_qsl(urlsplit(request.url).query))
        self.asked.append(query)
        size, number = int(query.get("size", 20)), int(query.get("page", 0))
        first = size * number
        page = [each for each in self.rows[first : first + size] if each["id"] not in self.hidden]
        is_last = first + size >= len(self.rows)
        return answer(
            {"content": page, "size": size, "number": number, "last": is_last, "totalElements": len(self.rows)}
        )

    async def aclose(self) -> None:
        pass


async def ids(service: Any, **options: Any) -> list[int | None]:
    async with VoxloudClient("key", base_url="https://lists.example", transport=service, rate=None) as client:
        return [event.id for event in await client.telephony_events.query(**options).collect()]


def test_an_empty_page_before_the_end_that_is_promised_is_a_conflict() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    service = Filtered([row(n, start + timedelta(seconds=n)) for n in range(1, 901)], hidden=range(101, 151))
    with pytest.raises(ConflictError):
        asyncio.run(ids(service, page_size=20))
    assert len(service.asked) <= 100


def test_rows_without_a_time_behind_a_refused_depth_are_not_lost_in_silence() -> None:
    service = Service(Odd(rows=300, timeless=20, timeless_at="end", deepest=200))
    with pytest.raises(ConflictError):
        asyncio.run(ids(service, page_size=100))


@pytest.mark.parametrize("page_size", [1, 2, 3, 5, 10])
def test_a_change_of_the_offset_is_no_movement(page_size: int) -> None:
    moments = [SUMMER_TIME + timedelta(hours=n - 30) for n in range(60)]
    local = [at.astimezone(timezone(timedelta(hours=1 + (at >= SUMMER_TIME)))) for at in moments]
    service = Filtered([row(n, at) for n, at in enumerate(local)])
    assert asyncio.run(ids(service, page_size=page_size)) == list(range(60))
