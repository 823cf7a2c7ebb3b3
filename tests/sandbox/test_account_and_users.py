from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from voxloud_async.sandbox import Sandbox

if TYPE_CHECKING:
    from tests.sandbox.conftest import Api, Serve


async def test_validate_auth_names_the_company(api: Api) -> None:
    account = await api.post("/api/v1/validate-auth")
    assert set(account) == {"name", "email"}


@pytest.mark.parametrize("key", ["", "wrong", "schlüssel"])
@pytest.mark.parametrize(
    "path", ["/api/v1/contacts", "/api/v1/contacts/1", "/api/v2/users", "/api/v1/nothing", "/elsewhere"]
)
async def test_a_wrong_key_is_a_401_everywhere(api: Api, key: str, path: str) -> None:
    message = await api.refused(401, "GET", path, headers={"Voverc-Auth": key})
    assert message == "the API key is wrong"


async def test_a_missing_key_is_a_401(api: Api) -> None:
    await api.refused(
        401, "POST", "/api/v1/validate-auth", skip_auto_headers=["Voverc-Auth"], headers={"Voverc-Auth": ""}
    )


async def test_the_key_may_be_chosen(serve: Serve) -> None:
    api = await serve(api_key="my-key")
    assert api.sandbox.api_key == "my-key"
    await api.post("/api/v1/validate-auth")


def test_the_key_is_made_up_from_the_seed_and_hidden() -> None:
    assert Sandbox(seed=1, events=0).api_key == Sandbox(seed=1, events=0).api_key != Sandbox(seed=2, events=0).api_key
    sandbox = Sandbox(events=0)
    assert sandbox.api_key not in repr(sandbox)


async def test_users_are_a_bare_array_under_v2(api: Api) -> None:
    users = await api.get("/api/v2/users")
    assert [user["extension_number"] for user in users] == [101, 102, 103]
    for user in users[:-1]:
        cli = user["outbound_cli"]
        assert cli["outbound_did"] in cli["available_dids"]
    await api.refused(404, "GET", "/api/v1/users")


async def test_u5_a_user_without_a_number(serve: Serve) -> None:
    absent = (await (await serve()).get("/api/v2/users"))[-1]["outbound_cli"]
    null = (await (await serve(quirks={"empty_fields": "null"})).get("/api/v2/users"))[-1]["outbound_cli"]
    assert absent == {"available_dids": []}
    assert null == {"outbound_did": None, "available_dids": []}


async def test_everybody_has_a_number_where_there_is_one_user(serve: Serve) -> None:
    (user,) = await (await serve(users=1)).get("/api/v2/users")
    assert user["outbound_cli"]["outbound_did"]["number"].startswith("+39")


def test_a_great_many_groups_have_names_of_their_own() -> None:
    groups = Sandbox(groups=20, events=0, contacts=0).state.directory.groups
    assert len({group.name for group in groups}) == len({group.extension for group in groups}) == 20
