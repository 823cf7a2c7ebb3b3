"""The table of a PostgreSQL inbox: its name, how it is made, and how it is told from others."""

from __future__ import annotations

import re
from typing import Any

from .protocol import InboxError

VERSION = 2

_NOTE = f"voxloud_async inbox, version {VERSION}"
_OURS = "voxloud_async inbox"
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,49}(\.[a-z_][a-z0-9_]{0,49})?")
_LOCK = 0x564F5849  # of those who would make the table at once

# `at`: when a waiting delivery is due (for a leased one: when its lease ends), or when it died or was done; seconds
# since 1970 by the server's clock. A queue leaves many dead rows: its table is vacuumed early.
_SCHEMA = """
CREATE TABLE {table} (
    key text PRIMARY KEY,
    state text NOT NULL CHECK (state IN ('waiting', 'dead', 'done')),
    at double precision NOT NULL,
    type text NOT NULL,
    fingerprint text NOT NULL,
    origin text NOT NULL,
    received double precision NOT NULL,
    body bytea,
    token text,
    runs integer NOT NULL DEFAULT 0,
    error text
) WITH (autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX ON {table} (state, at);
CREATE TABLE {table}_types (type text PRIMARY KEY, until double precision NOT NULL);
COMMENT ON TABLE {table} IS '{note}';
"""

# read from the catalogue: what another session has just made, `to_regclass` alone would find in no cache
_FIND = "SELECT obj_description(oid, 'pg_class') AS note FROM pg_class WHERE oid = to_regclass($1)"


def checked(table: str) -> str:
    """A table's name, with its schema or without; ValueError where it would have to be quoted."""
    if not _NAME.fullmatch(table):
        raise ValueError(
            "table must be a name of lower-case letters, digits and underscores, with its schema or without"
        )
    return table


async def prepare(db: Any, table: str) -> None:
    """Make the table where there is none. Raises InboxError where there is another."""
    if await _is_ours(db, table):
        return
    async with db.transaction():
        await db.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        if not await _is_ours(db, table):  # another process may have been faster
            await db.execute(_SCHEMA.format(table=table, note=_NOTE))


async def _is_ours(db: Any, table: str) -> bool:
    found = await db.fetchrow(_FIND, table)
    if found is None:
        return False
    note = found["note"] or ""
    if note == _NOTE:
        return True
    if note.startswith(_OURS):
        raise InboxError(f"the table {table} is of another version ({note}), and this release knows version {VERSION}")
    raise InboxError(f"the table {table} belongs to another program")
