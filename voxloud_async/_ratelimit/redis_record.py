"""The record of a key in Redis or Valkey, by way of the script that works on it: `controller.lua`."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncGenerator, Mapping
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

from attrs import define, frozen
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript

from ..errors import InvalidArgumentError
from ..wire.lifetime import LoopBound
from .controller import BURST
from .permit import Permit
from .redis_rate import RedisRate

SOCKET_TIMEOUT = 0.25
"""Seconds; redis-py waits 5 by default, and a server that hangs would hold up every call as long."""

PATIENCE = 0.3
"""Seconds for one step in all: a name to look up, a connection to open and several answers may each take their time."""


@define
class SharedPermit(Permit):
    """A permit that Redis granted; `attentive` where a plain answer to its request is news."""

    attentive: bool = False


@frozen
class Reply:
    """What the script returns."""

    permit: SharedPermit | None
    """Granted `wait` seconds later; its `granted` is still to be set."""
    wait: float
    rate: float
    pause: float
    """Seconds for which the key pauses."""
    operations: Mapping[str, tuple[bool, float]]
    """Of suspected operations and of those with a throttle of their own: whether it is, and seconds it is blocked."""

    @classmethod
    def read(cls, answer: list[bytes], operation: str | None) -> Reply:
        """Read the script's list."""
        granted, wait, epoch, probe, own_epoch, own_probe, attentive, rate, pause = (float(part) for part in answer[:9])
        permit = None
        if granted and operation is not None:
            own = Permit(int(own_epoch), 0.0, bool(own_probe), operation) if own_epoch >= 0 else None
            permit = SharedPermit(int(epoch), 0.0, bool(probe), operation, own, bool(attentive))
        found = json.loads(answer[9]) if answer[9] else {}
        operations = {name: (bool(own), blocked) for name, (own, blocked) in found.items()}
        return cls(permit, max(0.0, wait), rate, max(0.0, pause), operations)


class Record:
    """The record of a key, by way of its script."""

    def __init__(self, settings: RedisRate, api_key: str, base_url: str) -> None:
        _check_url(settings.url)
        self._settings = settings
        # The braces keep a record's keys in one slot of a cluster; the key itself never leaves this process for Redis.
        who = hashlib.sha256(f"{base_url}\n{settings.rate}\n{api_key}".encode()).hexdigest()[:16]
        self._name = f"voxloud:{{{who}}}:limit"
        self._script = LoopBound(self._lifespan)

    async def step(self, news: list[list[Any]], *, rate: float, operation: str | None, waiting: bool) -> Reply:
        """Report outcomes and, where an `operation` is given, reserve a request; a lost record starts from `rate`."""
        asked = "-" if operation is None else operation
        arguments = ["", self._start(rate), json.dumps(news), asked, str(int(waiting))]
        async with asyncio.timeout(PATIENCE):
            script = await self._script.get()
            return Reply.read(await script(keys=[self._name], args=arguments), operation)

    async def aclose(self) -> None:
        """Close the connection; the next step opens another."""
        script, self._script = self._script, LoopBound(self._lifespan)
        await script.aclose()

    def _start(self, rate: float) -> str:
        learns = self._settings.rate is None
        burst = BURST if learns else max(1.0, min(BURST, rate))
        return json.dumps({"rate": rate, "burst": burst, "learns": int(learns)})

    async def _lifespan(self) -> AsyncGenerator[AsyncScript, None]:
        redis = Redis.from_url(
            self._settings.url,
            socket_timeout=SOCKET_TIMEOUT,
            socket_connect_timeout=SOCKET_TIMEOUT,
            protocol=2,  # with 3, redis-py 8 no longer sees that an idle connection was closed, and its next step fails
            retry=Retry(NoBackoff(), 0),  # redis-py's own would try for seconds
        )
        try:
            yield redis.register_script(
                resources.files("voxloud_async._ratelimit").joinpath("controller.lua").read_text()
            )
        finally:
            await redis.aclose()


def _check_url(url: str) -> None:
    """Raise InvalidArgumentError where redis-py would fail only when it connects."""
    try:
        _ = urlsplit(url).port
    except ValueError:  # its text would show the part of a password that was taken for a port
        raise InvalidArgumentError(
            "url", "cannot be used: no host and port; write / ? # @ : of a password as %2F and so on"
        ) from None
    try:
        pool = ConnectionPool.from_url(url)
        pool.connection_class(**pool.connection_kwargs)
    except (TypeError, ValueError) as error:
        raise InvalidArgumentError("url", f"cannot be used: {error}") from None
