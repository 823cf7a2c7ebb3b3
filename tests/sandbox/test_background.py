"""A sandbox in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
import urllib.request
from contextlib import suppress

import pytest

from voxloud_async.sandbox import Sandbox, in_background


def small(**options: int) -> Sandbox:
    return Sandbox(contacts=0, users=1, groups=0, events=0, **options)  # type: ignore[arg-type] # numbers alone


def ask(sandbox: Sandbox) -> int:
    request = urllib.request.Request(sandbox.url + "/api/v2/users", headers={"Voverc-Auth": sandbox.api_key})  # noqa: S310 - http
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - the same
        return int(response.status)


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "voxloud-sandbox"]


def test_it_serves_code_that_blocks() -> None:
    with in_background(small()) as sandbox:
        assert [ask(sandbox), ask(sandbox)] == [200, 200]
        assert sandbox.count(status=200) == 2
        assert len(threads()) == 1
        assert threads()[0].daemon
        url = sandbox.url
    assert threads() == []
    with pytest.raises(RuntimeError, match="not running"):
        _ = sandbox.url
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=5)


async def test_it_serves_a_loop_that_blocks() -> None:
    with in_background(small()) as sandbox:
        assert ask(sandbox) == 200
        assert await asyncio.to_thread(ask, sandbox) == 200


def test_it_can_run_again() -> None:
    sandbox = small()
    for _ in range(2):
        with in_background(sandbox):
            assert ask(sandbox) == 200


def test_several_at_once() -> None:
    with in_background(small()) as one, in_background(small()) as other:
        assert one.url != other.url
        assert [ask(one), ask(other)] == [200, 200]


def test_it_ends_when_the_block_fails() -> None:
    with suppress(ZeroDivisionError), in_background(small()):
        raise ZeroDivisionError
    assert threads() == []


def test_it_ends_with_a_connection_open() -> None:
    with (
        in_background(small()) as sandbox,
        socket.create_connection(("127.0.0.1", int(sandbox.url.rpartition(":")[2]))),
    ):
        assert ask(sandbox) == 200
    assert threads() == []


def test_a_port_that_is_taken() -> None:
    with in_background(small()) as sandbox:
        port = int(sandbox.url.rpartition(":")[2])
        with pytest.raises(OSError, match="address already in use"), in_background(small(port=port)):
            raise AssertionError
        assert len(threads()) == 1
    assert threads() == []
