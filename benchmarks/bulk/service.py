"""A sandbox without contacts, in a process of its own."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

from attrs import define

from voxloud_async.sandbox import Sandbox, Weather


@define
class Service:
    """The sandbox as its clients see it, and what it holds."""

    url: str
    key: str
    _control: Connection

    def contacts(self) -> int:
        """How many contacts there are."""
        self._control.send("contacts")
        return int(self._control.recv())

    def names(self) -> Counter[str]:
        """How many contacts there are of each first name."""
        self._control.send("names")
        found: Counter[str] = self._control.recv()
        return found

    def clear(self) -> None:
        """Forget everything."""
        self._control.send("clear")
        self._control.recv()


@contextmanager
def service(weather: Weather) -> Iterator[Service]:
    """Run it until the block ends."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(weather, theirs), daemon=True)
    process.start()
    try:
        url, key = ours.recv()
        yield Service(url, key, ours)
    finally:
        ours.send("stop")
        process.join()


def _serve(weather: Weather, control: Connection) -> None:
    asyncio.run(_main(weather, control))


async def _main(weather: Weather, control: Connection) -> None:
    async with Sandbox(contacts=0, events=0, weather=weather) as sandbox:
        control.send((sandbox.url, sandbox.api_key))
        while (wish := await asyncio.to_thread(control.recv)) != "stop":
            contacts = sandbox.state.contacts
            if wish == "contacts":
                control.send(len(contacts))
            elif wish == "names":
                control.send(Counter(each.first_name for each in contacts.values()))
            else:
                contacts.clear()
                sandbox.requests.clear()
                control.send(None)
