"""Readings of the section on click-to-call, by the id of the anomaly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.sandbox.conftest import Serve

CLICK_TO_CALL = "/api/v1/click-to-call"
RESOURCE = {"name": "support", "extension": "101", "outboundNumber": "+39123456789"}


async def test_k1_the_name_has_an_underscore_on_get(serve: Serve) -> None:
    api = await serve(quirks={"name_on_get": "underscore"})
    created = await api.post(CLICK_TO_CALL, RESOURCE | {"name": "front-desk"})
    assert created["name"] == "ctc-front-desk"
    assert (await api.get(f"{CLICK_TO_CALL}/{created['id']}"))["name"] == "ctc_front-desk"


async def test_k2_a_foreign_outbound_number(serve: Serve) -> None:
    kept, rejected = [await serve(quirks={"outbound_number": each}) for each in ("kept", "rejected")]
    assert (await kept.post(CLICK_TO_CALL, RESOURCE))["outboundNumber"] == RESOURCE["outboundNumber"]
    await rejected.refused(400, "POST", CLICK_TO_CALL, json=RESOURCE)


@pytest.mark.parametrize("length", [32, 33])
async def test_k5_the_length_of_ids(serve: Serve, length: int) -> None:
    api = await serve(quirks={"id_length": length})
    assert len((await api.post(CLICK_TO_CALL, RESOURCE))["id"]) == length


async def test_k12_which_extensions_will_do(serve: Serve) -> None:
    known, of_user, unchecked = [await serve(quirks={"extension": each}) for each in ("known", "of_user", "unchecked")]
    group, nobody = RESOURCE | {"extension": "801"}, RESOURCE | {"extension": "007"}
    await known.post(CLICK_TO_CALL, group)
    await known.refused(400, "POST", CLICK_TO_CALL, json=nobody)
    await of_user.refused(400, "POST", CLICK_TO_CALL, json=group)
    assert (await unchecked.post(CLICK_TO_CALL, nobody))["extension"] == "007"
