"""One delivery over HTTP: to this machine alone unless told otherwise, within a time, following no redirect."""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable, Collection

import aiohttp
from attrs import define, field
from yarl import URL

from .deliveries import Delivery

_HEADERS = {"Content-Type": "application/json", "User-Agent": "voxloud-sandbox"}
_PIECES = 10
_ENOUGH = 65_536


class UnansweredError(Exception):
    """The sender knows no answer; its text says why, and nothing of the receiver's address."""


@define
class Sender:
    """Posts deliveries; `timeout` is seconds for one, `hosts` may be posted to beside this machine."""

    timeout: float
    connections: int
    hosts: Collection[str]
    sleep: Callable[[float], Awaitable[object]]
    _session: aiohttp.ClientSession | None = field(default=None, init=False, repr=False)

    def allows(self, url: str) -> bool:
        """Whether a URL leads to this machine or to a host that was named."""
        try:
            host = URL(url).host or ""
        except ValueError:
            return False
        return host in self.hosts or _is_loopback(host)

    async def send(self, url: str, delivery: Delivery, *, slow_body: float) -> int:
        """Post a delivery and return the status of its answer. Raises UnansweredError."""
        body = _slowly(delivery.body, slow_body, self.sleep) if delivery.mishap == "slow" else delivery.body
        headers = _HEADERS | {"Content-Length": str(len(delivery.body))}
        try:
            async with self._open().post(url, data=body, headers=headers, allow_redirects=False) as response:
                delivery.status = response.status
                if delivery.mishap == "cut":
                    response.close()
                    raise UnansweredError("connection reset")
                await response.content.read(_ENOUGH)
                return response.status
        except TimeoutError:
            raise UnansweredError("timeout") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise UnansweredError(type(error).__name__) from None

    async def aclose(self) -> None:
        """Close all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self.connections),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=self.timeout),
            )
        return self._session


async def _slowly(body: bytes, seconds: float, sleep: Callable[[float], Awaitable[object]]) -> AsyncIterator[bytes]:
    step = -(-len(body) // _PIECES)
    for start in range(0, len(body), step):
        await sleep(seconds / _PIECES)
        yield body[start : start + step]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
