"""The state of a PBX. No I/O: the time comes from `clock`, chance from the seed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from attrs import define, evolve, field

from .dice import Dice
from .event_log import EventLog
from .journal import append_bounded
from .quirks import Quirks
from .records import ClickToCall, Contact, PlacedCall, Row, Subscription
from .town.details import complete
from .town.directory import Directory
from .town.outlines import Outline, Party
from .webhooks.agenda import Agenda, Happening
from .webhooks.click_to_calls import connected_call
from .webhooks.story import StagedCall


@define
class Pbx:
    """Everything the API shows or changes; tests may look at it and change it at any time.

    `clock` gives milliseconds since 1970. `pace` is the seconds that a second of a call takes, `record_delay` the time
    from the end of a call to its records, `search_delay` the age of a contact that a search finds, in milliseconds.
    """

    directory: Directory
    contacts: dict[str, Contact]
    events: EventLog
    clock: Callable[[], int]
    seed: int = 0
    quirks: Quirks = field(factory=Quirks)
    pace: float = 0.0
    record_delay: int = 0
    search_delay: int = 0
    subscriptions: dict[str, Subscription] = field(factory=dict, init=False)
    click_to_calls: dict[str, ClickToCall] = field(factory=dict, init=False)
    calls_placed: list[PlacedCall] = field(factory=list, init=False)
    """The latest `KEPT`, oldest first."""
    queries: int = field(default=0, init=False)
    agenda: Agenda = field(factory=Agenda, init=False)
    happened: deque[Happening] = field(factory=deque, init=False, repr=False)
    """What came about and was not taken up yet by who sends the webhooks."""
    _ids: int = field(default=0, init=False)

    @property
    def quota(self) -> int:
        """How many click-to-calls may exist: one for each user and group (K7)."""
        return len(self.directory.users) + len(self.directory.groups)

    def new_id(self) -> Dice:
        """Dice for the identifier of something new."""
        self._ids += 1
        return Dice(self.seed, "new", self._ids)

    def place_call(self, click_to_call: ClickToCall, contact: str) -> PlacedCall:
        """Ring the phones. The call goes on from there, and ends with its record."""
        call = PlacedCall(
            click_to_call_id=click_to_call.id,
            call_id=f"{self.new_id().hex(32)}-clicktocall",
            extension=click_to_call.extension,
            contact=contact,
            outbound_number=click_to_call.outbound_number,
            dial_first=click_to_call.dial_first,
            at=self.clock(),
        )
        append_bounded(self.calls_placed, call)
        self.stage(connected_call(call, self._record(call), town=self.directory, quirks=self.quirks))
        return call

    def stage(self, call: StagedCall) -> None:
        """Let a call happen."""
        self.agenda.add(call.happenings(pace=self.pace, record_delay=self.record_delay))

    def catch_up(self) -> None:
        """Let all come about that is due: records are among the events from now on."""
        for each in self.agenda.due(self.clock()):
            row = self.events[self.events.append(each.row)] if each.is_record else each.row
            self.happened.append(evolve(each, row=row))
        if self.happened:
            self.agenda.listener()

    def _record(self, call: PlacedCall) -> Row:
        names = {str(user.extension): user.name for user in self.directory.users}
        number = call.contact.removeprefix("+")
        known = (each for each in self.contacts.values() if call.contact in (each.primary_phone, *each.phones))
        outline = Outline(
            kind="CLICK_TO_CALL",
            direction="OUTBOUND",
            originator=Party(names.get(call.extension, call.extension), call.outbound_number.removeprefix("+")),
            destination=Party(number, number),
            contact=next(known, None),
        )
        row = outline.row(self.directory, at=call.at, call_id=call.call_id)
        complete(row, outline, self.directory, Dice(self.seed, "record", call.call_id), answered=True)
        return row | {"clickToCallType": call.dial_first.upper()}
