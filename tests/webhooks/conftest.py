"""Every test of a served receiver holds for both servers."""

from __future__ import annotations

import pytest

from tests.webhooks.serving import SERVERS


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> str:
    """The name of a server."""
    return str(request.param)
