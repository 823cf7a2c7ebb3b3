"""An empty sandbox on a real socket, with a client of it, and the file of a journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from voxloud_async.resources.bulk import change

if TYPE_CHECKING:
    from pathlib import Path

    from tests.resources.conftest import Serve, Served
    from voxloud_async import VoxloudClient


@pytest.fixture
async def served(serve: Serve) -> Served:
    return await serve(contacts=0, events=0)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "run.journal"


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was sent counts as settled at once."""
    monkeypatch.setattr(change, "SETTLED", 0.05)


@pytest.fixture
def forgetful(client: VoxloudClient) -> None:
    """The client remembers the last id alone: a journal does not rely on it."""
    client._session.created_ids._most = 1
