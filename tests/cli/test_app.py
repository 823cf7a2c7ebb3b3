from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks import free_port
from voxloud_async import __version__, errors
from voxloud_async.cli.app import _give_up, run
from voxloud_async.cli.failure import in_words, judge, what
from voxloud_async.cli.service import explain_waiting
from voxloud_async.sandbox import Fault
from voxloud_async.session.events import Outage

if TYPE_CHECKING:
    from pathlib import Path

    from voxloud_async.errors import VoxloudError

    from .conftest import Console

HEAVY = {"aiohttp", "voxloud_async.client", "voxloud_async.models", "voxloud_async.sandbox"}
GROUPS = ["auth", "contacts", "events", "users", "click-to-call", "webhooks", "demo", "sandbox"]


def python(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)  # noqa: S603 - own program


def loaded_by(*tokens: str) -> set[str]:
    done = python(
        f"import json, sys; from voxloud_async.cli.app import run; code = run({list(tokens)!r});"
        "print('\\n' + json.dumps([code, *sys.modules]))"
    )
    code, *modules = json.loads(done.stdout.splitlines()[-1])
    assert code == 0, done.stderr
    return set(modules)


def test_help_loads_neither_the_client_nor_the_models_nor_aiohttp() -> None:
    assert not loaded_by("--help") & HEAVY


def test_a_command_does_load_them() -> None:
    assert {"aiohttp", "voxloud_async.models"} <= loaded_by("auth", "check", "--sandbox")


@pytest.mark.parametrize("group", ["auth", "contacts", "events", "users", "click-to-call", "webhooks"])
def test_the_help_of_a_group_loads_no_client(group: str) -> None:
    assert not loaded_by(group, "--help") & {"aiohttp", "voxloud_async.client"}


def test_help_names_every_group(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out
    assert [group for group in GROUPS if f" {group} " not in shown] == []


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_explains_itself(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([group, "--help"]) == 0
    assert f"voxloud {group}" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.strip() == __version__


def test_the_command_line_of_the_process_is_the_default(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["voxloud", "--version"])
    assert run() == 0
    assert capsys.readouterr().out.strip() == __version__


@pytest.mark.parametrize("missing", ["cyclopts", "rich"])
def test_a_bare_installation_says_in_one_line_what_to_install(missing: str) -> None:
    done = python(f"import sys; sys.modules[{missing!r}] = None; from voxloud_async.__main__ import main; main()")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == "voxloud: the console is not installed: pip install 'voxloud_async[cli]'\n"


def test_another_missing_module_is_no_missing_extra() -> None:
    done = python("import sys; sys.modules['attrs'] = None; from voxloud_async.__main__ import main; main()")
    assert done.returncode == 1
    assert "ModuleNotFoundError: import of attrs halted" in done.stderr


def test_the_package_is_a_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "voxloud_async", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == __version__


@pytest.mark.parametrize(
    ("tokens", "line"),
    [
        (["auth", "check", "--api-key", "hush"], "voxloud: unknown option --api-key (see voxloud auth check --help)\n"),
        (["auth", "check", "--api-key=hush"], "voxloud: unknown option --api-key (see voxloud auth check --help)\n"),
        (["auth", "check", "hush"], "voxloud: too many arguments (see voxloud auth check --help)\n"),
    ],
)
def test_a_key_on_the_command_line_is_not_repeated(voxloud: Console, tokens: list[str], line: str) -> None:
    result = voxloud(*tokens)
    assert (result.code, result.out, result.err) == (2, "", line)


@pytest.mark.parametrize(
    ("tokens", "reason"),
    [
        (["contacts", "gte"], 'Unknown command "gte"'),
        (["hush"], "(see voxloud --help)"),
        (["contacts", "gte"], "(see voxloud contacts --help)"),
        (["contacts", "get"], "requires an argument"),
        (["contacts", "get", "a/b"], "id must be one segment of a path"),
        (["contacts", "create", "--first-name", "Ada"], "--first-name and --primary-phone are required"),
        (["contacts", "update", "x", "--replace", "--last-name", "L"], "--first-name and --primary-phone are required"),
        (["contacts", "update", "x"], "no field is given"),
        (["contacts", "search", "--limit", "-1"], "--limit must be at least 0"),
        (["events", "list", "--from", "2026-06-05", "--to", "2026-06-01"], "--from must not be after --to"),
        (["users", "list", "--rate", "fast"], '--rate must be a number, "learned" or "none"'),
        (["users", "list", "--timeout", "0"], "--timeout must be above 0"),
        (["users", "list", "--sandbox", "--base-url", "https://x.example"], "exclude each other"),
        (["users", "list", "--base-url", "x"], "--base-url must be an absolute http"),
        (["contacts", "search", "--safe-cells"], "--safe-cells needs --format csv"),
        (["demo", "--contacts", "0"], "--contacts must be at least 1"),
    ],
)
def test_wrong_usage_is_one_line_and_code_2(voxloud: Console, tokens: list[str], reason: str) -> None:
    result = voxloud(*tokens)
    assert (result.code, result.out) == (2, "")
    assert reason in result.err
    assert result.err.startswith("voxloud: ")
    assert result.err.count("\n") == 1


@pytest.mark.parametrize(
    ("tokens", "line"),
    [
        (["contacts", "create", "--fist-name", "hush"], "--fist-name: did you mean --first-name?"),
        (["contacts", "create", "--fist-name=hush"], "--fist-name: did you mean --first-name?"),
        (["contacts", "import", "--imput-format=hush", "x"], "--imput-format: did you mean --input-format?"),
        (["events", "export", "--outptu", "hush"], "--outptu: did you mean --output?"),
        (["contacts", "import", "-khush"], "-k"),
    ],
)
def test_a_misspelt_option_gets_a_suggestion(voxloud: Console, tokens: list[str], line: str) -> None:
    result = voxloud(*tokens)
    assert (result.code, result.err.partition(" (see")[0]) == (2, f"voxloud: unknown option {line}")
    assert "hush" not in result.err


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_completion_is_installed_and_completes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert run(["--install-completion", "--shell", "bash"]) in {0, None}
    script = tmp_path / ".local" / "share" / "bash-completion" / "completions" / "voxloud"
    assert str(script) in capsys.readouterr().out
    for words, offered in ((["conta"], "contacts"), (["contacts", "create", "--fi"], "--first-name")):
        asked = f"COMP_WORDS=(voxloud {' '.join(words)}); COMP_CWORD={len(words)}; _voxloud; echo ${{COMPREPLY[@]}}"
        done = subprocess.run(["bash", "-c", f"source {script}; {asked}"], capture_output=True, text=True, check=True)  # noqa: S603, S607 - own script
        assert done.stdout.strip() == offered


def test_without_a_key_it_says_where_to_put_one(voxloud: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VOXLOUD_API_KEY")
    result = voxloud("auth", "check")
    assert result.code == 2
    assert "VOXLOUD_API_KEY is not set" in result.err
    assert voxloud.sandbox.requests == []


def test_with_sandbox_a_command_needs_no_account(voxloud: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VOXLOUD_API_KEY")
    assert voxloud.ok("auth", "check", "--sandbox").row["name"]
    assert voxloud.sandbox.requests == [], "it has a sandbox of its own"


def test_with_sandbox_there_is_something_of_each_kind(voxloud: Console) -> None:
    for group in ("users", "click-to-call", "webhooks"):
        assert voxloud.ok(group, "list", "--sandbox").rows, group
    assert voxloud.ok("contacts", "search", "--limit", "1", "--sandbox").rows
    assert voxloud.ok("events", "list", "--last", "7d", "--limit", "1", "--sandbox").rows


def test_the_base_url_is_an_option_too(voxloud: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOXLOUD_BASE_URL", "http://127.0.0.1:9")
    voxloud.ok("auth", "check", "--base-url", voxloud.sandbox.url, "--rate", "none", "--max-wait", "5")
    assert voxloud.sandbox.count() == 1


def test_a_refused_key_is_code_3_and_stays_hidden(voxloud: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOXLOUD_API_KEY", "not-the-key-at-all")
    result = voxloud("auth", "check")
    assert (result.code, result.out) == (3, "")
    assert "401" in result.err
    assert "VOXLOUD_API_KEY" in result.err
    assert "not-the-key" not in result.err


def test_what_the_service_refuses_is_code_5_without_personal_data(voxloud: Console) -> None:
    result = voxloud("contacts", "create", "--first-name", "Ada", "--primary-phone", "0039-312-345678")
    assert result.code == 5
    assert "primary_phone must be in e164 format" in result.err
    assert "312" not in result.err
    assert result.err.count("\n") == 1


def test_what_takes_too_long_is_code_6(voxloud: Console) -> None:
    voxloud.sandbox.fail_next(Fault(status=503, retry_after="60"))
    result = voxloud("auth", "check", "--max-wait", "2")
    assert result.code == 6
    assert "--max-wait" in result.err


def test_an_outcome_nobody_knows_is_code_7(voxloud: Console) -> None:
    voxloud.sandbox.fail_next(Fault(cut="before_headers"))
    result = voxloud("contacts", "create", "--first-name", "Ada", "--primary-phone", "+390312345678")
    assert result.code == 7
    assert "look whether it happened" in result.err
    assert voxloud.sandbox.count("POST") == 1


EVERY_ERROR: list[tuple[VoxloudError, int]] = [
    (errors.api_error(401), 3),
    (errors.api_error(403), 3),
    (errors.api_error(404), 4),
    (errors.api_error(400), 5),
    (errors.api_error(405), 5),
    (errors.api_error(406), 5),
    (errors.api_error(418), 5),
    (errors.api_error(302), 5),
    (errors.api_error(429), 6),
    (errors.api_error(500), 6),
    (errors.api_error(503), 6),
    (errors.RequestNotSentError("refused"), 6),
    (errors.ResponseLostError("cut"), 6),
    (errors.DeadlineExceededError(phase="limit", max_wait=1.0), 6),
    (errors.OutcomeUnknownError(), 7),
    (errors.DecodeError("expected a number", path="id"), 8),
    (errors.ClientClosedError("closed"), 1),
]


@pytest.mark.parametrize(("error", "code"), EVERY_ERROR, ids=repr)
def test_every_error_has_its_code_and_a_hint(error: VoxloudError, code: int) -> None:
    told, line = judge(error)
    assert told == code
    assert line.startswith(what(error))
    assert line.endswith(")")
    assert not re.search(r"[a-z]Error\b", line)  # the name of a class


def test_an_error_says_where_and_how_often() -> None:
    facts: dict[str, Any] = {"operation": "GET /api/v1/contacts/{id}", "host": "api.example:8443"}
    error = errors.RateLimitedError(429, "slow down", None, 30.0, 3, **facts)
    assert in_words(error) == (
        "429 Too Many Requests: slow down, at api.example:8443, after 3 attempts, to be tried again in 30 s"
    )
    lost = errors.RequestNotSentError("no connection to api.example:8443 (name look-up failed)", **facts)
    assert in_words(lost) == "no connection to api.example:8443 (name look-up failed)"
    assert in_words(errors.VoxloudError()) == "something went wrong"


def test_a_host_that_is_not_there_is_named_with_the_reason(voxloud: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOXLOUD_BASE_URL", f"http://127.0.0.1:{free_port()}")
    result = voxloud("auth", "check", "--max-wait", "0.5")
    host = os.environ["VOXLOUD_BASE_URL"].removeprefix("http://")
    assert (result.code, result.out) == (6, "")
    assert f"no connection to {host} (connection refused)" in result.err


def test_an_id_that_is_not_there_shows_no_placeholder(voxloud: Console) -> None:
    result = voxloud("contacts", "get", "54db")
    assert result.code == 4
    assert "{id}" not in result.err
    assert "is the id right?" in result.err


def test_a_bad_address_of_the_environment_is_named_as_such(voxloud: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOXLOUD_BASE_URL", "x")
    result = voxloud("auth", "check")
    assert (result.code, result.err.partition(" must")[0]) == (2, "voxloud: --base-url, or else VOXLOUD_BASE_URL,")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("ServiceUnavailableError", "the service is under maintenance"),
        ("RateLimitedError", "the service takes no more requests for now"),
        ("TimeoutError", "the service does not answer"),
    ],
)
def test_an_outage_is_explained_also_in_a_pipe(error: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    explain_waiting(Outage(5.0, error, None, 300.0))
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"voxloud: {words}; waiting up to 300 s (press Ctrl-C to stop, or bound it with --max-wait)\n"


def test_a_deadline_of_a_host_that_is_down_asks_for_no_more_patience() -> None:
    error = errors.DeadlineExceededError(phase="limit", max_wait=1.0)
    error.__cause__ = errors.RequestNotSentError("refused")
    code, line = judge(error)
    assert code == 6
    assert line.startswith("refused; --max-wait of 1 s is too short")
    assert line.endswith("(is the service reachable, and the base URL right?)")
    assert "allow more time" not in line


def test_a_file_that_is_not_there_is_code_2(voxloud: Console) -> None:
    result = voxloud("contacts", "import", "nowhere.csv")
    assert (result.code, result.err) == (2, "voxloud: there is no file nowhere.csv\n")


def test_a_taken_port_is_code_1(voxloud: Console) -> None:
    port = voxloud.sandbox.url.rpartition(":")[2]
    result = voxloud("sandbox", "--port", port)
    assert result.code == 1
    assert "address already in use" in result.err


def test_a_warning_is_one_line(voxloud: Console) -> None:
    result = voxloud("webhooks", "create", "--callback-url", "http://crm.example/x", "--event-type", "CALL_INCOMING")
    assert result.code == 0
    assert result.err == "voxloud: warning: callback_url is not https\n"


def test_streams_of_another_kind_will_do(voxloud: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    listener = io.StringIO()
    monkeypatch.setattr(sys, "stdout", listener)
    voxloud.ok("auth", "check")
    assert json.loads(listener.getvalue())["name"]


def test_a_bug_is_not_dressed_up(voxloud: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voxloud_async.client.VoxloudClient.validate_auth", lambda _: None)
    with pytest.raises(TypeError):
        voxloud("auth", "check")


def test_what_is_left_for_a_closed_pipe_is_dropped() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", encoding="utf-8") as stream:
        stream.write("nobody reads this")
        _give_up(stream)  # else closing the stream would raise
