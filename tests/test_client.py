"""The client: what it hides, what it makes of answers, whom it serves and how it ends."""

from __future__ import annotations

import asyncio
import gc
import logging
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from tests.clients import ACCOUNT, BASE, CONTACT, KEY, TRANSPORTS, scripted, silent
from tests.wire.raw_server import answers, reply, serving, until
from voxloud_async import RetryPolicy, VoxloudClient
from voxloud_async.errors import (
    ClientClosedError,
    DecodeError,
    MethodNotAllowedError,
    NotFoundError,
    OutcomeUnknownError,
    ServerError,
    UnexpectedRedirectError,
)
from voxloud_async.sandbox import Quirks, Sandbox, in_background
from voxloud_async.testing import FakeClock, FakeTransport, answer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from voxloud_async.wire.message import Request, Response

# What it hides


async def test_g2_neither_repr_nor_log_holds_the_key(caplog: pytest.LogCaptureFixture) -> None:
    client, transport = scripted(answer({"message": KEY}, status=500), answer({"message": KEY}, status=404))
    with caplog.at_level(logging.DEBUG), pytest.raises(NotFoundError) as caught:
        await client.contacts.get("54db")
    shown = [repr(client), str(vars(client)), caplog.text, repr(caught.value), str(vars(caught.value))]
    assert KEY not in "".join(shown)
    assert KEY not in repr(transport.requests)
    assert transport.requests[0].headers["Voverc-Auth"] == KEY


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_g2_and_p16_the_key_goes_to_no_other_host(transport: Any, status: int) -> None:
    if transport == "httpx2":
        pytest.importorskip("httpx2")
    async with serving(answers(reply(b"{}"))) as elsewhere:
        redirect = reply(status=f"{status} Moved", headers=(f"Location: {elsewhere.url('/x?y=1')}",))
        async with serving(answers(redirect)) as server:
            async with VoxloudClient(KEY, base_url=server.url(""), transport=transport, rate=None) as client:
                for call in (client.users.list, client.validate_auth):
                    with pytest.raises(UnexpectedRedirectError) as caught:
                        await call()
                    assert caught.value.status == status
                with pytest.raises(UnexpectedRedirectError):
                    await client.click_to_call.connect("8ff3", contact="+39987654321")
            assert [KEY.encode() in request for request in server.requests] == [True, True, True]
        assert elsewhere.connections == 0


# What it makes of answers


@pytest.mark.parametrize("status", [200, 201, 202, 203, 206, 226])
async def test_g6_any_2xx_is_a_success(status: int) -> None:
    client, _ = scripted(answer({"id": "54db"}, status=status), answer({}, status=status))
    assert (await client.contacts.create(first_name="Ada", primary_phone="+390612345678")).id == "54db"
    await client.contacts.delete("54db")


async def test_an_error_with_a_status_of_success_says_what_the_service_says() -> None:
    said = answer({"error": "quota exceeded"})
    client, transport = scripted(said, said, said, answer({"data": [], "has_next": False}))
    with pytest.raises(DecodeError, match='name: missing; the service says "quota exceeded"') as caught:
        await client.validate_auth()
    assert (caught.value.host, caught.value.message) == ("api.example", "quota exceeded")
    with pytest.raises(DecodeError, match="data: missing"):
        await client.contacts.search().collect()
    with pytest.raises(OutcomeUnknownError, match='id: missing; the service says "quota exceeded"') as unknown:
        await client.contacts.create(first_name="Ada", primary_phone="+390612345678")
    assert isinstance(unknown.value.__cause__, DecodeError)
    assert len(transport.requests) == 4


async def test_g5_html_on_a_wrong_path_is_an_error() -> None:
    async with (
        Sandbox(events=0, quirks=Quirks(wrong_path="html")) as sandbox,
        VoxloudClient(sandbox.api_key, base_url=f"{sandbox.url}/docs") as client,
    ):
        with pytest.raises((NotFoundError, DecodeError)) as caught:
            await client.users.list()
    assert "html" not in str(caught.value)


async def test_an_answer_that_does_not_read_makes_a_create_unknown() -> None:
    client, _ = scripted(answer(b"<html>"), answer(b"<html>"), answer(b"<html>"))
    with pytest.raises(DecodeError) as caught:
        await client.contacts.get("54db")
    assert caught.value.operation == "GET /api/v1/contacts/{id}"
    with pytest.raises(OutcomeUnknownError):
        await client.contacts.create(first_name="Ada", primary_phone="+390612345678")


async def update_contact(client: VoxloudClient) -> Any:
    return await client.contacts.update("54db", first_name="Ada", primary_phone="+390612345678")


async def update_subscription(client: VoxloudClient) -> Any:
    return await client.webhook_subscriptions.update("54db", callback_url="https://x.example", event_type="FAX_CALL")


@pytest.mark.parametrize("update", [update_contact, update_subscription])
async def test_c1_and_w4_a_405_switches_the_verb_once_and_for_all(
    update: Callable[[VoxloudClient], Awaitable[Any]],
) -> None:
    client, transport = scripted(answer(status=405), CONTACT, CONTACT, CONTACT)
    for each in (client, client, client.with_options(timeout=5)):
        assert (await update(each)).id == "54db"
    assert [request.method for request in transport.requests] == ["PUT", "POST", "POST", "POST"]


@pytest.mark.parametrize("update", [update_contact, update_subscription])
@pytest.mark.parametrize("status", [400, 404, 500])
async def test_c1_and_w4_no_other_status_switches_the_verb(
    update: Callable[[VoxloudClient], Awaitable[Any]], status: int
) -> None:
    client, transport = scripted(*[answer(status=status)] * 4, retry=RetryPolicy(max_attempts=2))
    with pytest.raises(Exception, match=str(status)):
        await update(client)
    assert {request.method for request in transport.requests} == {"PUT"}


async def test_k9_a_405_to_connect_is_an_error() -> None:
    client, transport = scripted(answer(status=405))
    with pytest.raises(MethodNotAllowedError):
        await client.click_to_call.connect("8ff3", contact="+39987654321")
    assert len(transport.requests) == 1


async def test_g10_one_429_pauses_every_call_of_the_client() -> None:
    clock = FakeClock()
    times: list[float] = []

    def refuse(_: Request) -> Response:
        return answer({"message": "slow down"}, status=429, headers={"Retry-After": "7"})

    def accept(_: Request) -> Response:
        times.append(clock.now())
        return CONTACT

    client = VoxloudClient(KEY, base_url=BASE, clock=clock, transport=FakeTransport(refuse, *[accept] * 4), rate=None)
    assert (await client.contacts.get("54db")).id == "54db"
    await asyncio.gather(*(client.with_options(timeout=5).contacts.get("54db") for _ in range(3)))
    assert len(times) == 4
    assert min(times) >= 7.0


# Its options and its life


async def test_with_options_shares_the_session() -> None:
    client, transport = scripted(*[answer(status=500)] * 3)
    hasty = client.with_options(retry=RetryPolicy(max_attempts=1), timeout=3.0, max_wait=5.0)
    assert type(hasty) is VoxloudClient
    assert repr(hasty) == repr(client)
    with pytest.raises(ServerError):
        await hasty.users.list()
    assert len(transport.requests) == 1
    kept = hasty.with_options()
    with pytest.raises(ServerError) as caught:
        await kept.users.list()
    assert caught.value.attempts == 1
    await hasty.aclose()
    with pytest.raises(ClientClosedError):
        await client.users.list()


async def test_with_options_keeps_what_a_derived_class_added() -> None:
    class Tenant(VoxloudClient):
        def __init__(self, name: str, **options: Any) -> None:
            super().__init__(KEY, **options)
            self.name = name

    client = Tenant("Rossi", base_url=BASE, transport=FakeTransport(answer([])), clock=FakeClock())
    other = client.with_options(timeout=3.0)
    assert (type(other), other.name) == (Tenant, "Rossi")
    assert await other.users.list() == []
    assert other.users != client.users


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"timeout": 0}, ValueError),
        ({"max_wait": "5"}, TypeError),
        ({"retry": 0}, TypeError),
        ({"rate": 5}, TypeError),
    ],
)
def test_with_options_refuses_what_the_client_would(options: dict[str, Any], kind: type[Exception]) -> None:
    client, _ = scripted()
    with pytest.raises(kind):
        client.with_options(**options)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_one_client_serves_one_run_after_another(transport: Any) -> None:
    if transport == "httpx2":
        pytest.importorskip("httpx2")
    with in_background(Sandbox(events=0, contacts=5)) as sandbox, warnings.catch_warnings():
        warnings.simplefilter("error")
        client = VoxloudClient(sandbox.api_key, base_url=sandbox.url, transport=transport)

        async def work() -> int:
            return len(await client.contacts.search(page_size=2).collect())

        async def work_at_once() -> list[int]:
            return await asyncio.gather(*(work() for _ in range(3)))

        assert asyncio.run(work()) == 5
        assert asyncio.run(work_at_once()) == [5, 5, 5]
        asyncio.run(client.aclose())
        gc.collect()
        with pytest.raises(ClientClosedError):
            asyncio.run(work())


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_closing_ends_the_calls_under_way(transport: Any) -> None:
    if transport == "httpx2":
        pytest.importorskip("httpx2")
    async with serving(silent) as server:
        client = VoxloudClient(KEY, base_url=server.url(""), transport=transport, rate=None)
        calls = [asyncio.create_task(client.users.list()) for _ in range(3)]
        await until(lambda: len(server.requests) == 3)
        await client.aclose()
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [ClientClosedError] * 3
        await client.aclose()
        await server.all_hung_up()
        assert len(server.requests) == 3


async def test_after_closing_nothing_is_sent() -> None:
    client, transport = scripted(ACCOUNT)
    async with client as entered:
        assert entered is client
    listing = client.contacts.search()
    for call in (client.validate_auth(), client.request("GET", "/x"), listing.collect(), client.is_authenticated()):
        with pytest.raises(ClientClosedError):
            await call
    assert transport.requests == []
    await client.aclose()


async def test_a_walk_that_is_closed_half_way_says_so() -> None:
    page = {"data": [{"id": "1"}, {"id": "2"}], "has_next": True}
    client, _ = scripted(answer(page), answer(page))
    walk = aiter(client.contacts.search(page_size=2))
    assert (await anext(walk)).id == "1"
    await client.aclose()
    assert (await anext(walk)).id == "2"
    with pytest.raises(ClientClosedError):
        await anext(walk)


async def test_what_happens_is_told_to_subscribers() -> None:
    told: list[Any] = []
    client, _ = scripted(ACCOUNT, subscribers=[told.append])
    await client.validate_auth()
    assert {type(event).__name__ for event in told} >= {"AttemptEnded", "CallEnded"}
