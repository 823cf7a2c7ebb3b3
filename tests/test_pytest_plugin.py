"""The fixtures in a project of their user: with plain pytest, pytest-asyncio and anyio, and without a leak."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).parent.parent

SYNCHRONOUS = """
    import asyncio, urllib.error, urllib.request
    from datetime import UTC, datetime, timedelta
    import pytest

    def test_it_listens(voxloud_sandbox):
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(voxloud_sandbox.url + "/api/v2/users")
        assert voxloud_sandbox.count(status=401) == 1

    @pytest.mark.parametrize("turn", [1, 2])
    def test_each_test_has_its_own(voxloud_sandbox, turn):
        assert voxloud_sandbox.requests == []
        voxloud_sandbox.requests.append(turn)

    @pytest.mark.voxloud_sandbox(seed=3, contacts=7, users=2, groups=0, events=5)
    def test_the_mark_sets_options(voxloud_sandbox):
        assert len(voxloud_sandbox.state.contacts) == 7
        assert voxloud_sandbox.seed == 3

    def test_it_starts_at_the_present(voxloud_sandbox):
        assert abs(datetime.now(UTC) - voxloud_sandbox.now) < timedelta(minutes=1)

    @pytest.mark.voxloud_sandbox(now=datetime(2026, 1, 2, tzinfo=UTC))
    def test_the_mark_sets_the_start(voxloud_sandbox):
        assert voxloud_sandbox.now == datetime(2026, 1, 2, tzinfo=UTC)

    def test_the_client_speaks_to_it(voxloud_client, voxloud_sandbox):
        for turn in (1, 2):
            assert len(asyncio.run(voxloud_client.users.list())) == voxloud_sandbox.users
            assert voxloud_sandbox.count(status=200) == turn

    def test_an_unused_client(voxloud_client):
        pass

    @pytest.fixture
    def project_loop():
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        yield loop
        assert asyncio.get_event_loop() is loop
        asyncio.set_event_loop(None)
        loop.close()

    def test_a_loop_that_was_set_stays_set(project_loop, voxloud_client):
        pass
"""

ASYNCHRONOUS = """
    import pytest
    from voxloud_async.errors import ClientClosedError
    from voxloud_async.sandbox import Fault

    MARK

    async def test_the_client_speaks_to_it(voxloud_client, voxloud_sandbox):
        voxloud_sandbox.fail_next(Fault(cut="inside_headers"))
        assert len(await voxloud_client.users.list()) == voxloud_sandbox.users
        assert voxloud_sandbox.count() == 2

    async def test_the_test_may_close_it(voxloud_client):
        async with voxloud_client as client:
            await client.validate_auth()
        with pytest.raises(ClientClosedError):
            await client.validate_auth()
"""


BARE = ("-p", "no:asyncio", "-p", "no:anyio")
ASYNCIO = ("-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function")


def run(folder: Path, source: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run pytest over a test file in a process of its own, every warning an error."""
    (folder / "test_users.py").write_text(dedent(source), encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n", encoding="utf-8")
    plugin = [] if _installed() else ["-p", "voxloud_async.pytest_plugin"]
    command = [sys.executable, "-X", "dev", "-m", "pytest", "--strict-markers", "-p", "no:cacheprovider", *plugin]
    return subprocess.run(  # noqa: S603 - our own interpreter
        [*command, *options, str(folder)],
        cwd=ROOT,  # from where an uninstalled package is imported
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _installed() -> bool:
    from importlib.metadata import entry_points  # noqa: PLC0415 - here alone

    return any(point.value == "voxloud_async.pytest_plugin" for point in entry_points(group="pytest11"))


def passed(ran: subprocess.CompletedProcess[str], count: int) -> None:
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"{count} passed" in ran.stdout
    assert "Warning" not in ran.stdout + ran.stderr


def test_without_an_asyncio_plugin(tmp_path: Path) -> None:
    passed(run(tmp_path, SYNCHRONOUS, *BARE), 9)


def test_with_pytest_asyncio(tmp_path: Path) -> None:
    passed(run(tmp_path, ASYNCHRONOUS.replace("MARK", ""), *ASYNCIO), 2)


def test_with_anyio(tmp_path: Path) -> None:
    pytest.importorskip("anyio", reason="it comes with other packages only")
    source = ASYNCHRONOUS.replace(
        "MARK", "pytestmark = pytest.mark.anyio\n    anyio_backend = pytest.fixture(lambda: 'asyncio')"
    )
    passed(run(tmp_path, source, "-p", "no:asyncio"), 2)


def test_a_bad_option_is_told(tmp_path: Path) -> None:
    source = "import pytest\n@pytest.mark.voxloud_sandbox(weekday='monday')\ndef test_it(voxloud_sandbox): pass\n"
    ran = run(tmp_path, source, *BARE)
    assert ran.returncode == 1
    assert "unexpected keyword argument 'weekday'" in ran.stdout


def test_an_option_without_its_name_is_told(tmp_path: Path) -> None:
    source = "import pytest\n@pytest.mark.voxloud_sandbox(3)\ndef test_it(voxloud_sandbox): pass\n"
    ran = run(tmp_path, source, *BARE)
    assert ran.returncode == 1
    assert "voxloud_sandbox takes options of the Sandbox by name, such as contacts=3" in ran.stdout


def test_the_mark_is_documented(tmp_path: Path) -> None:
    assert "@pytest.mark.voxloud_sandbox(**options)" in run(tmp_path, "", *BARE, "--markers").stdout


def test_the_plugin_loads_nothing_of_the_package(tmp_path: Path) -> None:
    source = (
        "import sys\ndef test_it():\n"
        "    loaded = {name for name in sys.modules if name.startswith('voxloud_async.')}\n"
        "    assert loaded <= {'voxloud_async.pytest_plugin', 'voxloud_async._version'}, loaded\n"
    )
    passed(run(tmp_path, source, *BARE), 1)
