"""What every durable inbox refuses before it asks its store."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from tests.webhooks.inbox.stores import delivery
from voxloud_async.webhooks.inbox import Delivery, Lease

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.webhooks.inbox.stores import Store
    from voxloud_async.webhooks.inbox import Inbox

LEASE = Lease(delivery=delivery("a"), token="t", until=0.0, run=1)
TEXT: Any = "text"

REFUSED: dict[str, Callable[[Inbox], Awaitable[object]]] = {
    "an empty key": lambda inbox: inbox.add([delivery("")]),
    "a long key": lambda inbox: inbox.add([delivery("k" * 201)]),
    "a NUL": lambda inbox: inbox.add([delivery("a\0b")]),
    "half a surrogate": lambda inbox: inbox.add([delivery("\ud800")]),
    "no type": lambda inbox: inbox.add([evolve(delivery("a"), type="")]),
    "a long type": lambda inbox: inbox.add([evolve(delivery("a"), type="T" * 101)]),
    "a fingerprint of other characters": lambda inbox: inbox.add([evolve(delivery("a"), fingerprint="é")]),
    "an endless announcement": lambda inbox: inbox.announce(["PHONE_CALL"], math.inf),
    "no moment": lambda inbox: inbox.add([Delivery(key="a", body=b"", received=math.nan)]),
    "no deliveries to lease": lambda inbox: inbox.lease(0, 60.0),
    "a negative lease": lambda inbox: inbox.lease(1, -1.0),
    "an endless lease": lambda inbox: inbox.lease(1, math.inf),
    "a lease of nothing": lambda inbox: inbox.extend(LEASE, math.nan),
    "a negative delay": lambda inbox: inbox.retry(LEASE, -1.0, "ValueError"),
    "an error of several lines": lambda inbox: inbox.retry(LEASE, 1.0, "Value\nError"),
    "a long error": lambda inbox: inbox.bury(LEASE, "E" * 201),
    "no dead letters": lambda inbox: inbox.dead_letters(0),
}


@pytest.mark.parametrize("call", REFUSED.values(), ids=REFUSED)
async def test_bad_arguments_are_refused(shared: Store, call: Callable[[Inbox], Awaitable[object]]) -> None:
    inbox = shared.open()
    with pytest.raises(ValueError, match="must be"):
        await call(inbox)


async def test_a_body_must_be_bytes_and_spoils_the_whole_call(shared: Store) -> None:
    inbox = shared.open()
    with pytest.raises(TypeError, match="must be bytes"):
        await inbox.add([delivery("a"), delivery("b", TEXT)])
    assert await inbox.known(["a", "b"]) == frozenset()
