"""Click-to-call, against the sandbox: whatever happens, no phone rings twice."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from voxloud_async.errors import ApiError, BadRequestError, NotFoundError, OutcomeUnknownError, ServiceUnavailableError
from voxloud_async.models import DialFirst, Extension
from voxloud_async.sandbox import Fault, Quirks

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.resources.conftest import Serve, Served
    from voxloud_async import VoxloudClient
    from voxloud_async.models import ClickToCall
    from voxloud_async.sandbox import Sandbox


def own_number(sandbox: Sandbox) -> str:
    return str(sandbox.state.directory.dids[0].number)


def extension(sandbox: Sandbox) -> int:
    return int(sandbox.state.directory.users[0].extension)


async def make(served: Served, **changes: Any) -> ClickToCall:
    options: dict[str, Any] = {
        "name": "support",
        "extension": extension(served.sandbox),
        "outbound_number": own_number(served.sandbox),
    }
    return await served.client.click_to_call.create(**options | changes)


@pytest.mark.parametrize("kind", [int, str, Extension])
async def test_u3_an_extension_may_be_given_as_users_have_it(served: Served, kind: Callable[[int], Any]) -> None:
    made = await make(served, extension=kind(extension(served.sandbox)))
    assert made.extension == str(extension(served.sandbox))
    assert json.loads(served.sandbox.requests[-1].body or b"")["extension"] == str(extension(served.sandbox))


async def test_who_is_dialled_first_is_the_services_choice_unless_given(served: Served) -> None:
    assert (await make(served)).dial_first == "extension"
    assert "dial_first" not in json.loads(served.sandbox.requests[-1].body or b"")
    assert (await make(served, dial_first=DialFirst.CONTACT)).dial_first == "contact"


async def test_k1_a_name_is_known_again(serve: Serve) -> None:
    served = await serve(Quirks(name_on_get="underscore"))
    made = await make(served)
    got = await served.client.click_to_call.get(made.id)
    assert (made.name, got.name) == ("ctc-support", "ctc_support")
    assert made.friendly_name == got.friendly_name == "support"


async def test_k2_a_replaced_outbound_number_is_logged(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "voxloud_async"):
        await make(served)
        assert caplog.records == []
        made = await make(served, outbound_number="+39123456789")
    assert made.outbound_number == own_number(served.sandbox)
    (record,) = caplog.records
    assert record.getMessage() == f"the service replaced the outbound number of click-to-call {made.id}"
    assert "39123456789" not in caplog.text


async def test_k5_an_id_may_have_33_characters(serve: Serve) -> None:
    served = await serve(Quirks(id_length=33))
    made = await make(served)
    assert len(made.id) == 33
    assert await served.client.click_to_call.get(made.id) == made


async def test_k8_a_connection_tells_the_contact_alone(served: Served) -> None:
    made = await make(served)
    connection = await served.client.click_to_call.connect(made.id, contact="+39987654321")
    assert connection.contact == "+39987654321"
    assert not hasattr(connection, "call_id")
    assert "39987654321" not in repr(connection)


@pytest.mark.parametrize("status", [400, 409, 403, 422])
async def test_u6_a_spent_quota_is_the_services_word(serve: Serve, status: Any) -> None:
    served = await serve(Quirks(conflict_status=status), users=1, groups=0)
    await make(served)
    with pytest.raises(ApiError) as caught:
        await make(served)
    assert caught.value.status == status
    assert served.sandbox.count("POST") == 2


async def test_a_number_that_is_none_is_refused_by_the_service(served: Served) -> None:
    made = await make(served)
    with pytest.raises(BadRequestError):
        await served.client.click_to_call.connect(made.id, contact="0612345678")
    assert served.sandbox.calls_placed == []


LOST = [
    Fault(cut="before_headers", executed=True),
    Fault(cut="inside_headers", executed=True),
    Fault(cut="inside_body", executed=True),
    Fault(status=500, executed=True),
    Fault(status=502, executed=True),
    Fault(status=503),
    Fault(status=504, executed=True),
    Fault(status=500),
]


@pytest.mark.parametrize("fault", LOST, ids=str)
async def test_k9_connect_is_never_sent_again(served: Served, fault: Fault) -> None:
    made = await make(served)
    served.sandbox.fail_next(fault, 3)
    with pytest.raises((OutcomeUnknownError, ServiceUnavailableError)) as caught:
        await served.client.click_to_call.connect(made.id, contact="+39987654321")
    assert caught.value.attempts == 1
    assert served.sandbox.count("POST", f"/api/v1/click-to-call/{made.id}/connect") == 1
    assert len(served.sandbox.calls_placed) <= 1


async def test_k9_connect_is_sent_again_after_a_429(served: Served) -> None:
    made = await make(served)
    served.sandbox.fail_next(Fault(status=429, retry_after="0"))
    await served.client.click_to_call.connect(made.id, contact="+39987654321")
    assert served.sandbox.count("POST", f"/api/v1/click-to-call/{made.id}/connect") == 2
    assert len(served.sandbox.calls_placed) == 1


async def test_g11_a_click_to_call_that_may_exist_is_not_made_twice(served: Served) -> None:
    served.sandbox.fail_next(Fault(status=500, executed=True), 3)
    found = await make(served)
    assert [*served.sandbox.state.click_to_calls] == [found.id]
    assert len(served.sandbox.state.click_to_calls) == served.sandbox.count("POST") == 1


async def test_g7_a_missing_click_to_call(client: VoxloudClient) -> None:
    for call in (client.click_to_call.get, client.click_to_call.delete):
        with pytest.raises(NotFoundError):
            await call("8ff3728f")
    await client.click_to_call.delete("8ff3728f", missing_ok=True)


FULL = {"name": "support", "extension": 101, "outbound_number": "+39"}
BAD: dict[str, tuple[type[Exception], str, Callable[[Any], Any]]] = {
    "no name": (TypeError, "name", lambda each: each.create(extension=101, outbound_number="+39")),
    "empty name": (ValueError, "name", lambda each: each.create(**FULL | {"name": ""})),
    "empty extension": (ValueError, "extension", lambda each: each.create(**FULL | {"extension": " "})),
    "float extension": (TypeError, "extension", lambda each: each.create(**FULL | {"extension": 101.0})),
    "true extension": (TypeError, "extension", lambda each: each.create(**FULL | {"extension": True})),
    "no number": (ValueError, "outbound_number", lambda each: each.create(**FULL | {"outbound_number": ""})),
    "number as int": (TypeError, "outbound_number", lambda each: each.create(**FULL | {"outbound_number": 39})),
    "dial both": (ValueError, "dial_first", lambda each: each.create(**FULL, dial_first="both")),
    "unknown field": (TypeError, "group", lambda each: each.create(**FULL, group="x")),
    "connect nowhere": (ValueError, "id", lambda each: each.connect("", contact="+39")),
    "connect elsewhere": (ValueError, "id", lambda each: each.connect("a/../b", contact="+39")),
    "connect nobody": (ValueError, "contact", lambda each: each.connect("8ff3", contact="")),
    "connect a number": (TypeError, "contact", lambda each: each.connect("8ff3", contact=39)),
    "get": (TypeError, "id", lambda each: each.get(None)),
    "delete": (ValueError, "id", lambda each: each.delete("..")),
}


@pytest.mark.parametrize(("kind", "names", "call"), BAD.values(), ids=BAD)
async def test_a_bad_argument_is_told_before_anything_is_sent(
    served: Served, kind: type[Exception], names: str, call: Callable[[Any], Any]
) -> None:
    with pytest.raises(kind, match=names):
        await call(served.client.click_to_call)
    assert served.sandbox.requests == []
