"""Real servers of the tests' own: on a free port, in a folder of their own, stopped by their process id."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from attrs import define, field
from redis import Redis, RedisError

if TYPE_CHECKING:
    from collections.abc import Iterable


@define
class RedisServer:
    """A redis-server; `client` speaks to it without the code under test."""

    folder: Path
    port: int
    durable: bool = False
    process: subprocess.Popen[bytes] = field(init=False)
    client: Any = field(init=False)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        options = {"port": self.port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": self.folder}
        if self.durable:
            options |= {"appendonly": "yes", "appendfsync": "always"}
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

    kill = stop

    def hang(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def calls(self, command: str) -> int:
        """How often the server was asked this."""
        return int(self.client.info("commandstats").get(f"cmdstat_{command}", {"calls": 0})["calls"])


@define
class PostgresServer:
    """A PostgreSQL of the newest version that is installed. As it refuses root, it then runs as somebody else."""

    folder: Path
    port: int
    durable: bool = False
    process: subprocess.Popen[bytes] = field(init=False)

    @property
    def url(self) -> str:
        return f"postgresql://voxloud@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        data = self.folder / "data"
        if not data.exists():
            self._make(data)
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": self.folder, "fsync": "off"}
        if self.durable:
            options["fsync"] = "on"
        settings = [text for name, value in options.items() for text in ("-c", f"{name}={value}")]
        command = [str(self._program("postgres")), "-D", str(data), "-p", str(self.port), *settings]
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen[bytes](command, stderr=log, **self._as())
        for _ in range(1000):
            if b"ready to accept connections" in (self.folder / "log").read_bytes():
                return
            time.sleep(0.01)
        raise AssertionError("postgres does not start")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)  # which ends the connections and its own processes
        self.process.wait()

    def kill(self) -> None:
        """End it and its processes at one blow, as a machine does that fails."""
        if self.process.poll() is not None:
            return
        family = self._family()
        self._signal(signal.SIGKILL, family)
        self.process.wait()
        while any(map(_runs, family)):  # a server does not start while one of the last is there
            time.sleep(0.01)

    def hang(self) -> None:
        self._signal(signal.SIGSTOP, self._family())

    def go_on(self) -> None:
        self._signal(signal.SIGCONT, self._family())

    def _make(self, data: Path) -> None:
        if os.getuid() == 0:
            owner = _somebody()
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        new = ("--auth=trust", "--username=voxloud", "--encoding=UTF8", "--locale=C", "--no-sync")
        subprocess.run([self._program("initdb"), "-D", data, *new], check=True, stdout=subprocess.DEVNULL, **self._as())  # noqa: S603 - own server

    def _family(self) -> list[int]:
        """The server, and its processes, which lead sessions of their own."""
        main = self.process.pid
        return [main, *map(int, Path(f"/proc/{main}/task/{main}/children").read_text().split())]

    def _signal(self, number: signal.Signals, family: Iterable[int]) -> None:
        for each in family:
            with suppress(ProcessLookupError):
                os.kill(each, number)

    def _program(self, name: str) -> Path:
        programs = postgres_programs()
        assert programs
        return programs / name

    def _as(self) -> dict[str, Any]:
        """Who runs it, and where: not in a folder that this user may not enter."""
        if os.getuid():
            return {"cwd": self.folder}
        owner = _somebody()
        return {"cwd": self.folder, "user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


@define
class PgBouncer:
    """A PgBouncer before a PostgreSQL, in `session` or `transaction` mode."""

    folder: Path
    port: int
    server: PostgresServer
    mode: str
    process: subprocess.Popen[bytes] = field(init=False)

    @property
    def url(self) -> str:
        return f"postgresql://voxloud@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        lines = [
            "[databases]",
            f"* = host=127.0.0.1 port={self.server.port} user=voxloud",
            "[pgbouncer]",
            "listen_addr = 127.0.0.1",
            f"listen_port = {self.port}",
            "unix_socket_dir =",
            "auth_type = any",
            f"pool_mode = {self.mode}",
            f"default_pool_size = {3 if self.mode == 'transaction' else 50}",  # a session holds its connection
        ]
        path = self.folder / "pgbouncer.ini"
        path.write_text("\n".join(lines))
        options = self.server._as() | {"cwd": self.folder}
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen[bytes]([pgbouncer_program() or "", str(path)], stderr=log, **options)
        for _ in range(1000):
            if b"process up" in (self.folder / "log").read_bytes():
                return
            time.sleep(0.01)
        raise AssertionError("pgbouncer does not start")

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


def pgbouncer_program() -> str | None:
    """The path of PgBouncer, which Debian puts beside the daemons of the system."""
    return shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")


def postgres_programs() -> Path | None:
    """Where Debian puts the programs of the server, of the newest version; None where there are none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


def need(there: object, name: str) -> None:
    """Skip a test where a server is not installed; in CI that is a failure."""
    if there:
        return
    reason = f"{name} is not installed"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def need_redis() -> None:
    need(shutil.which("redis-server"), "redis-server")


def need_chromium() -> None:
    need(shutil.which("chromium") and shutil.which("chromedriver"), "chromium with its chromedriver")


def need_postgres() -> None:
    need(postgres_programs(), "postgresql")


def need_pgbouncer() -> None:
    need_postgres()
    need(pgbouncer_program(), "pgbouncer")


def _runs(process: int) -> bool:
    """Whether there is such a process; one that ended counts no more, though nobody has taken note of it yet."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def _somebody() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody")
