"""The file of a SQLite inbox: made for its owner's eyes alone, and told from the files of others."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from .protocol import InboxError

APPLICATION = 0x564F5849  # "VOXI"
VERSION = 2

BUSY = 5.0
"""Seconds to wait while other processes write."""

_AGAIN = 0.01
_SOON = 0.001

# `at`: when a waiting delivery is due (for a leased one: when its lease ends), or when it died or was done.
# `seq` makes the order of two that are due at the same moment that of their coming.
_SCHEMA = f"""
CREATE TABLE inbox (
    seq INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'dead', 'done')),
    at REAL NOT NULL,
    type TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    origin TEXT NOT NULL,
    received REAL NOT NULL,
    body BLOB,
    token TEXT,
    runs INTEGER NOT NULL DEFAULT 0,
    error TEXT
);
CREATE INDEX inbox_by_state ON inbox (state, at, seq, type);
CREATE TABLE handled_types (type TEXT PRIMARY KEY, until REAL NOT NULL) WITHOUT ROWID;
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
"""


def connect(path: Path) -> sqlite3.Connection:
    """Open an inbox, or make one where there is none. Raises InboxError."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite gives the files beside it the same mode
    connection = sqlite3.connect(path, timeout=BUSY, isolation_level=None)
    try:
        _prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    try:
        if not _look(connection, path):
            _make(connection, path)
        _set_up(connection, path)
    except sqlite3.DatabaseError as error:
        raise InboxError(f"{path} cannot be used as an inbox: {error}") from error


def _look(connection: sqlite3.Connection, path: Path) -> bool:
    connection.execute("BEGIN")  # else another process might make it between two glances
    ours = _is_ours(connection, path)
    connection.execute("COMMIT")
    return ours


def _is_ours(connection: sqlite3.Connection, path: Path) -> bool:
    """False where the file is empty; InboxError where it is not ours to write to."""
    application, version = _number(connection, "application_id"), _number(connection, "user_version")
    if application == APPLICATION and version == VERSION:
        return True
    if application == APPLICATION:
        raise InboxError(f"{path} is an inbox of version {version}, and this release knows version {VERSION}")
    if application or version or connection.execute("SELECT 1 FROM sqlite_master").fetchone():
        raise InboxError(f"{path} is a database of another program")
    return False


def _make(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    if not _is_ours(connection, path):  # another process may have been faster
        for statement in filter(str.strip, _SCHEMA.split(";")):
            connection.execute(statement)
    connection.execute("COMMIT")


def _set_up(connection: sqlite3.Connection, path: Path) -> None:
    if _write_ahead(connection) != "wal":
        raise InboxError(f"{path} lies on a file system without the shared memory that write-ahead logging needs")
    connection.execute("PRAGMA synchronous = FULL")  # NORMAL would lose what was acknowledged when the power fails
    connection.execute("PRAGMA secure_delete = ON")  # bodies hold personal data: what is dropped becomes zeros
    connection.execute("PRAGMA fullfsync = ON")  # of use on macOS, where fsync alone stops at the disk's own cache
    connection.execute(f"PRAGMA journal_size_limit = {64 * 2**20}")  # else the log stays as long as it ever was


def begin_to_write(connection: sqlite3.Connection) -> None:
    """Begin a transaction that writes, and wait up to `BUSY` seconds for others.

    SQLite's own waiting sleeps for up to 100 ms between two looks: beside processes that write one transaction after
    the other, it hardly ever finds the moment between them.
    """
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        _patiently(lambda: connection.execute("BEGIN IMMEDIATE"), pause=_SOON)
    finally:
        connection.execute(f"PRAGMA busy_timeout = {BUSY * 1000:.0f}")


def empty_log(path: Path) -> bool:
    """Cut the write-ahead log, which holds old versions of rows, to nothing; False where others read it all the time.

    It looks again and again for up to `BUSY` seconds: to wait within SQLite would hold up those who write.
    """
    patience = time.monotonic() + BUSY
    there = f"{path.absolute().as_uri()}?mode=rw"
    with suppress(sqlite3.Error), closing(sqlite3.connect(there, timeout=0.0, uri=True)) as connection:
        while connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            if time.monotonic() > patience:
                return False
            time.sleep(_AGAIN)
        return True
    return False


def _write_ahead(connection: sqlite3.Connection) -> str:
    """The journal mode, after the change to write-ahead, for which SQLite does not wait by itself."""
    return str(_patiently(lambda: connection.execute("PRAGMA journal_mode = WAL"), pause=_AGAIN).fetchone()[0])


def _patiently(attempt: Callable[[], sqlite3.Cursor], *, pause: float) -> sqlite3.Cursor:
    patience = time.monotonic() + BUSY
    while True:
        try:
            return attempt()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > patience:
                raise
            time.sleep(pause)


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    with closing(connection.execute(f"PRAGMA {pragma}")) as cursor:
        return int(cursor.fetchone()[0])
