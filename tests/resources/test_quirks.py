"""The whole client under every reading of the API text that the sandbox knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from tests.resources.journeys import JOURNEYS, wrong_key
from voxloud_async import VoxloudClient
from voxloud_async.sandbox import Quirks

if TYPE_CHECKING:
    from tests.resources.conftest import Serve

READINGS = [Quirks(), *Quirks.every()]


def name(quirks: Quirks) -> str:
    return ",".join(f"{each}={value!r}" for each, value in quirks.changed().items()) or "defaults"


@pytest.mark.parametrize("quirks", READINGS, ids=name)
async def test_the_client_works_under_every_reading(serve: Serve, quirks: Quirks) -> None:
    served = await serve(quirks)
    for journey in JOURNEYS:
        await journey(served.client, served.sandbox)
    async with VoxloudClient("wrong-key", base_url=served.sandbox.url) as client:
        await wrong_key(client, served.sandbox)


def test_there_is_a_reading_for_every_quirk() -> None:
    assert {each for quirks in READINGS for each in quirks.changed()} == {field.name for field in attrs.fields(Quirks)}
