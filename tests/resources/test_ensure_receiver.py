"""Subscriptions of a receiver's own URLs, whose tokens carry the event type."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.resources.test_ensure import held, writes
from voxloud_async.models import EventType
from voxloud_async.sandbox import Quirks
from voxloud_async.webhooks import WebhookReceiver

if TYPE_CHECKING:
    from tests.resources.conftest import Serve

OLD, NEW = "the-old-secret-of-the-receiver-in-these-tests", "the-new-secret-of-the-receiver-in-these-tests"
TYPES = [each for each in EventType if each != EventType.CLICK_TO_CALL]  # W1: not in every reading


def urls(*secrets: str) -> dict[str, str]:
    receiver = WebhookReceiver(secret=secrets)
    return {str(each): receiver.callback_url("https://hooks.example/voxloud", each) for each in TYPES}


@pytest.mark.parametrize("quirks", [Quirks(), *Quirks.every()], ids=lambda quirks: str(quirks.changed()))
async def test_a_new_secret_moves_every_subscription_and_then_nothing_is_written(serve: Serve, quirks: Quirks) -> None:
    served = await serve(quirks)
    subscriptions = served.client.webhook_subscriptions
    await subscriptions.ensure(urls(OLD))
    before = {*served.sandbox.state.subscriptions}
    for secrets, action in (((OLD,), None), ((NEW, OLD), "update"), ((NEW, OLD), None), ((NEW,), None)):
        start = writes(served.sandbox)
        report = await subscriptions.ensure(urls(*secrets))
        assert {step.action for step in report.steps} == ({action} if action else set())
        assert (writes(served.sandbox) == start) is (action is None)
    assert {*served.sandbox.state.subscriptions} == before
    assert held(served.sandbox) == sorted((kind, url, True) for kind, url in urls(NEW).items())
