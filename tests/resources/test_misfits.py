"""Rows that do not fit their type: each is kept with its JSON and the reason, and takes no neighbour with it."""

from __future__ import annotations

import csv
import io
import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from voxloud_async import VoxloudClient
from voxloud_async.errors import DecodeError
from voxloud_async.frames import EventFrame
from voxloud_async.models import PhoneCall, UnknownEvent
from voxloud_async.testing import FakeTransport, answer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

START = datetime(2026, 1, 1, tzinfo=UTC)


def row(number: int, **fields: Any) -> dict[str, Any]:
    at = (START + timedelta(seconds=number)).isoformat()
    return {"id": number, "type": "PHONE_CALL", "timestamp": at, "duration": 5} | fields


MISFITS: dict[str, tuple[dict[str, Any], str]] = {
    "an empty time": ({"timestamp": ""}, "timestamp: not a time in ISO 8601"),
    "an id as text": ({"id": "R-7"}, "id: expected a number, got a string"),
    "a number as text": ({"duration": "71"}, "duration: expected a number, got a string"),
    "a list of the wrong things": ({"labels": [1]}, "labels[0]: expected a string, got a number"),
}


def client(*pages: Any) -> tuple[VoxloudClient, FakeTransport]:
    transport = FakeTransport(*pages)
    return VoxloudClient("key", transport=transport, base_url="https://api.example"), transport


def page(*rows: Any) -> Any:
    return answer({"content": rows, "last": True})


@pytest.mark.parametrize(("odd", "reason"), MISFITS.values(), ids=MISFITS)
async def test_p9_a_row_that_does_not_fit_is_kept_with_its_json(odd: dict[str, Any], reason: str) -> None:
    sent = row(2) | odd
    voxloud, _ = client(page(row(1), sent, row(3)))
    first, kept, last = await voxloud.telephony_events.query().collect()
    assert (type(first), type(last)) == (PhoneCall, PhoneCall)
    assert isinstance(kept, UnknownEvent)
    assert kept.misfit == reason
    assert {name: kept.extra.get(name, sent[name]) for name in sent} == sent
    assert kept.type == "PHONE_CALL"


@pytest.mark.parametrize("odd", [7, None, "row", ["row"]])
async def test_p9_what_is_no_row_at_all_is_kept_too(odd: Any) -> None:
    voxloud, _ = client(page(row(1), odd))
    (_, kept) = await voxloud.telephony_events.query().collect()
    assert isinstance(kept, UnknownEvent)
    assert kept.extra["value"] == odd
    assert str(kept.misfit).startswith("expected an object")


def ours(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """What this package logged: asyncio logs tasks that other tests left to the garbage collector."""
    return [record for record in caplog.records if record.name == "voxloud_async"]


async def test_an_event_of_an_unknown_type_is_no_misfit(caplog: pytest.LogCaptureFixture) -> None:
    voxloud, _ = client(page({"id": 1, "type": "SMS"}))
    pages = [each async for each in voxloud.telephony_events.query().pages()]
    assert pages[0].items[0].misfit is None  # type: ignore[union-attr]
    assert pages[0].progress is not None
    assert pages[0].progress.misfits == 0
    assert ours(caplog) == []


async def test_misfits_are_counted_and_logged_once_for_each_kind(caplog: pytest.LogCaptureFixture) -> None:
    rows = [row(number, duration="71", originatorNumber="+390612345678") for number in range(5)]
    rows += [row(number, labels="x") for number in range(5, 8)]
    voxloud, _ = client(page(*rows, row(9)))
    (found,) = [each async for each in voxloud.telephony_events.query().pages()]
    assert found.progress is not None
    assert (found.progress.misfits, found.progress.rows) == (8, 9)
    messages = [record.getMessage() for record in ours(caplog)]
    assert len(messages) == 2
    assert "PHONE_CALL: duration: expected a number, got a string" in messages[0]
    assert "PHONE_CALL: labels: expected a list, got a string" in messages[1]
    assert "390612345678" not in "".join(messages)


async def test_of_very_many_kinds_only_some_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    voxloud, _ = client(page(*[row(number, type=f"KIND {number}", timestamp="") for number in range(150)]))
    assert len(await voxloud.telephony_events.query().collect()) == 150
    assert len(ours(caplog)) <= 100


READERS: dict[str, Callable[[VoxloudClient], Awaitable[Any]]] = {
    "query": lambda voxloud: voxloud.telephony_events.query(misfits="raise").collect(),
    "frame": lambda voxloud: EventFrame.read(voxloud.telephony_events.query(misfits="raise")),
    "incremental": lambda voxloud: anext(voxloud.telephony_events.incremental(misfits="raise")),
}


@pytest.mark.parametrize("name", READERS)
async def test_misfits_raise_for_those_who_want_the_error(name: str) -> None:
    voxloud, transport = client(page(row(1), row(2, duration="71")))
    with pytest.raises(DecodeError, match=r"content\[1\]\.duration: expected a number"):
        await READERS[name](voxloud)
    assert len(transport.requests) == 1


async def test_incremental_reads_keep_them() -> None:
    voxloud, _ = client(page(row(1), row(2, duration="71")), page(row(1), row(2, duration="71")))
    (batch,) = [each async for each in voxloud.telephony_events.incremental()]
    assert [type(event) for event in batch.items] == [PhoneCall, UnknownEvent]
    assert [each.items async for each in voxloud.telephony_events.incremental(batch.state)] == [()]


async def test_frames_keep_them() -> None:
    voxloud, _ = client(page(row(1), row(2, duration="71")))
    (fits, does_not) = (await EventFrame.read(voxloud.telephony_events.query())).to_arrow().to_pylist()
    assert (fits["misfit"], does_not["misfit"]) == (None, "duration: expected a number, got a string")
    assert does_not["id"] == 2


async def test_csv_from_json_keeps_them() -> None:
    refused = answer({"message": "no CSV"}, status=406)
    voxloud, _ = client(refused, page(row(1), row(2, duration="71")))
    text = b"".join([chunk async for chunk in voxloud.telephony_events.export_csv()]).decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [each["id"] for each in rows] == ["1", "2"]
    assert rows[1]["duration"] == "71"


@pytest.mark.parametrize("bad", ["drop", "", None, True])
async def test_another_word_for_misfits_is_refused(bad: Any) -> None:
    voxloud, transport = client()
    for call in (
        voxloud.telephony_events.query,
        voxloud.telephony_events.incremental,
        voxloud.telephony_events.export_csv,
    ):
        with pytest.raises((ValueError, TypeError), match="misfits"):
            call(misfits=bad)
    assert transport.requests == []
