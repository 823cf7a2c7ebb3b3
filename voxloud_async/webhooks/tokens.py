"""The secret in the path: one token an event type, told from one master secret, so that nothing has to be stored."""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Sequence

from ..errors import ArgumentTypeError, InvalidArgumentError
from ..models import EventType
from ..protocol import arguments

_PURPOSE = b"voxloud_async webhook token 1\0"
_LABEL = re.compile(r"[A-Za-z0-9_]{1,64}", re.ASCII)
_PROOF = 44  # a hyphen and 32 bytes in URL-safe base64
_LONGEST = 64 + _PROOF
_LEAST_SECRET = 32


class Tokens:
    """Makes tokens with the first secret and knows those of all of them."""

    def __init__(self, secret: object) -> None:
        """Raises ValueError for a secret below 32 bytes, TypeError for what is no secret."""
        self._secrets = tuple(_bytes(each) for each in _several(secret))
        if not self._secrets:
            raise InvalidArgumentError("secret", "must not be an empty list")

    def __repr__(self) -> str:
        return f"<Tokens of {len(self._secrets)} secrets>"

    def token(self, event_type: EventType | str) -> str:
        """The token that may deliver events of this type; raises ValueError for what is no word of letters."""
        label = str(EventType(arguments.text("event_type", event_type)))
        if not _LABEL.fullmatch(label):
            raise InvalidArgumentError("event_type", "must be at most 64 letters, digits and underscores")
        return _derived(self._secrets[0], label)

    def event_type(self, sent: str) -> str | None:
        """The event type of a token that is one of ours, else None; each secret is tried, whichever fits."""
        given = sent[:_LONGEST].encode("utf-8", "replace")
        label = sent[:_LONGEST][:-_PROOF]
        if not _LABEL.fullmatch(label):
            label = "none"  # the same work for what cannot be a token
        fits = [hmac.compare_digest(given, _derived(secret, label).encode()) for secret in self._secrets]
        return label if any(fits) and len(sent) <= _LONGEST else None


def _derived(secret: bytes, label: str) -> str:
    digest = hmac.digest(secret, _PURPOSE + label.encode(), "sha256")
    return f"{label}-{urlsafe_b64encode(digest).decode().rstrip('=')}"


def _several(secret: object) -> Sequence[object]:
    return secret if isinstance(secret, list | tuple) else [secret]


def _bytes(secret: object) -> bytes:
    if not isinstance(secret, str | bytes):
        raise ArgumentTypeError("secret", f"must be str, bytes or a list of them, not {type(secret).__name__}")
    raw = secret.encode() if isinstance(secret, str) else secret
    if len(raw) < _LEAST_SECRET:
        reason = f"must have at least {_LEAST_SECRET} bytes, for instance secrets.token_urlsafe(32)"
        raise InvalidArgumentError("secret", reason)
    return raw
