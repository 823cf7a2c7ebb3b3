"""`voxloud sandbox`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from attrs import asdict
from cyclopts import Parameter

from ..sandbox import Misfortune, Quirks, Sandbox, SlidingWindow, Traffic, Weather
from .speech import remark

_RATE = re.compile(r"(\d+)(?:/([smh]))?")
_LAST_PORT = 65535
_SECONDS = {None: 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


async def sandbox(
    *,
    port: int = 0,
    seed: int = 0,
    contacts: int = 500,
    users: int = 12,
    rows: int = 20_000,
    days: int = 182,
    latency: float = 0.0,
    rate_limit: str | None = None,
    retry_after: Literal["none", "seconds", "date"] = "none",
    maintenance: Annotated[list[str] | None, Parameter(allow_repeating=True)] = None,
    traffic: float | None = None,
    pace: float | None = None,
    misfortune: Annotated[list[str] | None, Parameter(allow_repeating=True)] = None,
    quirk: Annotated[list[str] | None, Parameter(allow_repeating=True)] = None,
    list_quirks: Annotated[bool, Parameter(show_default=False)] = False,
) -> None:
    """Run a Voxloud of your own until Ctrl-C, and print how to reach it. The output can be read by a shell.

    Args:
        port: Where it listens on this machine; 0 takes a free port.
        seed: Decides everything in it: people, calls, ids and misfortunes.
        contacts: Contacts at the start.
        users: Users.
        rows: Call records at the start.
        days: Days over which the call records spread.
        latency: Seconds before each answer.
        rate_limit: Requests it takes in any second, or 100/m in any minute, 1000/h in any hour; the others get 429.
        retry_after: What a refusal says of when to come back.
        maintenance: START:LENGTH, in seconds; for so long, so much after the start, it answers 503. May be repeated.
        traffic: Calls that come each second, on average; subscriptions to a URL of this machine are told of them.
        pace: Seconds that a second of a call takes; 0, where all is over at once, unless there is traffic, and then 1.
        misfortune: NAME=SHARE: that share of deliveries is doubled, overtaken, late, dropped, cut or slow. May be
            repeated.
        quirk: NAME=VALUE: how to read the API text where it is open. May be repeated.
        list_quirks: Show every NAME with its values, the default first, and end.
    """
    if list_quirks:
        print("\n".join(quirk_lines()))  # noqa: T201 - the console
        return
    if not 0 <= port <= _LAST_PORT:
        raise ValueError(f"--port must be from 0 to {_LAST_PORT}")
    limits = () if rate_limit is None else (read_limit(rate_limit),)
    windows = tuple(map(read_window, maintenance or ()))
    pbx = Sandbox(
        port=port,
        seed=seed,
        contacts=contacts,
        users=users,
        events=rows,
        days=days,
        now=datetime.now(UTC),
        weather=Weather(latency=latency, limits=limits, retry_after=retry_after, maintenance=windows),
        traffic=None if traffic is None else Traffic(calls_per_second=traffic, seed=seed),
        pace=float(traffic is not None) if pace is None else pace,
        misfortune=Misfortune(**read_shares(misfortune or ())),
        quirks=Quirks(**read_quirks(quirk or ())),
    )
    await _serve(pbx)


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


def read_shares(texts: Sequence[str]) -> dict[str, float]:
    """The shares of `Misfortune` out of texts such as doubled=0.1."""
    names = [name for name, _ in Misfortune().shares]
    shares: dict[str, float] = {}
    for text in texts:
        name, _, share = text.partition("=")
        if name not in names:
            raise ValueError(f"--misfortune is one of {', '.join(names)}")
        try:
            shares[name] = float(share)
        except ValueError:
            raise ValueError("--misfortune must be NAME=SHARE, such as doubled=0.1") from None
    return shares


def quirk_lines() -> list[str]:
    """Every quirk with its values, the default first."""
    chosen = asdict(Quirks())
    return [
        f"{name}={'|'.join(repr(str(each))[1:-1] for each in sorted(values, key=lambda value: value != chosen[name]))}"
        for name, values in Quirks.readings().items()
    ]


def read_quirks(texts: Sequence[str]) -> dict[str, Any]:
    """The fields of `Quirks` out of texts such as contact_update=post."""
    readings = Quirks.readings()
    chosen = {}
    for text in texts:
        name, _, value = text.partition("=")
        values = {str(each): each for each in readings.get(name.replace("-", "_"), ())}
        if not values:
            raise ValueError(f"--quirk: there is no {name}; see voxloud sandbox --list-quirks")
        if value not in values:
            raise ValueError(f"--quirk {name} is one of {', '.join(map(repr, values))}")
        chosen[name.replace("-", "_")] = values[value]
    return chosen
