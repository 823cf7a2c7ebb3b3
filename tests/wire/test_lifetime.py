"""Event loops, forks and closing."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from tests.wire.raw_server import answers, reply, serving
from voxloud_async import VoxloudClient
from voxloud_async.errors import ClientClosedError, UsageError
from voxloud_async.wire.lifetime import LoopBound
from voxloud_async.wire.message import Request
from voxloud_async.wire.transport import Transport

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from tests.wire.conftest import MakeTransport, Tls
    from voxloud_async.errors import VoxloudError


def test_public_names_are_those_of_the_contract(make_transport: MakeTransport) -> None:
    def public(kind: type) -> set[str]:
        return {name for name in dir(kind) if not name.startswith("_")}

    assert public(make_transport) == public(Transport) == {"send", "aclose"}


async def ask(transport: Transport, tls: Tls | None = None) -> bytes:
    async with serving(answers(reply(b"ok")), tls=tls.server if tls else None) as server:
        answer = await transport.send(Request(method="GET", url=server.url()), timeout=5)
        await transport.send(Request(method="GET", url=server.url(), fresh_connection=True), timeout=5)
    return answer.body


@pytest.mark.parametrize("secure", [False, True], ids=["tcp", "tls"])
def test_one_loop_after_another_without_closing(make_transport: MakeTransport, tls: Tls, *, secure: bool) -> None:
    transport = make_transport(ssl=tls.client)
    for _ in range(3):
        assert asyncio.run(ask(transport, tls if secure else None)) == b"ok"
    del transport
    gc.collect()  # a session left open would say so here, and warnings are errors


def test_closed_in_a_later_loop(make_transport: MakeTransport) -> None:
    transport = make_transport()
    asyncio.run(ask(transport))
    asyncio.run(transport.aclose())
    with pytest.raises(ClientClosedError):
        asyncio.run(ask(transport))


def test_a_call_over_a_transport_that_was_closed_was_not_sent(make_transport: MakeTransport) -> None:
    async def create() -> VoxloudError:
        transport = make_transport()
        await ask(transport)
        await transport.aclose()
        async with VoxloudClient("key", base_url="http://127.0.0.1:1", transport=transport) as client:
            with pytest.raises(ClientClosedError) as caught:
                await client.contacts.create(first_name="John", primary_phone="+390312345678")
        return caught.value

    assert asyncio.run(create()).sent is False


def test_closed_where_it_was_never_used(make_transport: MakeTransport) -> None:
    transport = make_transport()
    asyncio.run(transport.aclose())
    with pytest.raises(ClientClosedError):
        asyncio.run(ask(transport))


def test_dropped_in_a_running_loop(make_transport: MakeTransport) -> None:
    async def drop() -> None:
        transport = make_transport()
        await ask(transport)
        with pytest.warns(ResourceWarning, match=f"unclosed {make_transport.__name__}, made at "):
            del transport
        await asyncio.sleep(0.01)

    asyncio.run(drop())
    gc.collect()


@pytest.fixture
def running_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that runs in another thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop
    asyncio.run_coroutine_threadsafe(loop.shutdown_asyncgens(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()


def test_second_loop_while_the_first_runs(
    make_transport: MakeTransport, running_loop: asyncio.AbstractEventLoop
) -> None:
    transport = make_transport()
    assert asyncio.run_coroutine_threadsafe(ask(transport), running_loop).result(5) == b"ok"
    with pytest.raises(UsageError, match="running event loop") as caught:
        asyncio.run(ask(transport))
    assert caught.value.sent is False
    with pytest.raises(UsageError, match="running event loop"):
        asyncio.run(transport.aclose())
    asyncio.run_coroutine_threadsafe(transport.aclose(), running_loop).result(5)


FORKED = """
import asyncio, os, sys, warnings
from {module} import {name}
from voxloud_async.errors import UsageError
from voxloud_async.wire.message import Request

async def ask(port):
    request = Request(method="GET", url=f"http://127.0.0.1:{{port}}/")
    return (await transport.send(request, timeout=5)).body.decode()

def in_child(act):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 on warns where threads run, as to load TLS
        child = os.fork()
    if child == 0:
        try:
            print(asyncio.run(act()), flush=True)
        except UsageError as error:
            print(error, flush=True)
        os._exit(0)
    os.waitpid(child, 0)

async def parent():
    port = int(sys.argv[1])
    print(await ask(port), flush=True)
    in_child(lambda: ask(port))
    in_child(transport.aclose)
    print(await ask(port), flush=True)
    await transport.aclose()

transport = {name}()
asyncio.run(parent())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
async def test_fork(make_transport: MakeTransport) -> None:
    script = FORKED.format(module=make_transport.__module__, name=make_transport.__name__)
    async with serving(answers(reply(b"ok"))) as server:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "error::ResourceWarning", "-c", script, str(server.port)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        said, complaints = await process.communicate()
    assert said.decode().splitlines() == [
        "ok",
        "the client was used before this process was forked: make one client per process",
        "None",
        "ok",
    ]
    assert complaints == b""


async def test_unused_before_a_fork_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    async def lifespan() -> AsyncGenerator[str, None]:
        yield "resource"

    bound = LoopBound(lifespan)
    monkeypatch.setattr(os, "getpid", lambda: 1)
    assert await bound.get() == "resource"
    monkeypatch.setattr(os, "getpid", lambda: 2)
    with pytest.raises(UsageError, match="forked") as caught:
        await bound.get()
    assert caught.value.sent is False
    monkeypatch.setattr(os, "getpid", lambda: 1)
    await bound.aclose()
