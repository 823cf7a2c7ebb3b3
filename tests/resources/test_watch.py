"""The watch over subscriptions, in virtual time."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest

from voxloud_async import RetryPolicy, VoxloudClient
from voxloud_async.errors import AuthenticationError, ClientClosedError
from voxloud_async.testing import FakeClock, FakeTransport, answer

if TYPE_CHECKING:
    from voxloud_async.resources.subscriptions.watch import Notice
    from voxloud_async.wire.message import Response


def look(**subscriptions: tuple[bool | None, int]) -> Response:
    return answer([{"id": name, "enabled": on, "failed_count": count} for name, (on, count) in subscriptions.items()])


def client_of(*script: Any) -> tuple[VoxloudClient, FakeTransport, FakeClock]:
    transport, clock = FakeTransport(*script), FakeClock()
    once = RetryPolicy(max_attempts=1)
    return VoxloudClient("key", transport=transport, clock=clock, rate=None, retry=once), transport, clock


async def told(count: int, *script: Any) -> list[tuple[str, str, int]]:
    client, _, _ = client_of(*script)
    found: list[Notice] = []
    async with client, aclosing(client.webhook_subscriptions.watch(every=300)) as notices:
        async for notice in notices:
            found.append(notice)
            if len(found) == count:
                break
    return [(each.change, each.subscription.id, each.failures) for each in found]


async def test_growing_failures_are_told_before_the_service_gives_up() -> None:
    assert await told(
        3,
        look(a=(True, 0), b=(None, 4)),
        look(a=(True, 3), b=(None, 4)),
        look(a=(True, 3), b=(None, 5)),
        look(a=(False, 9), b=(None, 5)),
    ) == [("failing", "a", 3), ("failing", "b", 1), ("disabled", "a", 6)]


async def test_what_is_off_at_the_start_comes_back_and_goes_is_told() -> None:
    assert await told(
        5,
        look(a=(False, 9)),
        look(a=(False, 9), b=(True, 0)),
        look(a=(True, 0), b=(True, 0), c=(False, 1)),
        look(a=(True, 0), c=(False, 1)),
        look(a=(True, 0), c=(True, 2)),
    ) == [("disabled", "a", 0), ("enabled", "a", 0), ("disabled", "c", 0), ("gone", "b", 0), ("enabled", "c", 0)]


async def test_an_outage_hides_nothing() -> None:
    page = answer(b"<html>Back soon</html>", headers={"Content-Type": "text/html"})
    script = (look(a=(True, 0)), answer(status=503), answer(status=500), page, page, look(a=(True, 2)))
    assert await told(1, *script) == [("failing", "a", 2)]


async def test_it_looks_once_in_every_interval() -> None:
    client, transport, clock = client_of(look(a=(True, 0)), look(a=(True, 0)), look(a=(False, 0)))
    async with client, aclosing(client.webhook_subscriptions.watch(every=60)) as notices:
        start = clock.now()
        await anext(notices)
        assert (clock.now() - start, len(transport.requests)) == (120.0, 3)


async def test_a_refused_key_ends_it() -> None:
    with pytest.raises(AuthenticationError):
        await told(1, answer(status=401))


async def test_closing_the_client_ends_it() -> None:
    client = VoxloudClient("key", transport=FakeTransport(look(a=(True, 0))))
    closing: list[asyncio.Task[None]] = []
    asyncio.get_running_loop().call_later(0.01, lambda: closing.append(asyncio.ensure_future(client.aclose())))
    with pytest.raises(ClientClosedError):
        await anext(client.webhook_subscriptions.watch())
    await closing[0]


@pytest.mark.parametrize("every", [0, -1, float("inf")])
def test_the_interval_must_be_a_time(every: float) -> None:
    with pytest.raises(ValueError, match="every"):
        client_of()[0].webhook_subscriptions.watch(every=every)
