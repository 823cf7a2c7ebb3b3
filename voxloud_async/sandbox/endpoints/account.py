"""Authentication (L9): whose key it is."""

from __future__ import annotations

from ..context import Context
from ..exchange import Answer, as_json


def validate_auth(context: Context) -> Answer:
    """POST /validate-auth; the key has been checked before any endpoint is asked."""
    town = context.pbx.directory
    return as_json({"name": town.company, "email": town.email})
