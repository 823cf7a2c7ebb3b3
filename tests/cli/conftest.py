"""The console as it is used: command lines in, exit code and text out, a real sandbox behind it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from attrs import define, frozen

from voxloud_async.cli.app import run
from voxloud_async.sandbox import Quirks, Sandbox
from voxloud_async.sandbox.background import in_background

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@frozen
class Result:
    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def row(self) -> Any:
        (row,) = self.rows
        return row


@define
class Console:
    """Runs command lines against one sandbox."""

    sandbox: Sandbox
    read: Callable[[], tuple[str, str]]

    def __call__(self, *tokens: str) -> Result:
        code = run(tokens)
        return Result(code, *self.read())

    def ok(self, *tokens: str) -> Result:
        result = self(*tokens)
        assert (result.code, result.err) == (0, "")
        return result


@pytest.fixture
def quirks() -> Quirks:
    """How the sandbox reads the API text, for tests to say otherwise."""
    return Quirks()


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch, quirks: Quirks) -> Iterator[Sandbox]:
    with in_background(Sandbox(contacts=30, users=3, groups=2, events=450, days=30, quirks=quirks)) as sandbox:
        monkeypatch.setenv("VOXLOUD_BASE_URL", sandbox.url)
        monkeypatch.setenv("VOXLOUD_API_KEY", sandbox.api_key)
        yield sandbox


@pytest.fixture
def voxloud(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> Console:
    return Console(sandbox, capsys.readouterr)
