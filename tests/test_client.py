"""The client: how it is made, what it refuses, whom it serves and how it ends."""

from __future__ import annotations

import asyncio
import gc
import logging
import math
import sys
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from tests.wire.raw_server import answers, reply, serving, until
from voxloud_async import RetryPolicy, VoxloudClient
from voxloud_async.client import InsecureBaseURLWarning
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

    from tests.wire.raw_server import Conversation
    from voxloud_async.wire.message import Request, Response

KEY = "k3y-0f-the-PBX"
BASE = "https://api.example"
ACCOUNT = answer({"name": "Rossi", "email": "admin@example.com"})
CONTACT = answer({"id": "54db"})
TRANSPORTS: list[Any] = ["aiohttp", "httpx2"]


def scripted(*script: Any, **options: Any) -> tuple[VoxloudClient, FakeTransport]:
    transport = FakeTransport(*script)
    return VoxloudClient(KEY, base_url=BASE, transport=transport, clock=FakeClock(), **options), transport


async def silent(conversation: Conversation) -> None:
    """Hear the request and answer nothing."""
    await conversation.hear()
    await conversation.hold()


# How it is made


async def test_key_and_address_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOXLOUD_API_KEY", "from-environment")
    monkeypatch.setenv("VOXLOUD_BASE_URL", "https://else.example/")
    transport = FakeTransport(ACCOUNT, ACCOUNT)
    await VoxloudClient(transport=transport).validate_auth()
    await VoxloudClient("given", base_url=BASE, transport=transport).validate_auth()
    assert [request.headers["Voverc-Auth"] for request in transport.requests] == ["from-environment", "given"]
    assert [request.url for request in transport.requests] == [
        "https://else.example/api/v1/validate-auth",
        "https://api.example/api/v1/validate-auth",
    ]


async def test_g4_and_g5_the_base_url_is_a_host_and_configurable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOXLOUD_BASE_URL", "")
    client = VoxloudClient(KEY, transport=FakeTransport())
    assert repr(client) == "<VoxloudClient https://developer.voxloud.com>"
    assert "proxy.example:8443/pbx" in repr(VoxloudClient(KEY, base_url="https://proxy.example:8443/pbx//"))


def test_without_a_key_it_says_where_one_may_come_from() -> None:
    with pytest.raises(ValueError, match="api_key is not given and VOXLOUD_API_KEY is not set"):
        VoxloudClient()


@pytest.mark.parametrize("key", ["", " ", "with space", "tab\t", "line\r\nX: y", "ключ", "\x7f", 57, b"bytes"])
def test_a_key_that_fits_no_header_is_refused_and_not_shown(key: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="api_key must ") as caught:
        VoxloudClient(key, transport=FakeTransport())
    assert not str(key).strip() or str(key) not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.example",
        "ftp://api.example",
        "https://",
        "https://user:word@api.example",
        "https://api.example?key=1",
        "https://api.example?",
        "https://api.example/#x",
        "https://api.example#",
        "https://api.example:port",
        "https://api example",
        "//api.example",
        "https://a..example",
        f"https://{'a' * 64}.example",
        "https://k\u00e4se.example",
        "https://xn--\u00e4.example",
        "https://api.example/k\u00e4se",
        "https://api.example/../admin",
        "https://api.example/a//b",
        "https://api.example/%2e%2e",
        "https://api.example/a;b",
    ],
)
def test_a_base_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="base_url") as caught:
        VoxloudClient(KEY, base_url=url, transport=FakeTransport())
    assert "word" not in str(caught.value)


@pytest.mark.parametrize("url", ["https://api.example/api/v1", "https://proxy.example/pbx/api/v2/"])
def test_a_base_url_that_goes_on_into_the_api_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="base_url must end before /api"):
        VoxloudClient(KEY, base_url=url, transport=FakeTransport())


def test_a_base_url_is_text() -> None:
    with pytest.raises(TypeError, match="base_url"):
        VoxloudClient(KEY, base_url=b"https://api.example", transport=FakeTransport())  # type: ignore[arg-type]


def test_http_to_a_foreign_host_warns() -> None:
    with pytest.warns(InsecureBaseURLWarning, match="base_url is not https") as warned:
        VoxloudClient(KEY, base_url="http://api.example", transport=FakeTransport())
    assert warned[0].filename == __file__


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:1", "https://api.example"])
def test_http_to_this_machine_does_not(url: str) -> None:
    VoxloudClient(KEY, base_url=url, transport=FakeTransport())


@pytest.mark.parametrize(
    ("options", "kind", "names"),
    [
        ({"timeout": 0}, ValueError, "timeout"),
        ({"timeout": "20"}, TypeError, "timeout"),
        ({"timeout": math.nan}, ValueError, "timeout"),
        ({"timeout": None}, TypeError, "timeout"),
        ({"max_wait": -1}, ValueError, "max_wait"),
        ({"max_wait": True}, TypeError, "max_wait"),
        ({"rate": 0}, ValueError, "rate"),
        ({"rate": "fast"}, ValueError, "rate must be 'learned', requests a second, None or a RedisRate"),
        ({"rate": math.inf}, ValueError, "rate"),
        ({"rate": [1]}, TypeError, "rate"),
        ({"retry": 3}, TypeError, "retry"),
        ({"retry": 0}, TypeError, "retry"),
        ({"max_concurrency": 0}, ValueError, "max_concurrency"),
        ({"max_concurrency": 1.5}, TypeError, "max_concurrency"),
        ({"transport": "requests"}, ValueError, "transport"),
        ({"transport": ""}, ValueError, "transport"),
        ({"transport": 5}, TypeError, "transport"),
        ({"transport": object()}, TypeError, "transport"),
        ({"proxy": "http://x"}, TypeError, "proxy"),
        ({"subscribers": print}, TypeError, "subscribers must be a list of callables"),
        ({"subscribers": [print, 1]}, TypeError, r"subscribers\[1\]"),
        ({"chance": 0.5}, TypeError, "chance"),
        ({"timeout": 10**400}, ValueError, "timeout"),
    ],
)
def test_a_bad_option_is_refused(options: dict[str, Any], kind: type[Exception], names: str) -> None:
    with pytest.raises(kind, match=names):
        VoxloudClient(KEY, **{"transport": FakeTransport()} | options)


@pytest.mark.parametrize("rate", ["learned", 5, 0.5, None])
async def test_every_kind_of_rate_sends(rate: Any) -> None:
    client, _ = scripted(ACCOUNT, rate=rate)
    assert (await client.validate_auth()).name == "Rossi"


@pytest.mark.parametrize("name", [None, *TRANSPORTS])
async def test_a_transport_has_a_name(name: Any) -> None:
    if name == "httpx2":
        pytest.importorskip("httpx2")
    async with Sandbox(events=0, contacts=1) as sandbox:
        async with VoxloudClient(sandbox.api_key, base_url=sandbox.url, transport=name) as client:
            assert (await client.validate_auth()).email
        with pytest.raises(ClientClosedError):
            await client.validate_auth()


async def test_a_transport_of_ones_own_is_ones_own_to_close() -> None:
    client, transport = scripted(ACCOUNT)
    async with client:
        await client.validate_auth()
    assert not transport.closed


async def test_a_closed_client_is_not_entered_again() -> None:
    client, _ = scripted(ACCOUNT)
    async with client, client.with_options(timeout=5):
        await client.validate_auth()
    for closed in (client, client.with_options(timeout=5)):
        with pytest.raises(ClientClosedError):
            await closed.__aenter__()


def test_without_httpx2_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "voxloud_async.wire.httpx2", raising=False)
    monkeypatch.setitem(sys.modules, "httpx2", None)
    with pytest.raises(ImportError, match=r"pip install 'voxloud_async\[httpx2\]'"):
        VoxloudClient(KEY, transport="httpx2")


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
