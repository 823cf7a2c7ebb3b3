"""Creates whose answers are lost, and what is told of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve, frozen

from voxloud_async import VoxloudClient, errors
from voxloud_async.errors import OutcomeUnknownError
from voxloud_async.protocol.codec import unstructure
from voxloud_async.sandbox import Fault, Sandbox
from voxloud_async.testing import answer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from voxloud_async.wire.message import Request, Response

    Start = Callable[..., Awaitable["Served"]]

NUMBER = "+390312345678"
JOHN: dict[str, Any] = {"first_name": "John", "primary_phone": NUMBER, "company_name": "John&Associates"}
HOOK: dict[str, Any] = {"callback_url": "https://example.org/hook", "event_type": "CALL_INCOMING"}
LOST = Fault(cut="inside_headers", executed=True)
UNSENT = Fault(cut="inside_headers")


@frozen
class Served:
    client: VoxloudClient
    sandbox: Sandbox

    def contact(self, **changes: Any) -> Awaitable[Any]:
        return self.client.contacts.create(**JOHN | changes)

    def subscription(self) -> Awaitable[Any]:
        return self.client.webhook_subscriptions.create(**HOOK)

    def click_to_call(self, **changes: Any) -> Awaitable[Any]:
        directory = self.sandbox.state.directory
        asked = {
            "name": "support",
            "extension": str(directory.users[0].extension),
            "outbound_number": str(directory.dids[0].number),
        }
        return self.client.click_to_call.create(**asked | changes)

    async def elsewhere(self, name: str) -> Any:
        """The same, made by another client of this key."""
        async with VoxloudClient(self.sandbox.api_key, base_url=self.sandbox.url, rate=None) as other:
            return await CREATES[name](evolve(self, client=other))


CREATES: dict[str, Callable[[Served], Awaitable[Any]]] = {
    "contact": Served.contact,
    "subscription": Served.subscription,
    "click-to-call": Served.click_to_call,
}


class Late:
    """A transport whose first create is carried out and answered late, and whose others are lost on their way."""

    def __init__(self, made: Any) -> None:
        self.sent: list[str] = []
        self.answer = asyncio.Event()
        self._made = unstructure(made)

    async def send(self, request: Request, *, timeout: float) -> Response:  # noqa: ARG002, ASYNC109 - the contract
        self.sent.append(request.method)
        if request.method == "GET":
            long_ago = {"Date": "Thu, 01 Jan 1998 00:00:00 GMT"}
            return answer({"data": [self._made], "has_next": False}, headers=long_ago)
        if len(self.sent) > 1:
            raise errors.ResponseLostError("reset")
        await self.answer.wait()
        return answer(self._made)

    async def aclose(self) -> None:
        raise AssertionError("it is not the client's to close")


def ids(sandbox: Sandbox) -> set[str]:
    return {*sandbox.state.contacts, *sandbox.state.subscriptions, *sandbox.state.click_to_calls}


async def unknown(create: Awaitable[Any]) -> OutcomeUnknownError:
    with pytest.raises(OutcomeUnknownError) as caught:
        await create
    assert (caught.value.attempts, caught.value.sent) == (1, True)
    return caught.value
