"""CPU time of one call in uvloop and in asyncio: `python -m benchmarks.event_loops`.

`--write` writes it into docs/performance.md.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager

import uvloop

from .calls.contenders import BASE, OURS, Get, bare, whole
from .calls.rounds import a_round
from .decode.pages import CONTACT
from .measure import Timings, alternate
from .page import BENCHMARKS, table, write
from .raw_server import answering

CALLS = {1: 256, 64: 1024}
"""Calls of one round, by how many are under way at once."""
ROUNDS = 21

Factory = Callable[[], asyncio.AbstractEventLoop]

LOOPS: Mapping[str, Factory] = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
CLIENTS = {BASE: bare, OURS: whole}

PAGE = BENCHMARKS.parent / "performance.md"


def main(*, written: bool) -> None:
    """Measure and tell."""
    with answering(json.dumps(CONTACT).encode()) as url, _rounds(url) as rounds:
        measured = {at_once: alternate(each, rounds=ROUNDS) for at_once, each in rounds.items()}
    text = _table(measured)
    print(text)
    if written:
        write("event loops", text, PAGE)


@contextmanager
def _rounds(url: str) -> Iterator[dict[int, Mapping[str, Callable[[], None]]]]:
    """For each number of calls at once, a round of each client in each loop."""
    with ExitStack() as stack:
        made = {loop: stack.enter_context(_made(factory, url)) for loop, factory in LOOPS.items()}
        yield {
            at_once: {
                _name(client, loop): a_round(runner, get, CALLS[at_once], at_once)
                for loop, (runner, gets) in made.items()
                for client, get in gets.items()
            }
            for at_once in CALLS
        }


@contextmanager
def _made(factory: Factory, url: str) -> Iterator[tuple[asyncio.Runner, Mapping[str, Get]]]:
    """A loop, and the clients in it."""
    with asyncio.Runner(loop_factory=factory) as runner:
        clients = _clients(url)
        try:
            yield runner, runner.run(clients.__aenter__())
        finally:
            runner.run(clients.__aexit__(None, None, None))


def _name(client: str, loop: str) -> str:
    return f"{client}, {loop}"


@asynccontextmanager
async def _clients(url: str) -> AsyncIterator[dict[str, Get]]:
    async with AsyncExitStack() as stack:
        yield {name: await make(stack, url, CONTACT["id"]) for name, make in CLIENTS.items()}


def _table(measured: Mapping[int, Timings]) -> str:
    rows = []
    for client in CLIENTS:
        names = [_name(client, loop) for loop in LOOPS]
        for timings, at_once in zip(measured.values(), measured, strict=True):
            micro = [f"{timings.median(name) / CALLS[at_once] * 1e6:.0f}" for name in names]
            rows.append([f"{client}, {at_once} at once", *micro, f"{timings.ratio(names[1], names[0]):.2f}"])
    return table(["CPU time of one GET", *(f"{loop}, µs" for loop in LOOPS), "uvloop / asyncio"], rows)


if __name__ == "__main__":
    main(written="--write" in sys.argv[1:])
