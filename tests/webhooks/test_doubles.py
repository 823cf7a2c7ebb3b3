"""W4: one event, however often, wherever and whenever it is delivered, is handled once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.webhooks.deliveries import NOON, call_event, enveloped, incoming, packed, receiver, record, stored
from tests.webhooks.serving import serving
from tests.wire.raw_server import until
from voxloud_async.webhooks.inbox.protocol import KEPT
from voxloud_async.webhooks.inbox.sqlite import SqliteInbox

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from voxloud_async.webhooks import WebhookReceiver


def counting(served: WebhookReceiver) -> list[object]:
    seen: list[object] = []

    @served.on()
    async def note(event: object) -> None:
        seen.append(event)

    return seen


async def test_w4_one_after_the_other_and_all_at_once(server: str) -> None:
    served = receiver()
    seen = counting(served)
    async with serving(server, served) as wire, served:
        for _ in range(3):
            assert (await wire.post(incoming("a"))).status == 200
        replies = await asyncio.gather(*(wire.post(incoming("b")) for _ in range(20)))
        assert {reply.status for reply in replies} == {200}
        await until(lambda: len(seen) == 2)
    assert (served.stats.accepted, served.stats.doubled, len(seen)) == (2, 21, 2)


async def test_w4_p1_p2_in_an_envelope_and_bare_and_by_either_word(server: str) -> None:
    served = receiver()
    seen = counting(served)
    event = call_event("a")
    copies = [enveloped(event), packed(event), packed({**event, "type": "CALL_INCOMING", "timestamp": str(NOON)})]
    async with serving(server, served) as wire, served:
        for copy in copies:
            assert (await wire.post(copy)).status == 200
    assert len(seen) == 1


async def test_w4_p8_a_call_that_rings_at_several_users_comes_once_for_each(server: str) -> None:
    served = receiver()
    seen = counting(served)
    async with serving(server, served) as wire, served:
        for extension in (101, 102, 103, 101):
            await wire.post(incoming("a", userExtension=extension))
    assert len(seen) == 3


async def test_w4_at_two_processes_with_one_inbox_and_after_a_restart(tmp_path: Path) -> None:
    seen: list[object] = []
    path = tmp_path / "inbox.db"
    for _ in range(2):
        one, other = receiver(inbox=path), receiver(inbox=path)
        for served in (one, other):
            served.on()(_noting(seen))
        async with serving("aiohttp", one) as first, serving("aiohttp", other) as second, one, other:
            replies = await asyncio.gather(*(wire.post(incoming("a")) for wire in (first, second) * 5))
            assert {reply.status for reply in replies} == {200}
            await until(lambda: len(seen) == 1)
        assert len(seen) == 1


def _noting(seen: list[object]) -> Callable[[object], Coroutine[Any, Any, None]]:
    async def note(event: object) -> None:
        seen.append(event)

    return note


async def test_w4_after_72_hours_a_double_is_an_event_anew(tmp_path: Path) -> None:
    now = 1000.0
    inbox = SqliteInbox(tmp_path / "inbox.db", wall=lambda: now)
    served = receiver(inbox=inbox)
    seen = counting(served)
    async with serving("aiohttp", served) as wire, served:
        for passed, expected in ((0.0, 1), (KEPT - 10.0, 1), (20.0, 2)):
            now += passed
            await wire.post(incoming("a"))
            await until(lambda: served.stats.handled == expected)  # noqa: B023 - used up before the next turn
    assert len(seen) == 2
    await inbox.aclose()


async def test_w4_a_record_that_was_delivered_is_known_when_it_is_read_again(server: str) -> None:
    served = receiver()
    counting(served)
    async with serving(server, served) as wire, served:
        await wire.post(enveloped(record(), "PHONE_CALL"), "PHONE_CALL")
        read = stored(packed({**record(), "timestamp": "2026-01-02T14:00:00.000+0000"}), origin="backfill")
        assert await served.inbox.known([read.key]) == {read.key}
        assert await served.inbox.add([read]) == frozenset()
