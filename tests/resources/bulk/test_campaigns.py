"""Bulk writes that are killed, on services that lose responses and whose clocks are off; see `campaigns.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .campaigns import Figures, campaign

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.acceptance, pytest.mark.long, pytest.mark.usefixtures("soon")]


@pytest.mark.parametrize("seed", range(60))
async def test_each_item_is_done_once_and_no_change_is_overwritten_by_an_older_one(tmp_path: Path, seed: int) -> None:
    figures = Figures()
    await campaign(seed, tmp_path, figures)
    assert figures.killed + figures.stopped >= 2
