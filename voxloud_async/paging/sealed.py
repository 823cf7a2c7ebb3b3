"""Texts that a caller keeps between two reads: opaque, printable, and good for the same filters alone."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b

from ..protocol import arguments

_CHECK = 8  # bytes


def sealed(payload: bytes, digest: str) -> str:
    """The text of a payload for the filters that the digest stands for."""
    return urlsafe_b64encode(_check(payload, digest) + payload).decode()


def unsealed(name: str, text: object, digest: str) -> bytes | None:
    """The payload of a text, None where it is damaged or of other filters; TypeError where it is no text."""
    try:
        raw = urlsafe_b64decode(arguments.text(name, text).encode("ascii"))
    except ValueError:
        return None
    payload = raw[_CHECK:]
    return payload if raw[:_CHECK] == _check(payload, digest) else None


def _check(payload: bytes, digest: str) -> bytes:
    return blake2b(payload, digest_size=_CHECK, key=digest.encode()).digest()
