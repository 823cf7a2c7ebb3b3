"""Users (API section "Users API"; the only one on version 2)."""

from __future__ import annotations

from attrs import field, frozen

from .._tracebacks import without_frames
from ..models import User
from ..protocol import operations
from ..session.caller import Caller


@without_frames
@frozen
class Users:
    """`client.users`."""

    _caller: Caller = field(repr=False)

    async def list(self) -> list[User]:
        """All users of the PBX. API: Get all users."""
        page = await self._caller.call(operations.LIST_USERS)
        return [*page.items]
