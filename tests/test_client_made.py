"""How a client is made, and what it refuses."""

from __future__ import annotations

import math
import pydoc
import sys
from typing import Any

import pytest

from tests.clients import ACCOUNT, BASE, KEY, TRANSPORTS, scripted
from voxloud_async import VoxloudClient
from voxloud_async.client import InsecureBaseURLWarning
from voxloud_async.errors import (
    ClientClosedError,
)
from voxloud_async.sandbox import Sandbox
from voxloud_async.testing import FakeTransport


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


@pytest.mark.parametrize(
    ("method", "word"),
    [
        (VoxloudClient.contacts.search, "page_size"),
        (VoxloudClient.users.list, "API: "),
        (VoxloudClient.webhook_subscriptions.create, "event_type"),
        (VoxloudClient.telephony_events.query, "date_time_from"),
        (VoxloudClient.click_to_call.create, "dial_first"),
    ],
)
def test_help_is_had_of_the_class(method: Any, word: str) -> None:
    text = pydoc.plain(pydoc.render_doc(method))
    assert method.__name__ in text
    assert word in text


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
