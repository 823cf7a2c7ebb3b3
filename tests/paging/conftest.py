"""Windows that end soon, so that a list of some thousand rows is many."""

from __future__ import annotations

import pytest

from voxloud_async.paging import page_reader


@pytest.fixture
def short_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_reader, "DEEP_ROWS", 500)
