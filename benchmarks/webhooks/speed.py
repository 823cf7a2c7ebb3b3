"""How soon deliveries are acknowledged, and how many a second: `python -m benchmarks.webhooks.speed`."""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from voxloud_async.webhooks import WebhookReceiver

from .. import free_port
from . import SECRET
from .load import Answered
from .served import CONTENDERS, PATH

RATE, SECONDS, ROUNDS = 500, 10, 3
FLAT_OUT = 5_000
SLOWNESS = 0.2
_PATIENCE = 120.0
_SYNCS = 500


@frozen
class Round:
    """What one contender did in one round: at the steady rate, and flat out.

    `load_average` is how busy the machine was before, `sync` the 99th percentile of milliseconds that 600 bytes took to
    the disk then; `cpu` the milliseconds of CPU that one delivery of the steady rate took, handlers and all.
    """

    load_average: float
    sync: float
    cpu: float
    steady: Answered
    flat_out: Answered


def measure(rounds: int = ROUNDS) -> Mapping[str, list[Round]]:
    """Let the contenders take turns."""
    found: dict[str, list[Round]] = {name: [] for name in CONTENDERS}
    for number in range(rounds):
        turn = number % len(CONTENDERS)
        for name in CONTENDERS[turn:] + CONTENDERS[:turn]:
            found[name].append(_round(name))
            print(name, found[name][-1], flush=True)
    return found


def median(rounds: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(rounds)


def ratio(ours: Sequence[Round], theirs: Sequence[Round]) -> float:
    """The middle of the ratios of deliveries a second in the same round: what slows both down cancels out."""
    pairs = zip(ours, theirs, strict=True)
    return statistics.median(other.flat_out.seconds / own.flat_out.seconds for own, other in pairs)


def _round(name: str) -> Round:
    load_average, sync = os.getloadavg()[0], _sync()
    with _serving(name) as (process, port):
        _load(port, RATE, RATE)  # the first second is not counted: modules are imported in it
        before = _cpu(process)
        steady = _load(port, RATE, RATE * SECONDS)
        cpu = 1e3 * (_cpu(process) - before) / steady.count
        return Round(load_average, sync, cpu, steady, _load(port, 0, FLAT_OUT))


def _sync() -> float:
    waits = []
    with tempfile.TemporaryFile() as file:
        for _ in range(_SYNCS):
            started = time.perf_counter()
            file.write(bytes(600))
            file.flush()
            os.fsync(file.fileno())
            waits.append(1e3 * (time.perf_counter() - started))
    return sorted(waits)[_SYNCS * 99 // 100]


def _cpu(process: int) -> float:
    """Seconds of CPU that a process has taken so far, as Linux counts them."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _serving(name: str) -> Iterator[tuple[int, int]]:
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        values = [name, str(port), str(Path(folder, "inbox.db")), str(SLOWNESS)]
        process = subprocess.Popen([sys.executable, "-m", f"{__package__}.served", *values])  # noqa: S603 - own program
        try:
            _wait_for(port)
            yield process.pid, port
        finally:
            process.kill()  # what its handlers have left is nobody's
            process.wait()


def _wait_for(port: int) -> None:
    patience = time.monotonic() + _PATIENCE
    while time.monotonic() < patience:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("the server did not start")


def _load(port: int, rate: int, count: int) -> Answered:
    path = f"{PATH}/{WebhookReceiver(secret=SECRET).token('CALL_INCOMING')}"
    command = [sys.executable, "-m", f"{__package__}.load", str(port), path, str(rate), str(count)]
    done = subprocess.run(command, check=True, capture_output=True, timeout=_PATIENCE)  # noqa: S603 - own program
    answered = Answered(**json.loads(done.stdout))
    if answered.refused:
        raise RuntimeError(f"{answered.refused} deliveries were refused")
    return answered


if __name__ == "__main__":
    measure(int(sys.argv[1]) if sys.argv[1:] else ROUNDS)
