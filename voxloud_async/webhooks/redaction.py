"""Tokens out of access logs: the path is logged by every server, and in it stands the secret."""

from __future__ import annotations

import logging
from typing import Any

from .tokens import TOKEN


class TokenFilter(logging.Filter):
    """Shows the tokens of callback URLs as `***`: add it to the logger, or the handler, that writes access logs.

    For instance `logging.getLogger("uvicorn.access").addFilter(TokenFilter())`, or `"aiohttp.access"`.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record through, without tokens."""
        for name, value in record.__dict__.items():
            record.__dict__[name] = _redacted(value)
        return True


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return TOKEN.sub("***", value)
    if isinstance(value, dict):
        return {name: _redacted(item) for name, item in value.items()}
    if type(value) is tuple:
        return tuple(_redacted(item) for item in value)
    return value
