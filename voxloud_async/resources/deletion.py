"""Deleting, the same for all that can be deleted."""

from __future__ import annotations

from ..errors import NotFoundError
from ..protocol import arguments
from ..protocol.operations import Operation
from ..session.caller import Caller


async def delete(caller: Caller, operation: Operation[None], identifier: str, *, missing_ok: bool) -> None:
    """Delete by id; raises `NotFoundError` unless `missing_ok`."""
    segment = arguments.segment("id", identifier)
    arguments.flag("missing_ok", missing_ok)
    try:
        await caller.call(operation, segment=segment)
    except NotFoundError:
        if not missing_ok:
            raise
