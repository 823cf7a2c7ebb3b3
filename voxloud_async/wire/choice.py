"""The transport that a caller chose: by name, or an object of the caller's own. Libraries load only when chosen."""

from __future__ import annotations

from typing import Literal

from ..errors import ArgumentTypeError, InvalidArgumentError
from .transport import Transport

Choice = Transport | Literal["aiohttp", "httpx2"] | None


def chosen(transport: Choice, *, limit: int) -> tuple[Transport | None, Transport]:
    """The transport to close in the end, if any, and the one to use; `limit` is the most connections of a pool."""
    if transport is None or transport == "aiohttp":
        from .aiohttp import AiohttpTransport  # noqa: PLC0415

        own: Transport = AiohttpTransport(limit=limit)
    elif transport == "httpx2":
        from .httpx2 import Httpx2Transport  # noqa: PLC0415

        own = Httpx2Transport(limit=limit)
    elif isinstance(transport, str):
        raise InvalidArgumentError("transport", "must be 'aiohttp', 'httpx2' or a Transport")
    elif not callable(getattr(transport, "send", None)):
        raise ArgumentTypeError(
            "transport", f"must have the methods of a Transport; {type(transport).__name__} has no send"
        )
    else:
        return None, transport
    return own, own
