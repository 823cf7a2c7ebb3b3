"""A real Redis of the tests' own: on a free port, with nothing saved, stopped by its process id."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
from attrs import define, field
from redis import Redis, RedisError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@define
class Server:
    """A redis-server; `client` speaks to it without the code under test."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] = field(init=False)
    client: Any = field(init=False)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        options = {"port": self.port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": self.folder}
        command = [text for name, value in options.items() for text in (f"--{name}", str(value))]
        self.process = subprocess.Popen(["redis-server", *command], stdout=subprocess.DEVNULL)  # noqa: S603, S607 - own server
        self.client = Redis(port=self.port)
        for _ in range(500):
            try:
                self.client.ping()
            except RedisError:
                time.sleep(0.01)
            else:
                return
        raise AssertionError("redis-server does not answer")

    def stop(self) -> None:
        self.client.close()
        self.process.kill()  # also where it hangs
        self.process.wait()

    def hang(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def calls(self, command: str) -> int:
        """How often the server was asked this."""
        return int(self.client.info("commandstats").get(f"cmdstat_{command}", {"calls": 0})["calls"])


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[Server]:
    if shutil.which("redis-server") is None:
        reason = "redis-server is not installed"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    server = Server(tmp_path, _free_port())
    server.start()
    yield server
    server.stop()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
