"""An empty sandbox on a real socket, with a client of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.resources.conftest import Serve, Served


@pytest.fixture
async def served(serve: Serve) -> Served:
    return await serve(contacts=0, events=0)
