"""The demo shows what was counted: it says so when something was lost, too."""

from __future__ import annotations

import io
from functools import partial
from typing import TYPE_CHECKING

import pytest
from attrs import define, evolve, field, frozen
from rich.console import Console as Screen

from voxloud_async.cli import demo
from voxloud_async.cli.app import run
from voxloud_async.cli.demonstration import Demonstration, Fact, Stage
from voxloud_async.sandbox import Fault, Sandbox, SlidingWindow, Weather

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

STORMY = Weather(limits=(SlidingWindow(6, 0.4),), maintenance_after=3, maintenance_length=0.2)
MILD = Weather()


@define
class Spectator:
    """Sees what happens, and may meddle when the records begin."""

    meddle: Callable[[], object] = lambda: None
    steps: dict[Stage, list[int]] = field(factory=dict)
    notes: list[str] = field(factory=list)

    def begin(self, stage: Stage) -> None:
        self.notes.append(f"{stage.name} begins")

    def expect(self, stage: Stage, total: int) -> None:
        self.steps[stage] = [total]
        if stage is Stage.RECORDS:
            self.meddle()

    def advance(self, stage: Stage, steps: int) -> None:
        self.steps[stage].append(steps)

    def note(self, stage: Stage, text: str) -> None:
        self.notes.append(f"{stage.name}: {text}")


@frozen
class Ended:
    code: int
    text: str


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(events=1500, days=60, contacts=10) as sandbox:
        yield sandbox


def demonstration(sandbox: Sandbox, *, creates: Weather = MILD, records: Weather = MILD) -> Demonstration:
    return Demonstration(sandbox, contacts=12, creates=creates, records=records)


async def shown(job: Demonstration) -> Ended:
    screen = Screen(file=io.StringIO(), width=80)
    code = await demo.show(job, screen)
    text = screen.file.getvalue()  # type: ignore[attr-defined]
    return Ended(code, text)


def wrong(job: Demonstration) -> list[str]:
    return [fact.name for fact in job.facts() if not fact.holds]


def numbers(job: Demonstration) -> dict[str, int]:
    return {fact.name: fact.said for fact in job.facts()}


async def test_bad_weather_loses_nothing(sandbox: Sandbox) -> None:
    job, spectator = demonstration(sandbox, creates=Weather(limits=STORMY.limits), records=STORMY), Spectator()
    await job.run(spectator)
    assert wrong(job) == []
    assert job.troubles == []
    assert len([note for note in spectator.notes if note.endswith("begins")]) == len(Stage)
    told = numbers(job)
    assert told["contacts created"] == 12
    assert told["records of the month streamed"] > 500
    assert told["refused, too many (429)"] > 0
    assert told["refused, maintenance (503)"] > 0
    assert told["attempts that were retries"] == told["refused, too many (429)"] + told["refused, maintenance (503)"]
    assert any(note.startswith("RECORDS: 503: pause") for note in spectator.notes)
    assert spectator.notes[-1] == "RECORDS: "
    for total, *steps in spectator.steps.values():
        assert sum(steps) == total


async def test_a_record_that_comes_late_into_a_page_already_read_is_told(sandbox: Sandbox) -> None:
    job = demonstration(sandbox)
    events = sandbox.state.events
    spectator = Spectator(lambda: events.append(events[min(job._records_held())]))
    await job.run(spectator)
    assert "records lost" in wrong(job)


async def test_a_contact_made_behind_its_back_is_told(sandbox: Sandbox) -> None:
    job = demonstration(sandbox)

    def double() -> None:
        contact = [*sandbox.state.contacts.values()][-1]
        sandbox.state.contacts["other"] = evolve(contact, id="other")

    await job.run(Spectator(double))
    assert wrong(job) == ["contacts created", "contacts doubled"]


async def test_a_contact_that_may_or_may_not_be_there_is_told(sandbox: Sandbox) -> None:
    sandbox.fail_next(Fault(cut="before_headers"), match="POST /api/v1/contacts")
    ended = await shown(demonstration(sandbox))
    assert ended.code == 1
    assert "WRONG" in ended.text
    assert ended.text.rstrip().endswith("Not everything arrived as it should.")


async def test_a_stage_that_fails_is_told(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    sandbox.fail_next(Fault(status=406), match="POST /api/v1/telephony-events")
    ended = await shown(demonstration(sandbox))
    assert ended.code == 1
    assert "406" in capsys.readouterr().err


async def test_it_fits_a_plain_screen_of_80_columns(sandbox: Sandbox) -> None:
    ended = await shown(demonstration(sandbox))
    assert ended.code == 0
    lines = ended.text.splitlines()
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in ended.text
    assert lines[-1] == "Nothing lost, nothing doubled."
    assert "12/12" in ended.text
    assert sum(line.split()[-1:] == ["ok"] for line in lines) == 11


def test_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(demo, "Demonstration", partial(Demonstration, creates=MILD, records=MILD))
    assert run(["demo", "--contacts", "5"]) == 0
    assert "5/5" in capsys.readouterr().out


def test_a_fact() -> None:
    assert Fact("same", 3, 3).holds
    assert not Fact("other", 3, 4).holds
    assert Fact("no loss", 0).holds
    assert not Fact("a loss", 1).holds
