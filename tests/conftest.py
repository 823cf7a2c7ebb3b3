"""What every test stands on: no setting of the developer's own account reaches a test."""

from __future__ import annotations

import gc
import os

import pytest


def pytest_collection_finish() -> None:
    """Let no garbage collection of a whole run look through all modules and tests: a tenth of the time went there."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        gc.collect()
        gc.freeze()


@pytest.fixture(autouse=True)
def _no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("VOXLOUD_")]:
        monkeypatch.delenv(name)
