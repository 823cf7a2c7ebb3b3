"""`voxloud sandbox`."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from attrs import frozen
from cyclopts import Group, Parameter
from cyclopts.validators import Number

from ..sandbox import Quirks, Sandbox, SlidingWindow, Weather
from .quirks import quirk_lines, read_quirks
from .speech import remark
from .traffic import Calls

_RATE = re.compile(r"(\d+)(?:/([smh]))?")
_LAST_PORT = 65535
_NONE_OR_MORE = Parameter(validator=Number(gte=0))
_ONE_OR_MORE = Parameter(validator=Number(gte=1))
_SECONDS = {None: 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


@Parameter(name="*", group=Group("Inhabitants", sort_key=10))
@frozen(kw_only=True)
class Inhabitants:
    """Who and what is in it at the start."""

    seed: int = 0
    """Decides everything in it: people, calls, ids and misfortunes."""

    contacts: Annotated[int, _NONE_OR_MORE] = 500
    """Contacts at the start."""

    users: Annotated[int, _ONE_OR_MORE] = 12
    """Users."""

    rows: Annotated[int, _NONE_OR_MORE] = 20_000
    """Call records at the start."""

    days: Annotated[int, _ONE_OR_MORE] = 182
    """Days over which the call records spread."""

    def options(self) -> dict[str, Any]:
        """What the sandbox calls them."""
        return {
            "seed": self.seed,
            "contacts": self.contacts,
            "users": self.users,
            "events": self.rows,
            "days": self.days,
        }


@Parameter(name="*", group=Group("Behaviour", sort_key=20))
@frozen(kw_only=True)
class Behaviour:
    """How it behaves."""

    latency: Annotated[float, _NONE_OR_MORE] = 0.0
    """Seconds before each answer."""

    rate_limit: str | None = None
    """Requests it takes in any second, or 100/m in any minute, 1000/h in any hour; the others get 429."""

    retry_after: Literal["none", "seconds", "date"] = "none"
    """What a refusal says of when to come back."""

    maintenance: Annotated[list[str] | None, Parameter(allow_repeating=True)] = None
    """START:LENGTH, in seconds; for so long, so much after the start, it answers 503. May be repeated."""

    def weather(self) -> Weather:
        """The sandbox's weather; ValueError where an option does not read."""
        return Weather(
            latency=self.latency,
            limits=() if self.rate_limit is None else (read_limit(self.rate_limit),),
            retry_after=self.retry_after,
            maintenance=tuple(map(read_window, self.maintenance or ())),
        )


_INHABITANTS = Inhabitants()
_BEHAVIOUR = Behaviour()
_CALLS = Calls()


async def sandbox(
    *,
    port: int = 0,
    inhabitants: Inhabitants = _INHABITANTS,
    behaviour: Behaviour = _BEHAVIOUR,
    calls: Calls = _CALLS,
    quirk: Annotated[list[str] | None, Parameter(allow_repeating=True)] = None,
    list_quirks: Annotated[bool, Parameter(show_default=False)] = False,
) -> None:
    """Run a Voxloud of your own until Ctrl-C, and print how to reach it. The output can be read by a shell.

    Args:
        port: Where it listens on this machine; 0 takes a free port.
        quirk: NAME=VALUE: how to read the API text where it is open. May be repeated.
        list_quirks: Show every NAME with its values, the default first, and why it exists, and end.
    """
    if list_quirks:
        print("\n".join(quirk_lines()))  # noqa: T201 - the console
        return
    if not 0 <= port <= _LAST_PORT:
        raise ValueError(f"--port must be from 0 to {_LAST_PORT}")
    options = inhabitants.options() | calls.options(inhabitants.seed)
    quirks, weather = Quirks(**read_quirks(quirk or ())), behaviour.weather()
    await _serve(Sandbox(port=port, now=datetime.now(UTC), weather=weather, quirks=quirks, **options))


async def _serve(pbx: Sandbox) -> None:
    async with pbx:
        print(f"# {pbx.events:,} call records, {pbx.contacts:,} contacts; url {pbx.url} key {pbx.api_key}")  # noqa: T201 - the console
        print(f"export VOXLOUD_BASE_URL={pbx.url}\nexport VOXLOUD_API_KEY={pbx.api_key}", flush=True)  # noqa: T201
        remark("Ctrl-C stops the sandbox")
        await asyncio.Event().wait()


def read_limit(text: str) -> SlidingWindow:
    """A limit such as 20 or 100/m."""
    match = _RATE.fullmatch(text)
    if match is None or not int(match[1]):
        raise ValueError("--rate-limit must be a number of requests, such as 20, 100/m or 1000/h")
    return SlidingWindow(int(match[1]), _SECONDS[match[2]])


def read_window(text: str) -> tuple[float, float]:
    """A maintenance window such as 30:10."""
    start, _, length = text.partition(":")
    try:
        return float(start), float(length)
    except ValueError:
        raise ValueError("--maintenance must be START:LENGTH in seconds, such as 30:10") from None
