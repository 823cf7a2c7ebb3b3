"""Whom a command talks to: the options every command has, and the client made of them."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Literal

from attrs import frozen
from cyclopts import Group, Parameter

from ..session.events import Event, Outage, Paused
from .failure import reason
from .speech import complain, remark
from .streams import require_stdout

if TYPE_CHECKING:
    from ..client import VoxloudClient

_LONG_PAUSE = 1.0


@Parameter(name="*", group=Group("Service", sort_key=20))
@frozen(kw_only=True)
class Service:
    """The service, and how patiently it is asked."""

    sandbox: Annotated[bool, Parameter(show_default=False)] = False
    """Talk to a sandbox that lives as long as the command; no key is needed."""

    base_url: str | None = None
    """Scheme and host; else VOXLOUD_BASE_URL, else the service."""

    timeout: float = 20.0
    """Seconds for one attempt."""

    max_wait: float | None = None
    """Seconds for one request in all, waiting and further attempts included; by default as long as it takes."""

    rate: str = "learned"
    """Requests a second: a number, "learned", or "none" for no limit of our own."""

    @asynccontextmanager
    async def client(self, *, busy: bool = False, prints: bool = True) -> AsyncIterator[VoxloudClient]:
        """A client of the service, or of a sandbox, `busy` with calls.

        Raises:
            ValueError: the options do not fit, or the command `prints` its result and standard output is closed.
        """
        if prints:
            require_stdout()
        from ..client import VoxloudClient  # noqa: PLC0415 - `--help` does without

        async with AsyncExitStack() as stack:
            key, url = await self._sandbox(stack, busy=busy) if self.sandbox else self._account()
            logging.getLogger("voxloud_async").addHandler(logging.NullHandler())  # `explain_waiting` says it in words
            client = VoxloudClient(
                key,
                base_url=url,
                timeout=self.timeout,
                max_wait=self.max_wait,
                rate=read_rate(self.rate),
                subscribers=[explain_waiting],
            )
            yield await stack.enter_async_context(client)

    def _account(self) -> tuple[str, str | None]:
        key = os.environ.get("VOXLOUD_API_KEY")
        if not key:
            raise ValueError("VOXLOUD_API_KEY is not set (put the API key there, or try --sandbox)")
        return key, self.base_url

    async def _sandbox(self, stack: AsyncExitStack, *, busy: bool) -> tuple[str, str]:
        from .embedded import busy_sandbox, furnished_sandbox  # noqa: PLC0415 - most commands need no sandbox

        if self.base_url is not None:
            raise ValueError("--sandbox and --base-url exclude each other")
        sandbox = await stack.enter_async_context(busy_sandbox() if busy else furnished_sandbox())
        return sandbox.api_key, sandbox.url


def read_rate(text: str) -> Literal["learned"] | float | None:
    """A rate as the client takes it; ValueError for what is none."""
    if text == "none":
        return None
    if text == "learned":
        return "learned"
    try:
        return float(text)
    except ValueError:
        raise ValueError('--rate must be a number, "learned" or "none"') from None


def explain_waiting(event: Event) -> None:
    """Say why nothing moves: at a terminal for each long pause, and once in an outage in a pipe as well."""
    match event:
        case Paused() if event.seconds >= _LONG_PAUSE:
            remark(f"waiting up to {event.seconds:.0f} s: {reason(event.error)}")
        case Outage():
            bound = "press Ctrl-C to stop, or bound it with --max-wait"
            complain(f"{reason(event.error)}; waiting up to {event.longest:.0f} s ({bound})")
