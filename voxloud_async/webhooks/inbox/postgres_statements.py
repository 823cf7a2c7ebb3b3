"""What a PostgreSQL inbox asks. A statement is a transaction; its first value is added to the server's clock."""

from __future__ import annotations

# stable within a statement, so that an index serves it; `clock_timestamp()` would not be
_NOW = "(extract(epoch FROM statement_timestamp())::float8 + $1::float8)"

# the event types of a selection, and whether they are left out
_OF = "(type = ANY ($2::text[])) <> $3::bool"


def on_table(statement: str, table: str) -> str:
    """A statement of this file for a table."""
    return statement.format(table=table, now=_NOW, of=_OF)


# The rows are locked in the order of their keys, so that two who store the same ones do not wait for each other in a
# circle. Of those that came together the first is due a microsecond before the second.
INSERT = """
    INSERT INTO {table} AS old (key, state, at, type, fingerprint, origin, received, body)
    SELECT key, 'waiting', {now} + (place - count(*) OVER ()) * 1e-6, type, fingerprint, origin, received, body
    FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::float8[], $8::bytea[])
        WITH ORDINALITY AS coming (key, type, fingerprint, origin, received, body, place)
    ORDER BY key
    ON CONFLICT (key) DO UPDATE SET state = 'waiting', at = excluded.at, type = excluded.type,
        fingerprint = excluded.fingerprint, origin = excluded.origin, received = excluded.received,
        body = excluded.body, token = NULL, runs = 0, error = NULL
    WHERE old.state = 'done' AND old.at <= {now} - $2::float8
    RETURNING key
"""

KNOWN = """
    SELECT key, fingerprint FROM {table} WHERE key = ANY ($2::text[]) AND (state <> 'done' OR at > {now} - $3::float8)
"""

WAITING = "SELECT count(*) AS waiting, $1::float8 FROM {table} WHERE state = 'waiting'"

FORGET = """
    DELETE FROM {table} WHERE key IN (
        SELECT key FROM {table} WHERE state = 'done' AND at <= {now} - $2::float8
        ORDER BY at LIMIT 5000 FOR UPDATE SKIP LOCKED
    )
"""

LEASE = """
    WITH due AS (
        SELECT key, at FROM {table} WHERE state = 'waiting' AND at <= {now} - $4::float8 AND {of}
        ORDER BY at LIMIT $5 FOR UPDATE SKIP LOCKED
    )
    UPDATE {table} AS mine SET token = $6, at = {now} + $7::float8, runs = runs + 1
    FROM due WHERE mine.key = due.key
    RETURNING mine.key, type, fingerprint, origin, received, body, mine.at, runs, due.at AS was
"""

EXTEND = """
    UPDATE {table} SET at = {now} + $4::float8 WHERE key = $2 AND token = $3 RETURNING at
"""

DONE = """
    UPDATE {table} SET state = 'done', at = {now}, token = NULL, error = NULL, body = NULL
    WHERE key = $2 AND token = $3 RETURNING key
"""

RETRY = """
    UPDATE {table} SET at = {now} + $4::float8, token = NULL, error = $5
    WHERE key = $2 AND token = $3 RETURNING key
"""

RELEASE = """
    UPDATE {table} SET at = {now}, token = NULL, runs = runs - 1 WHERE key = $2 AND token = $3 RETURNING key
"""

BURY = """
    UPDATE {table} SET state = 'dead', at = {now}, token = NULL, error = $4
    WHERE key = $2 AND token = $3 RETURNING key
"""

DEAD_LETTERS = """
    SELECT key, type, fingerprint, origin, received, body, runs, error, at, $1::float8 FROM {table}
    WHERE state = 'dead' ORDER BY at DESC LIMIT $2
"""

_ASKED = """
    WITH asked AS (
        SELECT key FROM {table} WHERE state = 'dead' AND key = ANY ($2::text[]) ORDER BY key FOR UPDATE
    )
"""

REPLAY = f"""{_ASKED}
    UPDATE {{table}} AS mine SET state = 'waiting', at = {{now}}, runs = 0, error = NULL
    FROM asked WHERE mine.key = asked.key RETURNING mine.key
"""  # noqa: S608 - what it is put together from stands above

DISCARD = f"""{_ASKED}
    UPDATE {{table}} AS mine SET state = 'done', at = {{now}}, error = NULL, body = NULL
    FROM asked WHERE mine.key = asked.key RETURNING mine.key
"""  # noqa: S608 - the same

DUE_IN = "SELECT min(at) - {now} AS seconds FROM {table} WHERE state = 'waiting' AND {of}"

ANNOUNCE = """
    INSERT INTO {table}_types AS old (type, until)
    SELECT type, {now} + $3::float8 FROM unnest($2::text[]) AS coming (type) ORDER BY type
    ON CONFLICT (type) DO UPDATE SET until = greatest(old.until, excluded.until)
"""

ANNOUNCED = "SELECT type FROM {table}_types WHERE until > {now}"

COUNTS = """
    SELECT (SELECT count(*) FROM {table} WHERE state = 'waiting') AS waiting,
           (SELECT count(*) FROM {table} WHERE state = 'waiting' AND at > {now} AND token IS NOT NULL) AS leased,
           (SELECT count(*) FROM {table} WHERE state = 'dead') AS dead,
           (SELECT count(*) FROM {table} WHERE state = 'done' AND at > {now} - $2::float8) AS done
"""
