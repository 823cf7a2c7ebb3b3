"""What reads JSON: orjson, which the tests have installed, and the standard library, for those who have not."""

from __future__ import annotations

import pytest

from voxloud_async.protocol import jsontext


@pytest.fixture(params=["orjson", "stdlib"])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Reads with one of the two; `pytest.mark.usefixtures("backend")` reads with each in turn."""
    if request.param == "stdlib":
        monkeypatch.setattr(jsontext, "quick_loads", jsontext.loads)
    return str(request.param)
