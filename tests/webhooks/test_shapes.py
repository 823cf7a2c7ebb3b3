"""Every shape in which a sandbox delivers is handled, whatever field of it is odd."""

from __future__ import annotations

import asyncio

import pytest

from tests.sandbox.receiving import receiving
from tests.webhooks.desk import Desk, VirtualClock, virtually
from voxloud_async.models import UnknownEvent
from voxloud_async.sandbox import Quirks, Sandbox, Traffic
from voxloud_async.webhooks.inbox.memory import MemoryInbox
from voxloud_async.webhooks.notices import Revised

NAMES = {
    *("delivery_envelope", "delivery_times", "delivery_fax", "delivery_record_id", "delivery_record_time"),
    *("delivery_mistyped", "delivery_pbx_id", "delivery_envelope_time", "delivery_transcription"),
}
READINGS = [each for each in Quirks.every() if NAMES.intersection(each.changed())]


async def delivered(quirks: Quirks) -> list[bytes]:
    """The bodies of some calls of each kind."""
    sandbox = Sandbox(events=0, quirks=quirks)
    async with receiving() as service, sandbox:
        service.subscribe(sandbox)
        sandbox.change_traffic(Traffic(calls_per_second=1e6, calls=40))
        await sandbox.drain()
    return service.bodies


@pytest.mark.parametrize("quirks", READINGS, ids=lambda quirks: str(quirks.changed()))
def test_w1_everything_that_is_delivered_is_handled(quirks: Quirks) -> None:
    bodies = asyncio.run(delivered(quirks))

    async def main() -> None:
        desk = Desk(MemoryInbox(wall=VirtualClock().wall))
        seen: list[object] = []

        @desk.receiver.on("PHONE_CALL", "CLICK_TO_CALL", "FAX_CALL")
        async def book(event: object) -> None:
            seen.append(event)

        @desk.receiver.on("CALL_STARTED", "CALL_INCOMING", "CALL_ANSWERED", "CALL_HANGUP")
        async def ring(event: object) -> None:
            seen.append(event)

        async with desk.receiver:
            revisions = 0
            for body in bodies:
                notice = await desk.receiver._lifetime.add(desk.stored(body))
                revisions += isinstance(notice("PHONE_CALL"), Revised)
            await desk.settled()
        assert len(seen) == len(bodies) - revisions > 100
        assert not any(isinstance(event, UnknownEvent) for event in seen)
        assert (revisions > 10) is (quirks.delivery_transcription == "later")

    virtually(main)
