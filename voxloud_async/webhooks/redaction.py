"""Tokens out of access logs: every server logs the path, and the path holds the secret."""

from __future__ import annotations

import copy
import logging
import re
from typing import Any

_RUN = re.compile(r"""[^\s/?#&"'=<>:,;.()\[\]{}|]{40,}""")
"""What may be a token, or nearly one: it has 45 characters at least, and may have been escaped, cut or added to.

A UUID has 36. A longer segment that is none is masked too, which costs less than a secret in a log.
"""

_ACCESS_LOGS = ("aiohttp.access", "uvicorn.access", "hypercorn.access", "granian.access", "gunicorn.access")
_OF_LOGGING = frozenset({"name", "pathname", "filename", "module", "funcName"})
_PLAIN = (int, float, type(None))


class TokenFilter(logging.Filter):
    """Shows the tokens of callback URLs as `***`: add it to a logger, or a handler, that writes paths of requests.

    `WebhookReceiver` adds one to the access logs of aiohttp, uvicorn, hypercorn, granian and gunicorn.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record through, without tokens."""
        for name, value in record.__dict__.items():
            if name not in _OF_LOGGING:
                record.__dict__[name] = _redacted(value)
        return True


def mask_access_logs() -> None:
    """Add a filter to the access logs of the servers that are known, once."""
    for name in _ACCESS_LOGS:
        logger = logging.getLogger(name)
        if not any(isinstance(each, TokenFilter) for each in logger.filters):
            logger.addFilter(TokenFilter())


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return _RUN.sub("***", value)
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, dict):
        twin = copy.copy(value)  # of its own class: servers log with mappings that know what is missing
        twin.update({name: _redacted(item) for name, item in value.items()})
        return twin
    if type(value) in {tuple, list}:
        return type(value)(map(_redacted, value))
    text = str(value)
    return _RUN.sub("***", text) if _RUN.search(text) else value
