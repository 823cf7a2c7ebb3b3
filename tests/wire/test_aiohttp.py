"""The aiohttp transport under aioresponses, which replaces `ClientSession._request` in users' own tests."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import aiohttp
import pytest
from aioresponses import aioresponses

from voxloud_async.errors import RequestNotSentError, ResponseLostError
from voxloud_async.wire.aiohttp import AiohttpTransport
from voxloud_async.wire.message import Headers, Request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

URL = "https://developer.voxloud.com/api/v1/contacts"


class MockedResponse(aiohttp.ClientResponse):
    """aioresponses 0.7.9 does not know the `stream_writer` that aiohttp 3.14 asks for."""

    def __init__(self, *args: Any, **options: Any) -> None:
        if "stream_writer" in inspect.signature(aiohttp.ClientResponse.__init__).parameters:
            options["stream_writer"] = Mock(output_size=0)
        super().__init__(*args, **options)


@pytest.fixture
def mocked() -> Iterator[aioresponses]:
    with aioresponses() as mock:
        yield mock


@pytest.fixture
async def transport() -> AsyncIterator[AiohttpTransport]:
    transport = AiohttpTransport()
    yield transport
    await transport.aclose()


async def test_answer(transport: AiohttpTransport, mocked: aioresponses) -> None:
    mocked.get(URL, status=404, body=b"{}", headers={"X-Request": "7"}, response_class=MockedResponse)
    answer = await transport.send(Request(method="GET", url=URL), timeout=5)
    assert (answer.status, answer.body, answer.headers["x-request"]) == (404, b"{}", "7")


async def test_what_aiohttp_is_asked(transport: AiohttpTransport, mocked: aioresponses) -> None:
    mocked.post(URL, response_class=MockedResponse)
    request = Request(method="POST", url=URL, headers=Headers({"Voverc-Auth": "key"}), body=b"{}")
    await transport.send(request, timeout=5)
    ((call,),) = mocked.requests.values()
    assert (call.kwargs["data"], call.kwargs["allow_redirects"]) == (b"{}", False)
    assert dict(call.kwargs["headers"]) == {"Voverc-Auth": "key", "Accept-Encoding": "gzip, deflate"}


async def test_stream(transport: AiohttpTransport, mocked: aioresponses) -> None:
    mocked.get(URL, body=b"a,b\n1,2\n", response_class=MockedResponse)
    answer = await transport.send(Request(method="GET", url=URL, stream=True), timeout=5)
    assert answer.stream is not None
    assert [chunk async for chunk in answer.stream] == [b"a,b\n1,2\n"]


KEY = Mock(ssl=True, host="developer.voxloud.com", port=443)


@pytest.mark.parametrize(
    "error",
    [
        aiohttp.ClientConnectorError(KEY, OSError(111, "refused")),
        aiohttp.ClientConnectorDNSError(KEY, OSError(-2, "unknown")),
        aiohttp.ConnectionTimeoutError(URL),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_class_that_proves_nothing_was_sent(
    transport: AiohttpTransport, mocked: aioresponses, error: Exception
) -> None:
    mocked.post(URL, exception=error)
    with pytest.raises(RequestNotSentError, match=type(error).__name__) as caught:
        await transport.send(Request(method="POST", url=URL), timeout=5)
    assert caught.value.retryable


@pytest.mark.parametrize(
    "error",
    [
        aiohttp.ServerDisconnectedError(),
        aiohttp.ClientOSError(104, "reset"),
        aiohttp.SocketTimeoutError(),
        aiohttp.ClientPayloadError(URL),
        ConnectionResetError(104, "reset"),
        TimeoutError(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_class_that_proves_nothing_counts_as_sent(
    transport: AiohttpTransport, mocked: aioresponses, error: Exception
) -> None:
    mocked.post(URL, exception=error)
    with pytest.raises(ResponseLostError, match=type(error).__name__) as caught:
        await transport.send(Request(method="POST", url=URL), timeout=5)
    assert caught.value.sent
