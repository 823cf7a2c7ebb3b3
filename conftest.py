"""The examples of README.md and docs/ are tests: each page runs from top to bottom against a sandbox of its own."""

from __future__ import annotations

import ast
import asyncio
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack, chdir
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

from sybil import Example, Sybil
from sybil.evaluators.python import pad
from sybil.parsers.markdown import CodeBlockParser, SkipParser


def open_page(namespace: dict[str, Any]) -> None:
    """Give the page a sandbox, an empty folder and a loop that lasts from its first example to its last."""
    from voxloud_async.sandbox import Sandbox  # noqa: PLC0415 - the other tests do without
    from voxloud_async.sandbox.background import in_background  # noqa: PLC0415

    stack = namespace["_stack"] = ExitStack()
    sandbox = stack.enter_context(in_background(Sandbox(now=datetime.now(UTC))))
    account = {"VOXLOUD_BASE_URL": sandbox.url, "VOXLOUD_API_KEY": sandbox.api_key}
    stack.enter_context(mock.patch.dict(os.environ, account))
    namespace["_folder"] = stack.enter_context(tempfile.TemporaryDirectory())
    stack.enter_context(chdir(namespace["_folder"]))
    namespace["_runner"] = stack.enter_context(asyncio.Runner())


def close_page(namespace: dict[str, Any]) -> None:
    """Take all of it away."""
    namespace["_stack"].close()


def run_python(example: Example) -> None:
    """Run a block as a notebook does: `await` needs no function around it."""
    source = pad(example.parsed, example.line + example.parsed.line_offset)
    code = compile(source, example.path, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    coroutine = eval(code, example.namespace)  # noqa: S307 - the project's own pages
    if coroutine is not None:
        example.namespace["_runner"].run(coroutine)


def run_console(example: Example) -> None:
    """Run the commands of a block, except those that install; each must end well."""
    for line in example.parsed.splitlines():
        if line.startswith(("$ voxloud ", "$ printf ")):
            command = ["sh", "-c", line.removeprefix("$ ")]
            env = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
            subprocess.run(command, check=True, cwd=example.namespace["_folder"], env=env, timeout=60)  # noqa: S603 - the same


pytest_collect_file = Sybil(
    parsers=[CodeBlockParser("python", run_python), CodeBlockParser("console", run_console), SkipParser()],
    patterns=["README.md", "docs/*.md"],
    setup=open_page,
    teardown=close_page,
).pytest()
