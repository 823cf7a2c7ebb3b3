"""A sandbox and a plain HTTP client for it: nothing of the SDK."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from attrs import define, frozen
from yarl import URL

from tests.sandbox.receiving import Receiver, receiving
from voxloud_async.sandbox import Quirks, Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    Serve = Callable[..., Awaitable["Api"]]


@frozen
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@frozen
class Api:
    """The sandbox and a session that carries its key."""

    sandbox: Sandbox
    session: aiohttp.ClientSession

    async def ask(self, method: str, path: str, **options: Any) -> Reply:
        url = URL(self.sandbox.url + path, encoded=True)
        async with self.session.request(method, url, **options) as response:
            return Reply(response.status, response.headers, await response.read())

    async def get(self, path: str, **options: Any) -> Any:
        """The JSON of a GET that succeeds."""
        return (await self._succeed("GET", path, **options)).json

    async def post(self, path: str, body: Any = None, **options: Any) -> Any:
        return (await self._succeed("POST", path, json=body, **options)).json

    async def put(self, path: str, body: Any) -> Any:
        return (await self._succeed("PUT", path, json=body)).json

    async def refused(self, status: int, method: str, path: str, **options: Any) -> str:
        """The message of an error with this status."""
        reply = await self.ask(method, path, **options)
        assert reply.status == status
        assert reply.json["status"] == status
        return str(reply.json["message"])

    async def _succeed(self, method: str, path: str, **options: Any) -> Reply:
        reply = await self.ask(method, path, **options)
        assert 200 <= reply.status < 300, reply.body
        return reply


async def events_of(api: Api, path: str = "/api/v1/telephony-events?size=200", **body: Any) -> list[dict[str, Any]]:
    """The rows of a query."""
    content: list[dict[str, Any]] = (await api.post(path, body))["content"]
    return content


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start a small sandbox with these options, or with these quirks by name."""
    async with AsyncExitStack() as stack:

        async def start(*, quirks: dict[str, Any] | None = None, **options: Any) -> Api:
            size: dict[str, Any] = {
                "contacts": 30,
                "users": 3,
                "groups": 2,
                "events": 200,
                "media_url": "https://media.example",  # so that the bytes do not depend on the port
                "quirks": Quirks(**(quirks or {})),
            }
            sandbox = await stack.enter_async_context(Sandbox(**(size | options)))
            headers = {"Voverc-Auth": sandbox.api_key}
            session = await stack.enter_async_context(aiohttp.ClientSession(headers=headers))
            return Api(sandbox, session)

        yield start


@pytest.fixture
async def api(serve: Serve) -> Api:
    return await serve()


@define
class ManualTime:
    """A clock that moves when told, and a sleep that moves it."""

    now: float = 100.0

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


class HeldSleep:
    """A sleep that lasts until `gate` is opened; `asleep` counts who fell asleep."""

    def __init__(self) -> None:
        self.asleep = asyncio.Semaphore(0)
        self.gate = asyncio.Event()

    async def sleep(self, _seconds: float) -> None:
        self.asleep.release()
        await self.gate.wait()


@pytest.fixture
def held() -> HeldSleep:
    return HeldSleep()


@pytest.fixture
def manual_time() -> ManualTime:
    return ManualTime()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made
