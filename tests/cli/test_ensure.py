"""`voxloud webhooks ensure` and `watch`."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from voxloud_async.cli.output import Output, View
from voxloud_async.models import EventType
from voxloud_async.sandbox import Fault, Quirks
from voxloud_async.webhooks import WebhookReceiver

from .test_process import SECONDS, shown_on, started, terminal, wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from voxloud_async.sandbox import Sandbox

    from .conftest import Console

SECRET = "a secret of thirty-two bytes, at the least"
URL = "https://crm.example.com/voxloud"
ENSURE = ("webhooks", "ensure", URL)


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOXLOUD_WEBHOOK_SECRET", SECRET)


def test_it_subscribes_what_the_receiver_expects_and_then_nothing(voxloud: Console) -> None:
    rows = voxloud.ok(*ENSURE).rows
    assert [(row["action"], row["id"]) for row in rows] == [("create", None)] * len(EventType)
    receiver = WebhookReceiver(secret=SECRET)
    assert {each.event_type: each.callback_url for each in voxloud.sandbox.state.subscriptions.values()} == {
        str(kind): receiver.callback_url(URL, kind) for kind in EventType
    }
    written = voxloud.sandbox.count("POST")
    assert voxloud.ok(*ENSURE).out == ""
    assert voxloud.sandbox.count("POST") == written == len(EventType)


def test_no_token_is_shown(voxloud: Console) -> None:
    result = voxloud.ok(*ENSURE, "--event", "PHONE_CALL", "--format", "table")
    assert WebhookReceiver(secret=SECRET).token("PHONE_CALL") not in result.out
    assert result.out.splitlines()[1].split() == ["create", "PHONE_CALL", "it", "is", "missing"]


def test_a_dry_run_writes_nothing(voxloud: Console) -> None:
    rows = voxloud.ok(*ENSURE, "--event", "call_incoming", "--dry-run").rows
    assert [(row["action"], row["eventType"]) for row in rows] == [("create", "CALL_INCOMING")]
    assert voxloud.sandbox.count("POST") == 0


@pytest.mark.parametrize("quirks", [Quirks(click_to_call_subscription="rejected")])
def test_w1_a_service_that_takes_no_click_to_call_is_given_the_rest(voxloud: Console) -> None:
    rest = sorted({*EventType} - {EventType.CLICK_TO_CALL})
    assert sorted(row["eventType"] for row in voxloud.ok(*ENSURE).rows) == rest
    assert sorted(each.event_type for each in voxloud.sandbox.state.subscriptions.values()) == rest
    written = voxloud.sandbox.count("POST")
    assert voxloud.ok(*ENSURE, "--dry-run").rows[0]["eventType"] == "CLICK_TO_CALL"
    assert voxloud.ok(*ENSURE).out == ""
    assert voxloud.sandbox.count("POST") == written + 1  # a service may learn to take it
    named = voxloud(*ENSURE, "--event", "CLICK_TO_CALL", "--event", "PHONE_CALL")
    assert (named.code, named.out) == (5, "")
    assert "400 Bad Request" in named.err


def test_a_request_that_is_refused_for_something_else_is_told(voxloud: Console) -> None:
    voxloud.sandbox.fail_next(Fault(status=400), n=20, match="POST")
    assert voxloud(*ENSURE).code == 5


def test_prune_deletes_what_is_wanted_no_more(voxloud: Console) -> None:
    voxloud.ok(*ENSURE, "--event", "PHONE_CALL", "--event", "FAX_CALL", "--notification-email", "ada@example.com")
    (row,) = voxloud.ok(*ENSURE, "--event", "PHONE_CALL", "--prune").rows
    assert (row["action"], row["eventType"], row["because"]) == ("delete", "FAX_CALL", "nobody wants it")
    (left,) = voxloud.sandbox.state.subscriptions.values()
    assert (left.event_type, left.notification_email) == ("PHONE_CALL", "ada@example.com")


def test_without_a_secret_it_says_where_to_put_one(voxloud: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VOXLOUD_WEBHOOK_SECRET")
    result = voxloud(*ENSURE)
    assert (result.code, result.out) == (2, "")
    assert "VOXLOUD_WEBHOOK_SECRET is not set" in result.err
    assert voxloud.sandbox.requests == []


@pytest.mark.parametrize(
    ("options", "line"),
    [([], "voxloud: all is well: nothing to do\r\n"), (["--prune", "--dry-run"], "voxloud: nothing was written")],
)
def test_on_a_terminal_it_says_that_nothing_was_done(sandbox: Sandbox, options: list[str], line: str) -> None:
    started(*ENSURE, "--event", "PHONE_CALL", "--event", "FAX_CALL").communicate(timeout=SECONDS)
    wanted = ["--event", "PHONE_CALL"]
    with terminal() as (ours, theirs):
        process = started(*ENSURE, *wanted, *options, stderr=theirs)
        shown = shown_on(ours, theirs)
        process.communicate(timeout=SECONDS)
    assert shown.startswith(line)
    assert len(sandbox.state.subscriptions) == 2


def test_watch_tells_of_each_change_at_once(sandbox: Sandbox) -> None:
    started(*ENSURE, "--event", "PHONE_CALL").communicate(timeout=SECONDS)
    (there,) = sandbox.state.subscriptions.values()
    sandbox.state.subscriptions[there.id] = evolve(there, enabled=False, failed_count=9, last_error="HTTP 500")
    process = started("webhooks", "watch", "--every", "0.05")
    told = [json.loads(wait_for(process.stdout))]
    sandbox.state.subscriptions[there.id] = there
    told.append(json.loads(wait_for(process.stdout)))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, err) == (130, "")
    assert [(row["change"], row["failedCount"], row["lastError"]) for row in told] == [
        ("disabled", 9, "HTTP 500"),
        ("enabled", 0, None),
    ]
    assert {(row["id"], row["eventType"]) for row in told} == {(there.id, "PHONE_CALL")}


async def test_rows_that_flow_end_like_others(capsys: pytest.CaptureFixture[str]) -> None:
    async def rows() -> AsyncIterator[dict[str, int]]:
        yield {"a": 1}
        assert capsys.readouterr().out == '[\n{"a":1}', "it is seen at once"
        yield {"a": 2}

    await Output(format="json").flow(rows(), View())
    assert capsys.readouterr().out == ',\n{"a":2}\n]\n'


def test_watch_ends_where_the_key_is_refused(voxloud: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOXLOUD_API_KEY", "another")
    assert voxloud("webhooks", "watch").code == 3
    assert voxloud("webhooks", "watch", "--every", "0").err == "voxloud: --every must be above 0 and finite\n"
