"""Texts that a caller keeps between two reads: opaque, printable, checksummed, and valid for the same filters only."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b

from ..protocol import arguments

_CHECKSUM = 8  # bytes


def to_token(payload: bytes, filters: str) -> str:
    """Return the token of a payload for the filters with this digest."""
    return urlsafe_b64encode(_checksum(payload, filters) + payload).decode()


def from_token(name: str, token: object, filters: str) -> bytes | None:
    """Return the payload of a token, or None where it is damaged or of other filters.

    Raises:
        TypeError: it is no string; `name` is the argument it was given as.
    """
    try:
        raw = urlsafe_b64decode(arguments.text(name, token).encode("ascii"))
    except ValueError:
        return None
    payload = raw[_CHECKSUM:]
    return payload if raw[:_CHECKSUM] == _checksum(payload, filters) else None


def _checksum(payload: bytes, filters: str) -> bytes:
    return blake2b(payload, digest_size=_CHECKSUM, key=filters.encode()).digest()
