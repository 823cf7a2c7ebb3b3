"""The account of the key and the users of the PBX."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from voxloud_async import VoxloudClient
from voxloud_async.errors import AuthenticationError, ServerError
from voxloud_async.models import Account, Extension
from voxloud_async.sandbox import Fault

if TYPE_CHECKING:
    from tests.resources.conftest import Served
    from voxloud_async.sandbox import Sandbox


async def test_the_account_of_the_key(client: VoxloudClient) -> None:
    account = await client.validate_auth()
    assert isinstance(account, Account)
    assert account.name
    assert account.name not in repr(account)


async def test_g3_a_401_answers_the_question_whether_the_key_is_good(client: VoxloudClient, sandbox: Sandbox) -> None:
    assert await client.is_authenticated() is True
    async with VoxloudClient("wrong", base_url=sandbox.url) as other:
        assert await other.is_authenticated() is False
        with pytest.raises(AuthenticationError) as caught:
            await other.validate_auth()
    assert (caught.value.status, caught.value.attempts) == (401, 1)
    assert sandbox.count("POST", "/api/v1/validate-auth") == 3


async def test_g3_another_fault_is_no_answer_to_it(served: Served) -> None:
    served.sandbox.fail_next(Fault(status=418))
    with pytest.raises(Exception, match="418"):
        await served.client.is_authenticated()


async def test_g3_validate_auth_is_sent_again_like_a_read(served: Served) -> None:
    served.sandbox.fail_next(Fault(status=500), 2)
    assert (await served.client.validate_auth()).name
    served.sandbox.fail_next(Fault(status=500), 9)
    with pytest.raises(ServerError) as caught:
        await served.client.validate_auth()
    assert caught.value.attempts == 4
    assert caught.value.operation == "POST /api/v1/validate-auth"


async def test_users_with_their_numbers(client: VoxloudClient, sandbox: Sandbox) -> None:
    users = await client.users.list()
    assert sandbox.count("GET", "/api/v2/users") == len(sandbox.requests) == 1
    for user, origin in zip(users, sandbox.state.directory.users, strict=True):
        assert (user.first_name, user.last_name) == (origin.first_name, origin.last_name)
        assert user.extension_number == Extension(origin.extension) == str(origin.extension)
        assert user.outbound_cli is not None
        assert [did.number for did in user.outbound_cli.available_dids or ()] == [did.number for did in origin.dids]
