"""Click-to-call (API section "Click-to-call API")."""

from __future__ import annotations

import builtins
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Literal

from attrs import field, frozen

from .._tracebacks import without_frames
from ..errors import ArgumentTypeError, OutcomeUnknownError
from ..models import ClickToCall, ClickToCallCall, Connection, DialFirst, Extension
from ..protocol import arguments, operations
from ..session.caller import Caller
from .created import Traits, create
from .deletion import delete
from .telephony_events import TelephonyEvents

logger = logging.getLogger("voxloud_async")

_DEFAULT = DialFirst.EXTENSION  # of `dial_first`: API text, line 812
_WHOLE_SECONDS = 2.0  # the service has its time without fractions


@without_frames
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
        dial_first: DialFirst | Literal["contact", "extension"] | None = None,
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
        created = await create(_Creation(self._caller, body), self._caller)
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
            error.resolve_with(partial(self._record, contact, started))
            raise

    @without_frames
    async def _record(self, contact: str, started: float) -> tuple[ClickToCallCall | None, tuple[str, ...]]:
        """The record of a call to this number that began after a moment of this process."""
        since = self._caller.service_time() - (self._caller.now() - started) - _WHOLE_SECONDS
        # Which spelling of a number the service would match is not known (anomaly T6): it is matched here.
        records = TelephonyEvents(self._caller).query(date_time_from=datetime.fromtimestamp(since, UTC))
        calls = [each async for each in records if isinstance(each, ClickToCallCall) and _has_number(each, contact)]
        if len(calls) == 1:
            return calls[0], ()
        return None, tuple(str(each.id) for each in calls)  # which of them was this ring is not known


@frozen
class _Creation:
    """The create of a click-to-call. One with another outbound number may be its result, too (anomaly K2)."""

    _caller: Caller
    _body: Mapping[str, str]

    @property
    def key(self) -> str:
        return _key(self._body["name"], self._body["extension"], self._body.get("dial_first"))

    @property
    def traits(self) -> Traits:
        number = self._body["outboundNumber"]
        return Traits(number, number)

    async def send(self) -> ClickToCall:
        return await self._caller.call(operations.CREATE_CLICK_TO_CALL, body=self._body)

    async def look(self, started: float | None) -> builtins.list[ClickToCall]:
        page = await self._caller.since(started).call(operations.LIST_CLICK_TO_CALL)
        return [each for each in page.items if _key(each.name, each.extension, each.dial_first) == self.key]

    def traits_of(self, thing: ClickToCall) -> Traits:
        return Traits(thing.outbound_number, thing.outbound_number)

    def is_recent(self, thing: ClickToCall, started: float, ended: float) -> bool:  # noqa: ARG002 - none has a time, and an older one
        return True  # serves as well


def _key(name: str | None, extension: object, dial_first: object) -> str:
    # The service puts a prefix before a name (anomaly K1), also before one that has it.
    while name != (bare := ClickToCall(id="", name=name).friendly_name):
        name = bare
    return f"click-to-call {extension} {dial_first or _DEFAULT} {name}"


def _has_number(call: ClickToCallCall, number: str) -> bool:
    """Records lack the plus that a number was dialled with (anomaly P6)."""
    wanted = number.removeprefix("+")
    return any(str(each).removeprefix("+") == wanted for each in (call.destination_number, call.originator_number))


def _digits(extension: Extension | str | int) -> str:
    """Users have their extension as a number, a click-to-call wants text (anomaly U3)."""
    if isinstance(extension, bool) or not isinstance(extension, str | int):
        raise ArgumentTypeError("extension", f"must be a string or a whole number, not {type(extension).__name__}")
    return arguments.text("extension", str(extension))
