"""The state of a PBX. No I/O: the time comes from `clock`, chance from the seed."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field

from .dice import Dice
from .event_log import EventLog
from .records import ClickToCall, Contact, PlacedCall, Row, Subscription
from .town.details import complete_click_to_call
from .town.directory import Directory


@define
class Pbx:
    """Everything the API shows or changes; tests may look at it and change it at any time.

    `clock` gives milliseconds since 1970. `record_delay` is the time, in milliseconds, from a connect to its record.
    """

    directory: Directory
    contacts: dict[str, Contact]
    events: EventLog
    clock: Callable[[], int]
    seed: int = 0
    record_delay: int = 0
    subscriptions: dict[str, Subscription] = field(factory=dict, init=False)
    click_to_calls: dict[str, ClickToCall] = field(factory=dict, init=False)
    calls_placed: list[PlacedCall] = field(factory=list, init=False)
    queries: int = field(default=0, init=False)
    _ids: int = field(default=0, init=False)
    _unrecorded: list[PlacedCall] = field(factory=list, init=False)

    @property
    def quota(self) -> int:
        """How many click-to-calls may exist: one for each user and group (K7)."""
        return len(self.directory.users) + len(self.directory.groups)

    def new_id(self) -> Dice:
        """Dice for the identifier of something new."""
        self._ids += 1
        return Dice(self.seed, "new", self._ids)

    def place_call(self, click_to_call: ClickToCall, contact: str) -> PlacedCall:
        """Ring the phones. The record of the call follows after the delay."""
        call = PlacedCall(
            click_to_call_id=click_to_call.id,
            call_id=f"{self.new_id().hex(32)}-clicktocall",
            extension=click_to_call.extension,
            contact=contact,
            outbound_number=click_to_call.outbound_number,
            dial_first=click_to_call.dial_first,
            at=self.clock(),
        )
        self.calls_placed.append(call)
        self._unrecorded.append(call)
        return call

    def record_finished_calls(self) -> None:
        """Put the records that are due into the events."""
        now = self.clock()
        due = [call for call in self._unrecorded if call.at + self.record_delay <= now]
        self._unrecorded = [call for call in self._unrecorded if call not in due]
        for call in due:
            self.events.append(self._record(call))

    def _record(self, call: PlacedCall) -> Row:
        names = {str(user.extension): user.name for user in self.directory.users}
        contact = call.contact.removeprefix("+")
        row: Row = {
            "type": "CLICK_TO_CALL",
            "accountId": self.directory.account_id,
            "direction": "OUTBOUND",
            "timestamp": call.at,
            "originatorName": names.get(call.extension, call.extension),
            "originatorNumber": call.outbound_number.removeprefix("+"),
            "destinationName": contact,
            "destinationNumber": contact,
            "callId": call.call_id,
        }
        complete_click_to_call(row, Dice(self.seed, "record", call.call_id))
        return row | {"clickToCallType": call.dial_first.upper()}
