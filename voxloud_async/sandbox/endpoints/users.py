"""Users (L261)."""

from __future__ import annotations

from ..context import Context
from ..exchange import Answer, as_json
from ..shapes import user_shape


def list_users(context: Context) -> Answer:
    """GET /api/v2/users: a bare array (U1)."""
    return as_json([user_shape(user, context.quirks) for user in context.pbx.directory.users])
