"""`parse_webhook` and the receiver read the same in every payload."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

from tests.webhooks.deliveries import BODIES, NOON, PBX, packed, receiver, sample
from tests.webhooks.test_lenient import ODD, ROWS
from voxloud_async.errors import WebhookError
from voxloud_async.models import Webhook
from voxloud_async.webhooks import Received, parse_webhook
from voxloud_async.webhooks.intake import Arrival


def payloads(rng: random.Random) -> list[bytes]:
    """Documented payloads with one field changed or left out, bare and in an envelope, and some that are none."""
    found = [sample(name) for name in BODIES]
    for _, event_type, row in ROWS.values():
        for field in (*row, "type", "data"):
            value = rng.choice(ODD)
            odd = {**row, field: value}
            left_out = {name: item for name, item in row.items() if name != field}
            envelope = {"type": event_type, "timestamp": NOON, "pbx_id": PBX, "data": row, field: value}
            found += [packed(each) for each in (odd, left_out, {**envelope, "data": odd}, envelope)]
    for body in list(found):
        cut = bytearray(body)
        del cut[rng.randrange(len(cut)) :]
        found.append(bytes(cut))
    return [*found, b"", b"[]", b"null", b"\xff", b"{}"]


def outcome(body: bytes) -> Webhook | None:
    try:
        return parse_webhook(body)
    except WebhookError:
        return None


async def test_w14_they_agree_on_every_payload() -> None:
    bodies = payloads(random.Random(14))
    served, seen = receiver(), list[tuple[Any, Received]]()

    @served.on(revisions=True)
    async def take(event: object, received: Received) -> None:
        seen.append((event, received))

    expected: dict[str, list[Any]] = {"read": [], "refused": []}
    async with served, asyncio.timeout(60):
        for body in bodies:
            webhook = outcome(body)
            before = served.stats
            kinds = ("PHONE_CALL", "CLICK_TO_CALL", "FAX_CALL", "CALL_STARTED", "CALL_INCOMING", "CALL_ANSWERED")
            statuses = [await deliver(served, body, kind) for kind in kinds]
            refused = {**served.stats.refused}
            unread = sum(refused.get(each, 0) - before.refused.get(each, 0) for each in ("malformed", "empty"))
            assert unread == (0 if webhook else len(kinds)), body
            assert (200 in statuses) is (webhook is not None), body
            expected["read" if webhook else "refused"].append(webhook)
        while (await served.inbox.counts()).waiting:  # noqa: ASYNC110 - an inbox sends no event
            await asyncio.sleep(0.02)
    read = [repr(each) for each in expected["read"]]
    for event, received in seen:
        assert event == received.webhook.data
        assert repr(received.webhook) in read
    assert len(expected["read"]) > 200 < len(expected["refused"])
    assert json.loads(sample("fax"))["id"] in {getattr(event, "id", None) for event, _ in seen}


async def deliver(served: Any, body: bytes, kind: str) -> int:
    pieces = iter([body, b""])

    async def read() -> bytes:
        return next(pieces, b"")

    answer = await served._intake.answer(Arrival("POST", served.token(kind), {}, None, read))
    return int(answer.status)
