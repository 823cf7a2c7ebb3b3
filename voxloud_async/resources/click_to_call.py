"""Click-to-call (API section "Click-to-call API")."""

from __future__ import annotations

import builtins
import logging
from datetime import UTC, datetime
from functools import partial

from attrs import field, frozen

from ..errors import OutcomeUnknownError
from ..models import ClickToCall, ClickToCallCall, Connection, DialFirst, Extension
from ..protocol import arguments, operations
from ..session.caller import Caller
from .deletion import delete
from .outcome import settled

logger = logging.getLogger("voxloud_async")

_DEFAULT = DialFirst.EXTENSION  # of `dial_first`: API text, line 812
_WHOLE_SECONDS = 2.0  # the service tells its time without fractions


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
        `dial_first` is "contact" or "extension" (the service's default). Where the answer is lost, the one
        click-to-call that is the same in all of these is returned, which may have been there before, unless another
        call of this client made it; else `OutcomeUnknownError` raised. API: Create a click-to-call.
        """
        body = {
            "name": arguments.text("name", name),
            "extension": _digits(extension),
            "outboundNumber": arguments.text("outbound_number", outbound_number),
        }
        if dial_first is not None:
            body["dial_first"] = arguments.one_of("dial_first", dial_first, [choice.value for choice in DialFirst])
        started = self._caller.now()
        created = await settled(
            self._caller.call(operations.CREATE_CLICK_TO_CALL, body=body, started=started),
            partial(self._alike, body, started),
            partial(self._alike, body, None),
            self._caller.claims,
            alike=("click-to-call", body["extension"]),
            sure=lambda found: found.outbound_number == outbound_number,  # else it may be an older one
        )
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

        A request that may have rung is never sent again: where its answer is lost, `OutcomeUnknownError` says so. Its
        `resolve()` looks for the record of the call, which appears some seconds after the call has ended.
        API: Connect click-to-call.
        """
        segment = arguments.segment("id", id)
        body = {"contact": arguments.text("contact", contact)}
        started = self._caller.now()
        try:
            return await self._caller.call(operations.CONNECT, segment=segment, body=body)
        except OutcomeUnknownError as error:
            error.resolve = partial(self._record, contact, started)
            raise

    async def _alike(self, body: dict[str, str], started: float | None) -> builtins.list[ClickToCall]:
        page = await self._caller.call(operations.LIST_CLICK_TO_CALL, started=started)
        return [each for each in page.items if _may_be(each, body)]

    async def _record(self, contact: str, started: float) -> ClickToCallCall | None:
        """The record of a call to this number that began after a moment of this process."""
        since = self._caller.service_time() - (self._caller.now() - started) - _WHOLE_SECONDS
        query = {"sort": "timestamp,asc", "size": "100", "page": "0"}
        # Which spelling of a number the service would match is not known (anomaly T6): it is matched here.
        body = {"date_time_from": arguments.moment("since", datetime.fromtimestamp(since, UTC))}
        page = await self._caller.call(operations.QUERY_EVENTS, query=query, body=body)
        calls = [event for event in page.items if isinstance(event, ClickToCallCall) and _has_number(event, contact)]
        return calls[0] if len(calls) == 1 else None  # two rings to one number cannot be told apart


def _may_be(found: ClickToCall, body: dict[str, str]) -> bool:
    """Whether it may be what was asked for. The service may have put another number in (anomaly K2)."""
    names = {body["name"], ClickToCall(id="", name=body["name"]).friendly_name}  # which has a prefix (anomaly K1)
    return (
        found.extension == body["extension"]
        and (found.dial_first or _DEFAULT) == body.get("dial_first", _DEFAULT)
        and found.friendly_name in names
    )


def _has_number(call: ClickToCallCall, number: str) -> bool:
    """Records lack the plus that a number was dialled with (anomaly P6)."""
    wanted = number.removeprefix("+")
    return any(str(each).removeprefix("+") == wanted for each in (call.destination_number, call.originator_number))


def _digits(extension: Extension | str | int) -> str:
    """Users have their extension as a number, a click-to-call wants text (anomaly U3)."""
    return arguments.text("extension", str(extension if isinstance(extension, Extension) else Extension(extension)))
