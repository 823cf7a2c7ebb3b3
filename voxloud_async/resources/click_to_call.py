"""Click-to-call (API section "Click-to-call API")."""

from __future__ import annotations

import builtins
import logging

from attrs import field, frozen

from ..models import ClickToCall, Connection, DialFirst, Extension
from ..protocol import arguments, operations
from ..session.caller import Caller
from .deletion import delete

logger = logging.getLogger("voxloud_async")


@frozen
class ClickToCalls:
    """`client.click_to_call`. The service allows as many as it has users and groups: keep and reuse them."""

    _caller: Caller = field(repr=False)

    async def create(
        self,
        *,
        name: str,
        extension: Extension | str | int,
        outbound_number: str,
        dial_first: DialFirst | str | None = None,
    ) -> ClickToCall:
        """Create a click-to-call for an extension, such as a user's `extension_number`.

        `outbound_number` should be one of the PBX's own; the service may put another in its place, which is logged.
        `dial_first` is "contact" or "extension" (the service's default). Raises `OutcomeUnknownError` where the answer
        was lost. API: Create a click-to-call.
        """
        body = {
            "name": arguments.text("name", name),
            "extension": _digits(extension),
            "outboundNumber": arguments.text("outbound_number", outbound_number),
        }
        if dial_first is not None:
            body["dial_first"] = arguments.one_of("dial_first", dial_first, [choice.value for choice in DialFirst])
        created = await self._caller.call(operations.CREATE_CLICK_TO_CALL, body=body)
        if created.outbound_number not in {None, outbound_number}:
            logger.warning("the service replaced the outbound number of click-to-call %s", created.id)
        return created

    async def get(self, id: str) -> ClickToCall:  # noqa: A002 - the API's own word
        """Read one click-to-call; raises `NotFoundError`. API: Get a click-to-call."""
        return await self._caller.call(operations.GET_CLICK_TO_CALL, segment=arguments.segment("id", id))

    async def list(self) -> builtins.list[ClickToCall]:
        """All click-to-calls. API: Get all click-to-call."""
        page = await self._caller.call(operations.LIST_CLICK_TO_CALL)
        return [*page.items]

    async def delete(self, id: str, *, missing_ok: bool = False) -> None:  # noqa: A002
        """Delete a click-to-call, and with it the id that sites embed; raises `NotFoundError` unless `missing_ok`.

        API: Delete a click-to-call.
        """
        await delete(self._caller, operations.DELETE_CLICK_TO_CALL, id, missing_ok=missing_ok)

    async def connect(self, id: str, *, contact: str) -> Connection:  # noqa: A002
        """Ring the contact (a number in E.164 format) and the extension.

        A request that may have rung is never sent again: where its answer is lost, `OutcomeUnknownError` says so.
        API: Connect click-to-call.
        """
        segment = arguments.segment("id", id)
        body = {"contact": arguments.text("contact", contact)}
        return await self._caller.call(operations.CONNECT, segment=segment, body=body)


def _digits(extension: Extension | str | int) -> str:
    """Users have their extension as a number, a click-to-call wants text (anomaly U3)."""
    return arguments.text("extension", str(extension if isinstance(extension, Extension) else Extension(extension)))
