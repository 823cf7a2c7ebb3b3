"""When workers start and stop: on their own, with the application, with the server (W9)."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import FastAPI

from tests.webhooks.deliveries import incoming, receiver
from tests.webhooks.serving import Wire, read, serving, uvicorn_server
from tests.wire.raw_server import until
from voxloud_async.webhooks import lifetime
from voxloud_async.webhooks.inbox.memory import MemoryInbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from voxloud_async.models import CallEvent
    from voxloud_async.webhooks import WebhookReceiver


def noting(served: WebhookReceiver, *, seconds: float = 0.0) -> list[object]:
    """What its handler was given."""
    seen: list[object] = []

    @served.on("CALL_INCOMING")
    async def note(event: object) -> None:
        await asyncio.sleep(seconds)
        seen.append(event)

    return seen


class Kept(MemoryInbox):
    """An inbox of the user's own, that says when it was closed."""

    closed = 0

    async def aclose(self) -> None:
        self.closed += 1


async def test_workers_start_with_the_first_delivery_where_nobody_started_them(server: str) -> None:
    served = receiver()
    seen = noting(served)
    async with serving(server, served) as wire:
        assert (await wire.post(b"{}")).status == 400
        assert served._lifetime._work is None
        assert (await wire.post(incoming())).status == 200
        await until(lambda: len(seen) == 1)
        async with served:
            pass


def test_the_password_of_a_database_is_in_no_repr() -> None:
    served = receiver(inbox="postgresql://voxloud:hunter2@db.example.com/voxloud")
    api = FastAPI()
    api.mount("/hooks", served.asgi())
    shown = repr((served, served.asgi(), served.inbox, served.aiohttp_routes("/hooks"), api.routes))
    assert "AsgiApp" in shown
    assert "hunter2" not in shown


async def test_whoever_enters_while_another_leaves_finds_it_at_work(tmp_path: Path) -> None:
    served = receiver(inbox=tmp_path / "inbox.db", grace=10.0)
    begun, go, seen = asyncio.Event(), asyncio.Event(), list[str]()

    @served.on("CALL_INCOMING")
    async def hold(event: CallEvent) -> None:
        begun.set()
        await go.wait()
        seen.append(event.call_id)

    async with serving("aiohttp", served) as wire:
        await served.__aenter__()
        assert (await wire.post(incoming("first"))).status == 200
        await begun.wait()
        leaving = asyncio.create_task(served.__aexit__(None, None, None))
        await asyncio.sleep(0)
        async with served:
            watched = served.events()
            go.set()
            await leaving
            assert (await wire.post(incoming("second"))).status == 200
            await until(lambda: len(seen) == 2)
            assert [(await anext(watched)).call_id] == ["second"]
    assert (seen, served.stats.inbox_failures) == (["first", "second"], 0)


async def test_what_was_left_is_handled_when_the_receiver_is_entered_and_not_before() -> None:
    inbox = Kept()
    served = receiver(inbox=inbox, concurrency=0)
    async with serving("aiohttp", served) as wire, served:
        await wire.post(incoming())
    assert (await inbox.counts()).waiting == 1
    assert inbox.closed == 0, "it is the user's own"
    seen = noting(later := receiver(inbox=inbox))
    async with later:
        await until(lambda: len(seen) == 1)


async def test_w9_a_receiver_that_stopped_takes_nothing_in_until_it_is_entered_again(server: str) -> None:
    served = receiver()
    seen = noting(served)
    async with serving(server, served) as wire:
        async with served:
            assert (await wire.post(incoming("a"))).status == 200
        assert (await wire.post(incoming("b"))).status == 503
        assert served.stats.refused == {"stopped": 1}
        async with served:
            assert (await wire.post(incoming("b"))).status == 200
    assert len(seen) == 2


async def test_w9_a_body_that_comes_in_after_the_end_starts_nothing(server: str) -> None:
    served = receiver()
    async with serving(server, served) as wire:
        async with served:
            reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
            body = incoming()
            writer.write(wire.head(f"Content-Length: {len(body)}"))
            await until(lambda: served._intake._under_way == 1)
        writer.write(body)
        assert (await read(reader)).status == 503
        writer.close()
        assert served._lifetime._work is None
        assert served.stats.refused == {"stopped": 1}


async def test_entered_twice_it_stops_with_the_last_to_leave() -> None:
    served = receiver()
    seen = noting(served)
    async with serving("aiohttp", served) as wire, served:
        async with served:
            pass
        assert (await wire.post(incoming())).status == 200
        await until(lambda: len(seen) == 1)


def test_one_loop_after_another() -> None:
    served = receiver()
    seen = noting(served)

    async def once(name: str, *, entered: bool) -> None:
        async with serving("aiohttp", served) as wire:
            if entered:
                await served.__aenter__()
            await wire.post(incoming(name))
            await until(lambda: seen[-1:] != [])
            if entered:
                await served.__aexit__(None, None, None)

    for number, entered in enumerate((False, True, False)):
        seen.clear()
        if number == 2:
            served._lifetime.open = True
        asyncio.run(once(f"c{number}", entered=entered))
        assert len(seen) == 1


async def test_two_loops_at_once_are_refused_and_start_no_more_workers() -> None:
    served = receiver()

    async def elsewhere() -> None:
        async with served:
            raise AssertionError("it is at work already")

    async with served:
        work = served._lifetime._work
        with pytest.raises(RuntimeError, match="another event loop"):
            await asyncio.to_thread(asyncio.run, elsewhere())
        assert served._lifetime._work is work
        assert served._lifetime._entered == 1


async def test_w9_what_is_left_in_memory_is_told(caplog: pytest.LogCaptureFixture) -> None:
    served = receiver(grace=0.05)
    noting(served, seconds=30.0)
    async with serving("aiohttp", served) as wire, served:
        for number in range(3):
            await wire.post(incoming(f"c{number}"))
    assert "3 events are left in memory, and lost with the process" in caplog.text


async def test_served_alone_it_lives_with_the_server() -> None:
    served = receiver()
    seen = noting(served)
    async with uvicorn_server(served.asgi()) as port:
        work = served._lifetime._work
        assert work is not None
        wire = Wire(port, served)
        path = f"/{served.token('CALL_INCOMING')}"
        assert (await wire.ask(path, incoming())).status == 200
        assert (await wire.ask(f"/more{path}", incoming())).status == 404
        assert (await wire.ask("/", incoming())).status == 404
    assert len(seen) == 1
    assert served._lifetime._work is None
    assert not served._lifetime.open


async def test_mounted_it_lives_with_the_application_that_enters_it() -> None:
    served = receiver()
    seen = noting(served)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with served:
            yield

    api = FastAPI(lifespan=lifespan)
    api.mount("/hooks", served.asgi())
    async with uvicorn_server(api, root_path="/behind/a/proxy") as port:
        wire = Wire(port, served)
        path = f"/hooks/{served.token('CALL_INCOMING')}"
        assert (await wire.ask(path, incoming())).status == 200
    assert len(seen) == 1
    assert not served._lifetime.open


async def test_a_server_whose_receiver_cannot_start_does_not_start() -> None:
    told: list[Any] = []

    async def send(message: Any) -> None:
        told.append(message)

    async def receive() -> Any:
        return {"type": "lifespan.startup"}

    with pytest.raises(ValueError, match="an inbox must be a path or a URL"):
        await receiver(inbox="nowhere://").asgi()({"type": "lifespan"}, receive, send)
    assert told == [{"type": "lifespan.startup.failed", "message": "ValueError"}]


async def test_a_web_socket_is_closed() -> None:
    told: list[Any] = []

    async def send(message: Any) -> None:
        told.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    await receiver().asgi()({"type": "websocket", "path": "/x"}, receive, send)
    assert told == [{"type": "websocket.close", "code": 1000}]


@pytest.mark.parametrize(
    ("path", "root", "found"),
    [
        ("/{}", "", 200),
        ("/hooks/{}", "/hooks", 200),
        ("/{}", "/hooks", 200),  # where a framework takes its mount off the path
        ("/hooks/{}", "/hooks/", 200),
        ("/{}/", "", 200),
        ("/{}//", "", 404),
        ("/hooks/{}", "", 404),
        ("/hooks/more/{}", "/hooks", 404),
        ("/hooksmore/{}", "/hooks", 404),
        ("/hooks", "/hooks", 404),
    ],
)
async def test_the_token_is_the_one_segment_below_the_mount(path: str, root: str, found: int) -> None:
    served = receiver(concurrency=0)
    told: list[Any] = []

    async def send(message: Any) -> None:
        told.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": incoming()}

    scope = {
        "type": "http",
        "method": "POST",
        "path": path.format(served.token("CALL_INCOMING")),
        "root_path": root,
        "headers": [(b"content-type", b"application/json")],
    }
    await served.asgi()(scope, receive, send)
    assert told[0]["status"] == found


@pytest.mark.parametrize("length", ["-1", "x", "9" * 5000, "524289"])
async def test_w2_a_length_that_no_body_can_have_is_too_large(length: str) -> None:
    served, told = receiver(), []

    async def send(message: Any) -> None:
        told.append(message)

    async def receive() -> Any:
        raise AssertionError("nothing is read")

    headers = [(b"content-type", b"application/json"), (b"content-length", length.encode())]
    path = f"/{served.token('CALL_INCOMING')}"
    await served.asgi()({"type": "http", "method": "POST", "path": path, "headers": headers}, receive, send)
    assert told[0]["status"] == 413


async def test_an_inbox_that_fails_is_the_services_to_try_again(server: str, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(MemoryInbox):
        async def add(self, deliveries: object) -> frozenset[str]:
            raise OSError(f"no space for {deliveries}")

    served = receiver(inbox=Broken())
    with caplog.at_level(logging.DEBUG):
        async with serving(server, served) as wire, served:
            assert (await wire.post(incoming())).status == 503
    assert served.stats.refused == {"inbox_failed": 1}
    assert served.stats.inbox_failures == 1
    assert "the inbox could not add: OSError" in caplog.text
    assert served.token("CALL_INCOMING") not in caplog.text


async def test_an_inbox_that_hangs_is_waited_for_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hanging(MemoryInbox):
        async def add(self, deliveries: object) -> frozenset[str]:
            await asyncio.Event().wait()
            raise AssertionError(deliveries)

    monkeypatch.setattr(lifetime, "_STORING", 0.1)
    async with serving("aiohttp", receiver(inbox=Hanging())) as wire:
        assert (await wire.post(incoming())).status == 503
        assert wire.receiver.stats.refused == {"inbox_failed": 1}


async def test_a_path_is_an_inbox_that_is_opened_and_closed_with_the_receiver(tmp_path: Path) -> None:
    for text in (True, False):
        path = tmp_path / f"inbox-{text}.db"
        served = receiver(inbox=str(path) if text else path, concurrency=0)
        async with serving("aiohttp", served) as wire, served:
            assert (await wire.post(incoming())).status == 200
            assert (await served.inbox.counts()).waiting == 1
        seen = noting(later := receiver(inbox=path))
        async with later:
            await until(lambda: len(seen) == 1)  # noqa: B023 - used up before the next turn
        async with later:
            assert (await later.inbox.counts()).done == 1
