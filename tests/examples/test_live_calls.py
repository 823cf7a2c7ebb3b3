"""The example app as its users meet it: a server of its own, and a browser."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

from benchmarks import free_port
from tests.servers import need_chromium
from voxloud_async.sandbox import Sandbox
from voxloud_async.sandbox.background import in_background

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FOLDER = Path(__file__).parents[2] / "docs" / "examples" / "live_calls"
SERVED = ("-m", "uvicorn", "app:app", "--app-dir", str(FOLDER), "--port")
PACE = 0.5
SECONDS = 30.0
SWITCHES = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def running(*program: str, port: int, **env: str) -> Iterator[subprocess.Popen[str]]:
    """The app as a process that serves at this port."""
    process = subprocess.Popen(  # noqa: S603 - own program
        [sys.executable, *program], env={**os.environ, "PORT": str(port), **env}, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        told = []
        for line in process.stderr:
            told.append(line)
            if "Uvicorn running" in line:
                break
        assert process.poll() is None, "".join(told)
        yield process
    finally:
        process.kill()
        process.communicate()


def stopped(process: subprocess.Popen[str], number: int) -> str:
    """What it says when it is told to stop, and does so soon."""
    process.send_signal(number)
    _, err = process.communicate(timeout=SECONDS)
    return err


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with in_background(Sandbox(contacts=0, events=0, pace=PACE)) as sandbox:
        yield sandbox


@pytest.fixture
def app(sandbox: Sandbox) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    port = free_port()
    account = {"VOXLOUD_BASE_URL": sandbox.url, "VOXLOUD_API_KEY": sandbox.api_key}
    with running(*SERVED, str(port), port=port, **account) as process:
        yield f"http://127.0.0.1:{port}", process


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    need_chromium()
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for switch in (*SWITCHES, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(switch)
    browser = Chrome(options=options, service=Service(shutil.which("chromedriver")))
    yield browser
    browser.quit()


def rows(browser: Chrome) -> list[list[str]]:
    """The texts of the table's cells, read at one moment."""
    script = "return [...document.querySelectorAll('#calls tr')].map(row => [...row.cells].map(cell => cell.innerText))"
    found: list[list[str]] = browser.execute_script(script)
    return found


def wait_for_row(browser: Chrome, *texts: str) -> list[str]:
    """The one row of the table, once all these texts are in it."""

    give_up = time.monotonic() + SECONDS
    while True:
        shown = rows(browser)
        if len(shown) == 1 and all(text in "\n".join(shown[0]) for text in texts):
            return shown[0]
        assert time.monotonic() < give_up, shown
        time.sleep(0.05)


def first_message(url: str, holds: Callable[[list[Any]], bool] = bool) -> list[Any]:
    """The calls of the first message of a stream that this is true of."""
    with urlopen(f"{url}/calls", timeout=SECONDS) as stream:  # noqa: S310 - loopback
        for line in stream:
            if line.startswith(b"data: "):
                calls: list[Any] = json.loads(line[6:])["calls"]
                if holds(calls):
                    return calls
    raise AssertionError("the stream ended")


def test_a_call_appears_is_answered_and_ends(
    sandbox: Sandbox, app: tuple[str, subprocess.Popen[str]], browser: Chrome
) -> None:
    browser.get(app[0])
    sandbox.place_call(number="+390312345678", extensions=(101, 102), ring=8, talk=12)
    wait_for_row(browser, "ringing", "inbound", "+390312345678")
    wait_for_row(browser, "talking", "101")
    browser.refresh()
    wait_for_row(browser, "talking", "+390312345678")
    row = wait_for_row(browser, "ended")
    assert row[3:] == ["101", "0:08", "0:12"]
    browser.refresh()
    assert wait_for_row(browser, "ended")[3:] == ["101", "0:08", "0:12"]


def test_a_caller_may_have_any_name_and_it_stays_text(
    sandbox: Sandbox, app: tuple[str, subprocess.Popen[str]], browser: Chrome
) -> None:
    name = "<script>document.title = 'mine'</script><img src=x onerror=\"document.title = 'mine'\">"
    browser.get(app[0])
    sandbox.place_call(number=name, extensions=(101,), ring=1, talk=1)
    assert name in wait_for_row(browser, "ended")[1]
    assert browser.title == "Live calls"
    planted = "return document.querySelectorAll('#calls script, #calls img').length"
    assert browser.execute_script(planted) == 0


def test_every_browser_is_told(sandbox: Sandbox, app: tuple[str, subprocess.Popen[str]], browser: Chrome) -> None:
    browser.get(app[0])
    first = browser.current_window_handle
    browser.switch_to.new_window("tab")
    browser.get(app[0])
    sandbox.place_call(number="+390312345678", extensions=(101,), ring=1, talk=1)
    wait_for_row(browser, "ended", "+390312345678")
    browser.close()
    browser.switch_to.window(first)
    wait_for_row(browser, "ended", "+390312345678")
    assert first_message(app[0])[0]["state"] == "ENDED"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_open_streams_do_not_hold_up_its_end(app: tuple[str, subprocess.Popen[str]], number: int) -> None:
    url, process = app
    with urlopen(f"{url}/calls", timeout=SECONDS) as stream:  # noqa: S310 - loopback
        assert stream.readline() == b"event: snapshot\n"
        began = time.monotonic()
        told = stopped(process, number)
        assert time.monotonic() - began < SECONDS / 2
        assert b"snapshot" not in stream.read()
    assert "Application shutdown complete." in told
    assert "Traceback" not in told


def test_the_token_is_in_no_access_log(sandbox: Sandbox) -> None:
    port = free_port()
    account = {"VOXLOUD_BASE_URL": sandbox.url, "VOXLOUD_API_KEY": sandbox.api_key}
    command = [sys.executable, *SERVED, str(port)]
    env = {**os.environ, **account, "PORT": str(port)}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 - own program
        assert process.stderr is not None
        assert any("Uvicorn running" in line for line in process.stderr)
        sandbox.place_call(ring=1, talk=1)
        first_message(f"http://127.0.0.1:{port}", lambda calls: any(call["state"] == "ENDED" for call in calls))
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=SECONDS)
    assert '"POST /voxloud/*** HTTP/1.1" 200' in out
    assert not [each for each in sandbox.state.subscriptions.values() if each.callback_url.rpartition("/")[2] in out]


def test_it_shows_itself_with_one_command() -> None:
    port = free_port()
    with running(str(FOLDER / "app.py"), "--sandbox", port=port) as process:
        (call, *_) = first_message(f"http://127.0.0.1:{port}")
        assert call["state"] in {"RINGING", "ANSWERED", "ENDED", "MISSED"}
        assert "Traceback" not in stopped(process, signal.SIGINT)
