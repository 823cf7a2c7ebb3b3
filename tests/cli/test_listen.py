"""`voxloud webhooks listen` as a process: what it shows, and what it leaves behind."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks import free_port
from voxloud_async.sandbox import Fault, Quirks, Subscription

from .test_process import SECONDS, shown_on, started, terminal, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from voxloud_async.sandbox import Sandbox

    from .conftest import Console

LISTEN = ("webhooks", "listen")
SECRET = "a secret of thirty-two bytes, at the least"
OF_CALLS = 6
LOOKS = 3
"""How often it reads the list until it has subscribed: to see what is there, to plan, and to see what came of it."""


@contextmanager
def listening(sandbox: Sandbox, *options: str, stdout: int = subprocess.PIPE) -> Iterator[subprocess.Popen[str]]:
    """A process that has subscribed."""
    process = started(*LISTEN, *options, stdout=stdout)
    try:
        wait_until(lambda: sandbox.count("GET") == LOOKS or process.poll() is not None)
        assert process.poll() is None, process.communicate()
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_until(holds: Callable[[], bool]) -> None:
    give_up = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.01)


def ended(process: subprocess.Popen[str], number: int) -> tuple[int, str]:
    process.send_signal(number)
    _, err = process.communicate(timeout=SECONDS)
    return process.returncode, err


def rows_until_settled(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    rows = [json.loads(wait_for(process.stdout))]
    while not rows[-1]["settled"]:
        rows.append(json.loads(wait_for(process.stdout)))
    return rows


def test_in_a_pipe_each_change_of_a_call_is_a_line(sandbox: Sandbox) -> None:
    with listening(sandbox) as process:
        sandbox.place_call(number="+390312345678", extensions=(101, 102), ring=4, talk=30)
        rows = rows_until_settled(process)
        assert ended(process, signal.SIGINT) == (130, "")
    assert {row["callId"] for row in rows} == {rows[0]["callId"]}
    assert rows[0]["state"] == "RINGING"
    last = rows[-1]
    assert (last["state"], last["answeredBy"], last["ringTime"], last["talkTime"]) == ("ENDED", "101", 4, 30)
    assert last["originatorNumber"] == "+390312345678"
    assert [leg["state"] for leg in last["legs"]] == ["ENDED", "MISSED"]
    assert sandbox.state.subscriptions == {}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_whoever_ends_it_no_subscription_is_left(sandbox: Sandbox, number: int, code: int) -> None:
    with listening(sandbox) as process:
        assert ended(process, number) == (code, "")
    assert sandbox.state.subscriptions == {}
    assert sandbox.count("DELETE") == OF_CALLS


@pytest.mark.parametrize("quirks", [Quirks(click_to_call_subscription="rejected")])
def test_w1_a_service_that_takes_no_click_to_call_is_listened_to_all_the_same(voxloud: Console) -> None:
    voxloud.ok(*LISTEN, "--for", "0.01")
    assert voxloud.sandbox.count("DELETE") == OF_CALLS - 1
    assert voxloud(*LISTEN, "--for", "0.01", "--event", "CLICK_TO_CALL").code == 5
    assert voxloud.sandbox.state.subscriptions == {}


@pytest.mark.parametrize("host", ["::1", "0.0.0.0", "::"])  # noqa: S104 - of this test alone
def test_calls_are_posted_to_where_it_listens(voxloud: Console, host: str) -> None:
    assert voxloud.ok(*LISTEN, "--sandbox", "--host", host, "--for", "3").rows


def test_it_ends_by_itself_where_asked(sandbox: Sandbox) -> None:
    out, err = started(*LISTEN, "--for", "0.1").communicate(timeout=SECONDS)
    assert (out, err) == ("", "")
    assert (sandbox.count("POST"), sandbox.count("DELETE")) == (OF_CALLS, OF_CALLS)
    assert sandbox.state.subscriptions == {}


def test_a_reader_who_leaves_ends_it_and_no_subscription_is_left(sandbox: Sandbox) -> None:
    with listening(sandbox) as process:
        assert process.stdout is not None
        process.stdout.close()
        sandbox.place_call()
        assert process.wait(SECONDS) == 141
        assert process.stderr is not None
        assert process.stderr.read() == ""
        process.stdout = None
    assert sandbox.state.subscriptions == {}


def test_on_a_terminal_calls_are_a_table_that_stays_where_it_is(sandbox: Sandbox) -> None:
    with terminal() as (ours, theirs), listening(sandbox, stdout=theirs) as process:
        sandbox.place_call(number="+390312345678\x1b[5m", extensions=(101,), ring=4, talk=3700)
        shown = shown_on(ours, theirs, until=b"PHONE_CALL 1")
        process.send_signal(signal.SIGINT)
        shown += shown_on(ours, theirs)
        _, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, err) == (130, "")
    assert "Listening at http://127.0.0.1:" in shown
    assert "\x1b[5m" not in shown
    line = next(line for line in reversed(shown.splitlines()) if "+390312345678" in line)
    assert [word in line for word in ("ENDED", "INBOUND", "101", "0:04", "1:01")] == [True] * 5
    sums = shown[shown.rindex("STATE") :]
    assert "calls 1" in sums
    assert "live" not in sums


def test_the_table_may_be_asked_for_in_a_pipe(sandbox: Sandbox) -> None:
    with listening(sandbox, "--format", "table", "--for", "1") as process:
        out, _ = process.communicate(timeout=SECONDS)
    assert out.splitlines()[1].split() == ["STATE", "WAY", "FROM", "TO", "EXT", "RING", "TALK"]


def test_a_terminal_that_cannot_be_redrawn_gets_lines(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    with terminal() as (ours, theirs), listening(sandbox, stdout=theirs):
        sandbox.place_call()
        assert shown_on(ours, theirs, until=b"\n").startswith('{"callId":')


def test_lines_may_be_asked_for_on_a_terminal(sandbox: Sandbox) -> None:
    with terminal() as (ours, theirs), listening(sandbox, "--format", "ndjson", stdout=theirs):
        sandbox.place_call()
        assert shown_on(ours, theirs, until=b"\n").startswith('{"callId":')


def test_the_types_may_be_chosen_and_each_is_taken_back(sandbox: Sandbox) -> None:
    started(*LISTEN, "--event", "phone_call", "--event", "FAX_CALL", "--for", "0.1").communicate(timeout=SECONDS)
    assert (sandbox.count("POST"), sandbox.count("DELETE")) == (2, 2)


def test_what_it_had_subscribed_before_a_refusal_is_taken_back(sandbox: Sandbox) -> None:
    sandbox.fail_next(Fault(delay=0.0), n=2, match="POST")
    sandbox.fail_next(Fault(status=403), match="POST")
    process = started(*LISTEN)
    _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 3
    assert "this key may not do that" in err
    assert sandbox.count("DELETE") == 2
    assert sandbox.state.subscriptions == {}


def test_a_subscription_that_cannot_be_removed_is_named(sandbox: Sandbox) -> None:
    with listening(sandbox, "--for", "2") as process:
        sandbox.fail_next(Fault(status=403), match="DELETE")
        _, err = process.communicate(timeout=SECONDS)
    (left,) = sandbox.state.subscriptions
    assert process.returncode == 1
    assert err.startswith(f"voxloud: the subscription {left} could not be removed: 403")
    assert err.count("\n") == 1


def test_where_the_service_is_gone_at_the_end_it_says_so(sandbox: Sandbox) -> None:
    with listening(sandbox, "--for", "2") as process:
        sandbox.fail_next(Fault(status=503, retry_after="3600"), match="GET")
        _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert err.startswith("voxloud: the subscriptions could not be removed: ")
    assert len(sandbox.state.subscriptions) == OF_CALLS


def test_a_second_interrupt_waits_for_nobody_and_names_what_is_left(sandbox: Sandbox) -> None:
    with listening(sandbox) as process:
        sandbox.fail_next(Fault(delay=30.0, cut="before_headers"), n=OF_CALLS, match="DELETE")
        process.send_signal(signal.SIGINT)
        wait_until(lambda: sandbox.count("DELETE") > 0)
        code, err = ended(process, signal.SIGINT)
    assert code == 130, err
    told = [line.split()[3] for line in err.splitlines() if " could not be removed: " in line]
    assert sorted(told) == sorted(sandbox.state.subscriptions), err


def test_a_second_interrupt_before_it_knows_what_is_left_is_told(sandbox: Sandbox) -> None:
    with listening(sandbox) as process:
        sandbox.fail_next(Fault(delay=30.0), match="GET")
        process.send_signal(signal.SIGINT)
        wait_until(lambda: sandbox.count("GET") > LOOKS)
        assert ended(process, signal.SIGINT) == (130, "voxloud: the subscriptions could not be removed: interrupted\n")


def test_what_another_receiver_subscribed_at_the_same_place_is_left_alone(sandbox: Sandbox, voxloud: Console) -> None:
    url = f"https://crm.example.com/voxloud/PHONE_CALL-{'x' * 43}"
    sandbox.state.subscriptions["theirs"] = Subscription(id="theirs", event_type="PHONE_CALL", callback_url=url)
    result = voxloud(*LISTEN, "--url", "https://crm.example.com/voxloud", "--port", "0")
    assert (result.code, result.out) == (2, "")
    assert "another receiver is subscribed at this URL (theirs)" in result.err
    assert [request.method for request in sandbox.requests] == ["GET"]


def test_with_the_secret_of_a_receiver_its_subscriptions_stay(
    sandbox: Sandbox, voxloud: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOXLOUD_WEBHOOK_SECRET", SECRET)
    url = "https://crm.example.com/voxloud"
    voxloud.ok("webhooks", "ensure", url, "--event", "PHONE_CALL")
    (there,) = sandbox.state.subscriptions
    voxloud.ok(*LISTEN, "--url", url, "--port", "0", "--for", "0.01")
    assert [*sandbox.state.subscriptions] == [there]
    assert sandbox.count("DELETE") == OF_CALLS - 1


def test_a_taken_port_is_told_before_anything_is_subscribed(voxloud: Console) -> None:
    port = voxloud.sandbox.url.rpartition(":")[2]
    result = voxloud(*LISTEN, "--port", port)
    assert result.code == 1
    assert "address already in use" in result.err
    assert voxloud.sandbox.requests == []


def test_a_refused_key_is_code_3(voxloud: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOXLOUD_API_KEY", "another")
    result = voxloud(*LISTEN)
    assert (result.code, result.out) == (3, "")
    assert result.err.count("\n") == 1


def test_a_service_that_is_down_is_code_6(voxloud: Console) -> None:
    result = voxloud(*LISTEN, "--base-url", f"http://127.0.0.1:{free_port()}", "--max-wait", "0.5")
    assert (result.code, result.out) == (6, "")
    assert result.err.count("\n") == 1


@pytest.mark.parametrize(
    ("tokens", "reason"),
    [
        (["--base-url", "https://pbx.example.com"], "--url is needed"),
        (["--url", "http://crm.example.com"], "the URL must be https"),
        (["--url", "https://crm.example.com/?a=b"], "the URL must carry no query"),
        (["--url", "https://crm.example.com", "--sandbox"], "--sandbox and --url exclude each other"),
        (["--port", "65536"], "--port must be from 0 to 65535"),
        (["--for", "0"], "--for must be above 0"),
        (["--backfill", "yesterday"], "--backfill must be a number and one of s, m, h, d, w"),
        (["--backfill", "99999w"], "--backfill must lie within 72 hours"),
        (["--backfill", "4d"], "--backfill must lie within 72 hours"),
        (["--event", "CALL INCOMING"], "--event must be at most 64 letters"),
    ],
)
def test_wrong_usage_leaves_no_subscription(voxloud: Console, tokens: list[str], reason: str) -> None:
    result = voxloud(*LISTEN, *tokens)
    assert (result.code, result.out) == (2, "")
    assert reason in result.err
    assert voxloud.sandbox.state.subscriptions == {}


def test_a_secret_that_is_too_short_is_refused_and_not_shown(voxloud: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOXLOUD_WEBHOOK_SECRET", "hush")
    result = voxloud(*LISTEN)
    assert result.code == 2
    assert "VOXLOUD_WEBHOOK_SECRET must have at least 32 bytes" in result.err
    assert "hush" not in result.err


def test_deliveries_are_kept_in_an_inbox_where_asked(sandbox: Sandbox, voxloud: Console, tmp_path: Path) -> None:
    path = tmp_path / "inbox.db"
    with listening(sandbox, "--inbox", str(path)) as process:
        sandbox.place_call()
        rows_until_settled(process)
        assert ended(process, signal.SIGINT) == (130, "")
    assert voxloud.ok("webhooks", "dead-letters", "--inbox", str(path)).rows == []


def test_what_is_no_inbox_is_told_before_anything_is_subscribed(voxloud: Console, tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("dear friend" * 100)
    result = voxloud(*LISTEN, "--inbox", str(letter))
    assert (result.code, result.err) == (1, f"voxloud: {letter} cannot be used as an inbox: file is not a database\n")
    assert voxloud.sandbox.requests == []


def test_it_shows_itself_with_nothing_but_a_sandbox(voxloud: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VOXLOUD_API_KEY")
    monkeypatch.delenv("VOXLOUD_BASE_URL")
    rows = voxloud.ok(*LISTEN, "--sandbox", "--backfill", "2d", "--for", "3").rows
    assert {row["settled"] for row in rows} == {True, False}
