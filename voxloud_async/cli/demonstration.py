"""The main job in bad weather, and what came of it, as the client says and as the sandbox counts."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from http import HTTPStatus
from typing import Protocol

from attrs import define, field, frozen

from ..client import VoxloudClient
from ..errors import VoxloudError
from ..sandbox import Sandbox, SlidingWindow, TokenBucket, Weather
from ..session.events import AttemptEnded, CallEnded, Event, Paused, Retrying

_MARK = "demo"
_NAMES = ("Ada", "Bruno", "Chiara", "Dario", "Elena", "Fabio", "Giulia", "Hugo", "Irene", "Luca")
_PAGE = 100

CREATES = Weather(latency=0.02, jitter=0.03, limits=(TokenBucket(rate=60.0, burst=30),), retry_after="seconds")
"""For the creates: many a second, and a refusal says when to come back."""

RECORDS = Weather(
    latency=0.02,
    jitter=0.03,
    limits=(SlidingWindow(10, 1.0),),
    maintenance_after=14,
    maintenance_length=2.0,
)
"""For the records: few a second, no word of when to come back, and maintenance in the midst."""


class Stage(Enum):
    """The parts of the job."""

    KEY = auto()
    CONTACTS = auto()
    RECORDS = auto()


class Audience(Protocol):
    """Who watches."""

    def begin(self, stage: Stage) -> None:
        """A stage begins."""
        ...

    def expect(self, stage: Stage, total: int) -> None:
        """It has so many steps."""
        ...

    def advance(self, stage: Stage, steps: int) -> None:
        """Some of its steps are done."""
        ...

    def note(self, stage: Stage, text: str) -> None:
        """Something worth knowing happens in it."""
        ...


@frozen
class Fact:
    """A number as the client says it and as the sandbox counts it; without the latter it is what went wrong."""

    name: str
    said: int
    counted: int | None = None

    @property
    def holds(self) -> bool:
        """Whether both agree, or nothing went wrong."""
        return self.said == (self.counted or 0)


@define
class Tally:
    """What the client tells of its work."""

    calls: int = 0
    attempts: int = 0
    again: int = 0
    answers: Counter[int | None] = field(factory=Counter)

    def hear(self, event: Event) -> None:
        """Count an event."""
        match event:
            case CallEnded(error=None):
                self.calls += 1
            case AttemptEnded(status=status):
                self.attempts += 1
                self.answers[status] += 1
            case Retrying():
                self.again += 1


@define
class Demonstration:
    """One run of the job against a sandbox of its own."""

    sandbox: Sandbox
    contacts: int
    creates: Weather = CREATES
    records: Weather = RECORDS
    troubles: list[VoxloudError] = field(factory=list, init=False)
    seconds: float = field(default=0.0, init=False)
    _tally: Tally = field(factory=Tally, init=False)
    _created: list[str] = field(factory=list, init=False)
    _streamed: list[int | None] = field(factory=list, init=False)

    async def run(self, audience: Audience) -> None:
        """Do it all; what goes wrong is kept in `troubles`."""
        started = time.monotonic()
        stage = Stage.KEY

        def listen(event: Event) -> None:
            self._tally.hear(event)
            if isinstance(event, Paused):
                audience.note(stage, f"{_cause(event.error)}: pause {event.seconds:.1f} s")

        client = VoxloudClient(self.sandbox.api_key, base_url=self.sandbox.url, subscribers=[listen])
        async with client:
            for stage, work in (
                (Stage.KEY, self._check),
                (Stage.CONTACTS, self._create),
                (Stage.RECORDS, self._stream),
            ):
                audience.begin(stage)
                try:
                    await work(client, audience)
                except VoxloudError as error:
                    self.troubles.append(error)
                audience.note(stage, "")
        self.seconds = time.monotonic() - started

    def facts(self) -> list[Fact]:
        """What the client says, beside the sandbox's own record."""
        sandbox, tally = self.sandbox, self._tally
        refused, closed = HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE
        made = {contact.id for contact in sandbox.state.contacts.values() if contact.crm_name == _MARK}
        created, streamed, held = set(self._created), set(self._streamed), self._records_held()
        return [
            Fact("calls that ended well", tally.calls, sum(each.executed for each in sandbox.requests)),
            Fact("attempts on the wire", tally.attempts, len(sandbox.requests)),
            Fact("attempts that were retries", tally.again, sum(each.refused for each in sandbox.requests)),
            Fact("refused, too many (429)", tally.answers[refused], sandbox.count(status=refused)),
            Fact("refused, maintenance (503)", tally.answers[closed], sandbox.count(status=closed)),
            Fact("contacts created", len(self._created), len(made)),
            Fact("contacts lost", self.contacts - len(created & made)),
            Fact("contacts doubled", len(made) + len(self._created) - 2 * len(created & made)),
            Fact("records of the month streamed", len(self._streamed), len(held)),
            Fact("records lost", len(held - streamed)),
            Fact("records doubled", len(self._streamed) - len(streamed)),
        ]

    async def _check(self, client: VoxloudClient, audience: Audience) -> None:
        audience.expect(Stage.KEY, 1)
        await client.validate_auth()
        audience.advance(Stage.KEY, 1)

    async def _create(self, client: VoxloudClient, audience: Audience) -> None:
        self.sandbox.change_weather(self.creates)
        audience.expect(Stage.CONTACTS, self.contacts)

        async def create(number: int) -> None:
            try:
                contact = await client.contacts.create(
                    first_name=_NAMES[number % len(_NAMES)],
                    last_name=f"Demo {number + 1}",
                    primary_phone=f"+39081{number:07}",
                    crm_name=_MARK,
                )
            except VoxloudError as error:
                self.troubles.append(error)
            else:
                self._created.append(contact.id)
                audience.advance(Stage.CONTACTS, 1)

        await asyncio.gather(*map(create, range(self.contacts)))

    async def _stream(self, client: VoxloudClient, audience: Audience) -> None:
        self.sandbox.change_weather(self.records)
        start, end = self._month()
        query = client.telephony_events.query(
            date_time_from=start, date_time_to=end - timedelta(milliseconds=1), page_size=_PAGE
        )
        async for page in query.pages():
            if not self._streamed:
                audience.expect(Stage.RECORDS, page.total or 0)
            self._streamed.extend(event.id for event in page.items)
            audience.advance(Stage.RECORDS, len(page.items))

    def _month(self) -> tuple[datetime, datetime]:
        """The last month that is over, in the sandbox's time."""
        end = self.sandbox.now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return (end - timedelta(days=1)).replace(day=1), end

    def _records_held(self) -> set[int]:
        start, end = (moment.timestamp() * 1000 for moment in self._month())
        events = self.sandbox.state.events
        return {each for each in events.ids if start <= events.moment(each) < end}


def _cause(error: str) -> str:
    return {"RateLimitedError": "429", "ServiceUnavailableError": "503"}.get(error, error)
