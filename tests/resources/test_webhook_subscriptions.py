"""Webhook subscriptions, against the sandbox."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, get_args

import pytest

from voxloud_async.errors import BadRequestError, NotFoundError
from voxloud_async.models import EventType
from voxloud_async.resources.webhook_subscriptions import EventTypeName, InsecureCallbackWarning
from voxloud_async.sandbox import Fault, Quirks

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.resources.conftest import Serve, Served
    from voxloud_async import VoxloudClient
    from voxloud_async.sandbox import Sandbox

HOOK = "https://hooks.example/voxloud/s3cret"


def sent(sandbox: Sandbox) -> Any:
    return json.loads(sandbox.requests[-1].body or b"null")


@pytest.mark.parametrize("event_type", list(EventType))
async def test_w1_every_event_type_can_be_subscribed_to(client: VoxloudClient, event_type: EventType) -> None:
    made = await client.webhook_subscriptions.create(callback_url=HOOK, event_type=event_type)
    assert made.event_type is event_type
    assert made.enabled is True


def test_type_checkers_know_every_event_type() -> None:
    assert set(get_args(EventTypeName)) == {*EventType}


async def test_w1_the_service_decides_which_types_there_are(serve: Serve) -> None:
    served = await serve(Quirks(click_to_call_subscription="rejected"))
    for event_type in (EventType.CLICK_TO_CALL, EventType("CALL_PARKED")):
        with pytest.raises(BadRequestError):
            await served.client.webhook_subscriptions.create(callback_url=HOOK, event_type=event_type)
        assert sent(served.sandbox)["event_type"] == event_type


async def test_w2_a_listed_type_is_read_under_either_name(serve: Serve) -> None:
    served = await serve(Quirks(subscription_list_type="mixed"))
    for event_type in ("CALL_INCOMING", "CALL_ANSWERED"):
        await served.client.webhook_subscriptions.create(callback_url=HOOK, event_type=event_type)
    listed = await served.client.webhook_subscriptions.list()
    assert [each.event_type for each in listed] == ["CALL_INCOMING", "CALL_ANSWERED"]


async def test_w3_a_created_subscription_may_not_say_whether_it_is_enabled(serve: Serve) -> None:
    served = await serve(Quirks(enabled_on_create="absent"))
    made = await served.client.webhook_subscriptions.create(callback_url=HOOK, event_type="FAX_CALL")
    assert (made.enabled, made.last_error) == (None, None)


async def test_w5_the_id_is_sent_in_the_path_and_in_the_body(client: VoxloudClient, sandbox: Sandbox) -> None:
    made = await client.webhook_subscriptions.create(callback_url=HOOK, event_type="FAX_CALL", notification_email="a@b")
    assert sent(sandbox) == {"callback_url": HOOK, "event_type": "FAX_CALL", "notification_email": "a@b"}
    await client.webhook_subscriptions.update(made.id, callback_url=HOOK, event_type="FAX_CALL")
    assert sandbox.requests[-1].path.endswith(f"/{made.id}")
    assert sent(sandbox) == {"id": made.id, "callback_url": HOOK, "event_type": "FAX_CALL"}
    await client.webhook_subscriptions.update(
        made.id, callback_url=HOOK, event_type="FAX_CALL", enabled=False, notification_email="c@d"
    )
    assert {"enabled": False, "notification_email": "c@d"}.items() <= sent(sandbox).items()


@pytest.mark.parametrize("url", ["http://hooks.example/x", "HTTP://hooks.example/x"])
async def test_w10_a_callback_over_http_warns(client: VoxloudClient, url: str) -> None:
    with pytest.warns(InsecureCallbackWarning, match="callback_url is not https") as warned:
        await client.webhook_subscriptions.create(callback_url=url, event_type="FAX_CALL")
    assert warned[0].filename == __file__


async def test_g7_a_missing_subscription(client: VoxloudClient) -> None:
    for call in (client.webhook_subscriptions.get, client.webhook_subscriptions.delete):
        with pytest.raises(NotFoundError):
            await call("119a7b3d")
    await client.webhook_subscriptions.delete("119a7b3d", missing_ok=True)


async def test_g11_a_subscription_that_may_have_been_made_is_not_made_twice(served: Served) -> None:
    served.sandbox.fail_next(Fault(cut="before_headers", executed=True))
    found = await served.client.webhook_subscriptions.create(callback_url=HOOK, event_type="FAX_CALL")
    assert [*served.sandbox.state.subscriptions] == [found.id]
    assert len(served.sandbox.state.subscriptions) == served.sandbox.count("POST") == 1


BAD: dict[str, tuple[type[Exception], str, Callable[[Any], Any]]] = {
    "no url": (TypeError, "callback_url", lambda each: each.create(event_type="FAX_CALL")),
    "bad url": (ValueError, "callback_url", lambda each: each.create(callback_url="x", event_type="FAX_CALL")),
    "password": (ValueError, "callback_url", lambda each: each.create(callback_url="https://a:b@c", event_type="X")),
    "url of bytes": (TypeError, "callback_url", lambda each: each.create(callback_url=b"https://x", event_type="X")),
    "no type": (ValueError, "event_type", lambda each: each.create(callback_url=HOOK, event_type="")),
    "none as type": (TypeError, "event_type", lambda each: each.create(callback_url=HOOK, event_type=None)),
    "empty mail": (
        ValueError,
        "notification_email",
        lambda each: each.create(callback_url=HOOK, event_type="X", notification_email=""),
    ),
    "unknown field": (TypeError, "secret", lambda each: each.create(callback_url=HOOK, event_type="X", secret="y")),
    "no id": (ValueError, "id", lambda each: each.update("", callback_url=HOOK, event_type="X")),
    "yes": (TypeError, "enabled", lambda each: each.update("5", callback_url=HOOK, event_type="X", enabled="yes")),
    "climb": (ValueError, "id", lambda each: each.get("..")),
    "slash": (ValueError, "id", lambda each: each.delete("a/b")),
}


@pytest.mark.parametrize(("kind", "names", "call"), BAD.values(), ids=BAD)
async def test_a_bad_argument_is_told_before_anything_is_sent(
    served: Served, kind: type[Exception], names: str, call: Callable[[Any], Any]
) -> None:
    with pytest.raises(kind, match=names):
        await call(served.client.webhook_subscriptions)
    assert served.sandbox.requests == []
