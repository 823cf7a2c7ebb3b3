"""Fixtures for the tests of projects that use the client; pytest finds them once the package is installed.

They need no asyncio plugin and work with each of them. Nothing of the package is loaded before a test asks for one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .client import VoxloudClient
    from .sandbox import Sandbox

_MARK = "voxloud_sandbox"


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line("markers", f"{_MARK}(**options): options of the Sandbox that `voxloud_sandbox` starts")


@pytest.fixture
def voxloud_sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """A running sandbox of the test's own; `@pytest.mark.voxloud_sandbox(events=100, ...)` sets its options.

    It starts at the present unless the mark gives `now`, so that a test's "yesterday" has calls.
    """
    from .sandbox import Sandbox  # noqa: PLC0415 - see above
    from .sandbox.background import in_background  # noqa: PLC0415

    mark = request.node.get_closest_marker(_MARK)
    if mark and mark.args:
        raise pytest.UsageError(f"{_MARK} takes options of the Sandbox by name, such as contacts=3")
    options: dict[str, Any] = {"now": datetime.now(UTC), **(mark.kwargs if mark else {})}
    with in_background(Sandbox(**options)) as sandbox:
        yield sandbox


@pytest.fixture
def voxloud_client(voxloud_sandbox: Sandbox) -> Iterator[VoxloudClient]:
    """A client of that sandbox."""
    from .client import VoxloudClient  # noqa: PLC0415

    client = VoxloudClient(voxloud_sandbox.api_key, base_url=voxloud_sandbox.url)
    yield client
    loop = asyncio.new_event_loop()  # `asyncio.run` would leave the thread without the loop that it had
    try:
        loop.run_until_complete(client.aclose())
    finally:
        loop.close()
