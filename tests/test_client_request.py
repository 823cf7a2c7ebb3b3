"""`client.request`, the way to what the client has no method for."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.clients import BASE, KEY, scripted
from voxloud_async.errors import OutcomeUnknownError, UsageError
from voxloud_async.testing import answer


async def test_a_free_request_gives_decoded_json() -> None:
    client, transport = scripted(answer({"a": [1]}), answer(status=204), answer([1]))
    assert await client.request("GET", "/api/v1/anything", query={"q": "a b+"}) == {"a": [1]}
    assert await client.request("DELETE", "/api/v1/anything/5") is None
    assert await client.request("POST", "/api/v1/anything", body={"n": None}) == [1]
    assert [request.url.removeprefix(BASE) for request in transport.requests] == [
        "/api/v1/anything?q=a%20b%2B",
        "/api/v1/anything/5",
        "/api/v1/anything",
    ]
    assert transport.requests[2].body == b'{"n":null}'
    assert all(request.headers["Voverc-Auth"] == KEY for request in transport.requests)


async def test_a_free_request_has_the_safety_of_what_it_does() -> None:
    client, transport = scripted(answer(status=500), answer({}), answer(status=500), answer(status=500))
    assert await client.request("POST", "/api/v1/telephony-events", body={}) == {}
    for path in ("/api/v1/anything", "/api/v1/click-to-call/5/connect"):
        with pytest.raises(OutcomeUnknownError) as caught:
            await client.request("POST", path, body={})
        with pytest.raises(UsageError, match="of a request of your own"):
            await caught.value.resolve()
    assert transport.left == 0


TRICKS = [
    "//evil.example/api",
    "https://evil.example/",
    "@evil.example/",
    ".evil.example/",
    "/../admin",
    "/api/..",
    "/api/%2e%2e/admin",
    "/api/..;/admin",
    "/api/v1/contacts?limit=1",
    "/api/v1/contacts#part",
    "/api\\..\\admin",
    "/api/ v1",
    "/api/\r\nX: y",
    "",
]


@pytest.mark.parametrize("path", TRICKS)
async def test_a_path_leads_to_no_other_place(path: str) -> None:
    client, transport = scripted()
    with pytest.raises(ValueError, match="path"):
        await client.request("GET", path)
    assert transport.requests == []


@pytest.mark.parametrize(
    ("options", "kind", "names"),
    [
        ({"method": "get"}, ValueError, "method"),
        ({"method": None}, TypeError, "method"),
        ({"path": None}, TypeError, "path"),
        ({"query": "a=b"}, TypeError, "query"),
        ({"query": {"limit": 5}}, TypeError, "query"),
        ({"query": {"q": "\ud800"}}, ValueError, "surrogates"),
        ({"body": {"n": math.nan}}, ValueError, "JSON"),
        ({"body": {1, 2}}, TypeError, "JSON"),
        ({"headers": {}}, TypeError, "headers"),
    ],
)
async def test_a_bad_free_request_is_told_before_anything_is_sent(
    options: dict[str, Any], kind: type[Exception], names: str
) -> None:
    client, transport = scripted()
    with pytest.raises(kind, match=names):
        await client.request(**{"method": "POST", "path": "/api/v1/anything"} | options)
    assert transport.requests == []
