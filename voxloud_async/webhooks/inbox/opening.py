"""The one door to all stores."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from .protocol import Inbox
from .sqlite import SqliteInbox

# scheme: the module, its class, and the extra that brings its library
_SERVERS = {
    "postgresql": ("postgres", "PostgresInbox", "postgres"),
    "postgres": ("postgres", "PostgresInbox", "postgres"),
    "redis": ("redis", "RedisInbox", "redis"),
    "rediss": ("redis", "RedisInbox", "redis"),
    "unix": ("redis", "RedisInbox", "redis"),
}
_SQLITE = "sqlite:///"


def open_inbox(where: str | os.PathLike[str], *, max_waiting: int = 100_000) -> Inbox:
    """An inbox in a SQLite file, PostgreSQL or Redis; it is opened on first use.

    `where` is a path, `sqlite:///relative.db`, `sqlite:////absolute.db`, `postgresql://...`, `redis://...`, `rediss://...`
    or `unix://...`. It takes up to `max_waiting` deliveries that wait.

    Raises:
        ValueError: `where` names no store, or `max_waiting` is less than 1.
        ImportError: the library of the store is not installed.
    """
    file = file_of(where)
    if file is not None:
        return SqliteInbox(file, max_waiting=max_waiting)
    inbox: Inbox = _server_class(str(where))(str(where), max_waiting=max_waiting)
    return inbox


def file_of(where: str | os.PathLike[str]) -> Path | None:
    """The file that a path or a URL of SQLite names; None for any other URL."""
    text = os.fspath(where)
    scheme, found, _ = text.partition("://")
    if not found or isinstance(where, os.PathLike):
        return _file(text)
    return _file(_path(text)) if scheme == "sqlite" else None


def _path(url: str) -> str:
    if not url.startswith(_SQLITE):
        raise ValueError("a URL of SQLite names no host: sqlite:///relative.db or sqlite:////absolute.db")
    return unquote(url.removeprefix(_SQLITE))


def _file(path: str) -> Path:
    if path in ("", ":memory:"):
        raise ValueError("an inbox in SQLite needs the path of a file")
    return Path(path)


def _server_class(url: str) -> Any:
    scheme = url.partition("://")[0]
    if scheme not in _SERVERS:  # the rest of the URL may hold a password
        raise ValueError(f"an inbox must be a path or a URL of {', '.join(['sqlite', *_SERVERS])}, not {scheme}://")
    module, name, extra = _SERVERS[scheme]
    try:
        return getattr(import_module(f".{module}", __package__), name)
    except ModuleNotFoundError as error:
        raise ImportError(
            f"an inbox in {scheme} needs {error.name}: pip install 'voxloud_async[{extra}]'", name=error.name
        ) from error
