"""What the project promises in numbers, measured."""

from __future__ import annotations

import secrets
import socket

_PORTS = range(20_000, 32_000)
"""Below those that a system hands out by itself: from 32,768 on Linux, from 49,152 elsewhere."""


def free_port() -> int:
    """A port of this machine that nobody listens on, and that nobody else is given who asks for any port at all."""
    while True:
        port = secrets.choice(_PORTS)  # `random` draws the same in every process of the tests
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
