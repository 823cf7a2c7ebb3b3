"""What every test stands on: no setting of the developer's own account reaches a test."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def _no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("VOXLOUD_")]:
        monkeypatch.delenv(name)
