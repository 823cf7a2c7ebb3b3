"""Over real sockets, on both transports: no phone rings twice, nothing is created twice, and reads come through."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from attrs import frozen

from tests.session.fast_time import FastClock
from voxloud_async import VoxloudClient
from voxloud_async.errors import OutcomeUnknownError, ResponseLostError, ServerError
from voxloud_async.sandbox import Fault, Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

CUTS = [
    Fault(cut=place, executed=executed)
    for place in ("before_headers", "inside_headers", "inside_body")
    for executed in (False, True)
]
STATUSES = [Fault(status=status, executed=executed) for status in (500, 502, 503, 504) for executed in (False, True)]
FAULTS = [*CUTS, *STATUSES]


def named(fault: Any) -> str | None:
    if not isinstance(fault, Fault):
        return None
    return f"{fault.cut or fault.status} {'after' if fault.executed else 'before'} it took effect"


@pytest.fixture(params=["aiohttp", "httpx2"])
def transport(request: pytest.FixtureRequest) -> str:
    if request.param == "httpx2":
        pytest.importorskip("httpx2", reason="the extra [httpx2] is not installed")
    return str(request.param)


@frozen
class Once:
    """What must not happen twice: how to ask for it, and how often it has happened."""

    path: str
    send: Callable[[VoxloudClient, Sandbox], Awaitable[object]]
    happened: Callable[[Sandbox], int]


def _connect(client: VoxloudClient, sandbox: Sandbox) -> Awaitable[object]:
    return client.click_to_call.connect(next(iter(sandbox.state.click_to_calls)), contact="+390312345678")


def _contact(client: VoxloudClient, _sandbox: Sandbox) -> Awaitable[object]:
    return client.contacts.create(first_name="John", primary_phone="+390312345678")


def _subscription(client: VoxloudClient, _sandbox: Sandbox) -> Awaitable[object]:
    return client.webhook_subscriptions.create(
        callback_url="https://example.org/hook", event_type="CALL_INCOMING", notification_email="a@example.org"
    )


def _click_to_call(client: VoxloudClient, sandbox: Sandbox, name: str = "support") -> Awaitable[object]:
    number = str(sandbox.state.directory.dids[0].number)
    return client.click_to_call.create(name=name, extension="101", outbound_number=number)


ONCE = {
    "connect": Once("/api/v1/click-to-call/", _connect, lambda sandbox: len(sandbox.calls_placed)),
    "contact": Once("/api/v1/contacts", _contact, lambda sandbox: len(sandbox.state.contacts)),
    "subscription": Once(
        "/api/v1/webhook-subscriptions", _subscription, lambda sandbox: len(sandbox.state.subscriptions)
    ),
    "click to call": Once(
        "/api/v1/click-to-call", _click_to_call, lambda sandbox: len(sandbox.state.click_to_calls) - 1
    ),
}
CREATES = [name for name in ONCE if name != "connect"]


@asynccontextmanager
async def served(transport: Any) -> AsyncIterator[tuple[VoxloudClient, Sandbox]]:
    """A sandbox with one click-to-call, and a client that waits fast."""
    async with (
        Sandbox(contacts=0, users=3, groups=1, events=50) as sandbox,
        VoxloudClient(
            sandbox.api_key, base_url=sandbox.url, transport=transport, clock=FastClock(), chance=lambda: 0.0
        ) as client,
    ):
        await _click_to_call(client, sandbox, name="reception")
        sandbox.requests.clear()
        yield client, sandbox


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.executed], ids=named)
@pytest.mark.parametrize("name", CREATES)
async def test_g11_what_was_created_is_found_and_sent_once(transport: str, name: str, fault: Fault) -> None:
    once = ONCE[name]
    async with served(transport) as (client, sandbox):
        before = once.happened(sandbox)
        sandbox.fail_next(fault, match=f"POST {once.path}")
        found: Any = await once.send(client, sandbox)
        assert found.id in {*sandbox.state.contacts, *sandbox.state.subscriptions, *sandbox.state.click_to_calls}
        assert sandbox.count("POST", once.path) == 1
        assert once.happened(sandbox) - before == 1


@pytest.mark.parametrize("fault", FAULTS, ids=named)
@pytest.mark.parametrize("name", ONCE)
async def test_k9_g11_what_may_have_happened_reaches_the_server_once(transport: str, name: str, fault: Fault) -> None:
    once = ONCE[name]
    async with served(transport) as (client, sandbox):
        before = once.happened(sandbox)
        sandbox.fail_next(fault, match=f"POST {once.path}")
        sandbox.fail_next(Fault(status=404), match="GET ")  # nor can one look
        with pytest.raises(OutcomeUnknownError) as caught:
            await once.send(client, sandbox)
        assert (caught.value.attempts, caught.value.sent) == (1, True)
        assert isinstance(caught.value.__cause__, ResponseLostError if fault.cut else ServerError)
        assert sandbox.count("POST", once.path) == 1
        assert once.happened(sandbox) - before == fault.executed


@pytest.mark.parametrize("name", ONCE)
@pytest.mark.parametrize("retry_after", [None, "1"])
async def test_k9_after_a_429_it_happens_exactly_once(transport: str, name: str, retry_after: str | None) -> None:
    once = ONCE[name]
    async with served(transport) as (client, sandbox):
        before = once.happened(sandbox)
        sandbox.fail_next(Fault(status=429, retry_after=retry_after), match=f"POST {once.path}")
        await once.send(client, sandbox)
        assert sandbox.count("POST", once.path) == 2
        assert once.happened(sandbox) - before == 1


@pytest.mark.parametrize("name", ["connect", "contact", "subscription"])  # of click-to-calls there is a quota
async def test_many_that_fail_at_once_happen_once_each(transport: str, name: str) -> None:
    once = ONCE[name]
    async with served(transport) as (client, sandbox):
        before = once.happened(sandbox)
        sandbox.fail_next(Fault(cut="inside_headers", executed=True), n=10, match=f"POST {once.path}")
        results = await asyncio.gather(*(once.send(client, sandbox) for _ in range(20)), return_exceptions=True)
        assert sum(isinstance(result, OutcomeUnknownError) for result in results) == 10
        assert sandbox.count("POST", once.path) == 20
        assert once.happened(sandbox) - before == 20


@pytest.mark.parametrize("fault", FAULTS, ids=named)
async def test_reads_come_through_with_everything_right(transport: str, fault: Fault) -> None:
    async with served(transport) as (client, sandbox):
        events = client.telephony_events.query(
            date_time_from=datetime(2020, 1, 1, tzinfo=UTC), date_time_to=datetime(2030, 1, 1, tzinfo=UTC), page_size=20
        )
        sandbox.fail_next(fault, n=2, match="GET /api/v2/users")
        sandbox.fail_next(fault, match="POST /api/v1/validate-auth")
        sandbox.fail_next(fault, n=2, match="POST /api/v1/telephony-events")
        assert len(await client.users.list()) == 3
        assert (await client.validate_auth()).email
        found = await events.collect()
        assert len({event.id for event in found}) == len(found) == 50
        counts = [sandbox.count(path_prefix=f"/api/{path}") for path in ("v2/users", "v1/validate", "v1/telephony")]
        assert counts == [3, 2, 5]


@pytest.mark.parametrize("fault", FAULTS, ids=named)
async def test_updates_and_deletes_are_repeated_and_done(transport: str, fault: Fault) -> None:
    async with served(transport) as (client, sandbox):
        contact = await client.contacts.create(first_name="John", primary_phone="+390312345678")
        sandbox.fail_next(fault, match="PUT ")
        sandbox.fail_next(fault, match="DELETE ")
        updated = await client.contacts.update(contact.id, first_name="Jane", primary_phone="+390312345678")
        assert updated.first_name == "Jane"
        await client.contacts.delete(contact.id)
        assert not sandbox.state.contacts
        # The answer to a delete is empty: there is no body to cut.
        deletes = 1 if fault == Fault(cut="inside_body", executed=True) else 2
        assert (sandbox.count("PUT"), sandbox.count("DELETE")) == (2, deletes)
