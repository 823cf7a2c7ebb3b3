"""Clients that get one contact. Each is made once, and closed at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import httpx2
import openai
import orjson

from benchmarks.generated_client import module
from voxloud_async import VoxloudClient
from voxloud_async.wire.aiohttp import AiohttpTransport
from voxloud_async.wire.message import Headers, Request

OURS = "voxloud_async"
BASE = "aiohttp and orjson"

KEY = "key"
RATE = 1e9
"""Requests a second: the limiter does all its work and holds nobody back."""

Get = Callable[[], Awaitable[object]]


@asynccontextmanager
async def contenders(url: str, contact: str) -> AsyncIterator[dict[str, Get]]:
    """Every client, ready to get the contact."""
    async with AsyncExitStack() as stack:
        yield {
            BASE: await bare(stack, url, contact),
            OURS: await whole(stack, url, contact),
            "voxloud_async, transport alone": await _transport(stack, url, contact),
            "httpx2 and orjson": await _httpx2(stack, url, contact),
            "openapi-python-client": await _generated(stack, url, contact),
            "openai": await _openai(stack, url, contact),
        }


async def bare(stack: AsyncExitStack, url: str, contact: str) -> Get:
    """A session with its defaults, and a parser."""
    session = await stack.enter_async_context(aiohttp.ClientSession(headers={"Voverc-Auth": KEY}))
    address = f"{url}/api/v1/contacts/{contact}"

    async def get() -> object:
        async with session.get(address) as answer:
            return orjson.loads(await answer.read())

    return get


async def whole(stack: AsyncExitStack, url: str, contact: str) -> Get:
    """The client, with all that it does for a call."""
    made = await stack.enter_async_context(VoxloudClient(KEY, base_url=url, rate=RATE))
    return lambda: made.contacts.get(contact)


async def _transport(stack: AsyncExitStack, url: str, contact: str) -> Get:
    transport = AiohttpTransport()
    stack.push_async_callback(transport.aclose)
    headers = Headers([("Accept", "application/json"), ("User-Agent", "bench"), ("Voverc-Auth", KEY)])
    request = Request(method="GET", url=f"{url}/api/v1/contacts/{contact}", headers=headers)

    async def get() -> object:
        return orjson.loads((await transport.send(request, timeout=20.0)).body)

    return get


async def _httpx2(stack: AsyncExitStack, url: str, contact: str) -> Get:
    limits = httpx2.Limits(max_connections=100)
    made = httpx2.AsyncClient(headers={"Voverc-Auth": KEY}, limits=limits, trust_env=False)
    client = await stack.enter_async_context(made)
    address = f"{url}/api/v1/contacts/{contact}"

    async def get() -> object:
        return orjson.loads((await client.get(address)).content)

    return get


async def _generated(stack: AsyncExitStack, url: str, contact: str) -> Get:
    made = module("client").AuthenticatedClient(
        base_url=url, token=KEY, prefix="", auth_header_name="Voverc-Auth", httpx_args={"trust_env": False}
    )
    client = await stack.enter_async_context(made)
    operation = module("api.contacts.get_contact")
    return lambda: operation.asyncio(contact, client=client)


async def _openai(stack: AsyncExitStack, url: str, contact: str) -> Get:
    made = openai.AsyncOpenAI(api_key=KEY, base_url=url, http_client=openai.DefaultAsyncHttpxClient(trust_env=False))
    client = await stack.enter_async_context(made)
    path = f"/api/v1/contacts/{contact}"
    return lambda: client.get(path, cast_to=openai.BaseModel)
