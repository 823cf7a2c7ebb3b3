"""What a lost create made is found under every reading of the API text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.resources.outcome.losing import CREATES, LOST, ids
from voxloud_async.sandbox import Quirks

if TYPE_CHECKING:
    from tests.resources.outcome.losing import Start

READINGS = [
    quirks
    for quirks in [Quirks(), *Quirks.every()]
    if not quirks.changed()
    or {*quirks.changed()}
    & {
        "company_name",
        "name_on_get",
        "outbound_number",
        "subscription_list_type",
        "contact_filters",
        "contact_order",
        "create_status",
        "empty_fields",
        "has_next",
        "phone_search",
        "undocumented_fields",
        "enabled_on_create",
        "extension",
        "event_times",
        "error_body",
        "sort_shape",
        "number_match",
        "number_legs",
        "id_length",
    }
]


@pytest.mark.parametrize("quirks", READINGS, ids=lambda quirks: str(quirks.changed()))
async def test_g11_creates_are_found_under_every_reading(start: Start, quirks: Quirks) -> None:
    served = await start(quirks=quirks)
    await served.contact(first_name="Jane")
    for name, create in CREATES.items():
        before = ids(served.sandbox)
        posts = served.sandbox.count("POST")
        served.sandbox.fail_next(LOST, match="POST ")
        found = await create(served)
        assert {found.id} == ids(served.sandbox) - before, name
        assert served.sandbox.count("POST") == posts + 1
