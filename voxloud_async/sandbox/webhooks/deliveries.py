"""What was sent: the sender's own record, against which a receiver's is checked."""

from __future__ import annotations

from typing import Literal

from attrs import define, field

from .misfortune import Mishap

Outcome = Literal["waiting", "delivered", "failed", "dropped", "unsubscribed", "foreign"]


@define(kw_only=True, eq=False)
class Delivery:
    """One attempt to tell one subscription of one event.

    `due` and `sent` are seconds since the sandbox started, `took` the seconds until the answer. `outcome` is what the
    service knows: a `failed` one may have been received all the same, and where its connection was cut its `status` is
    the answer that was lost. `dropped` ones were never sent, nor those whose subscription was gone or switched off
    (`unsubscribed`), nor those to a host that is not this machine (`foreign`). What a stop interrupts stays `waiting`.
    """

    subscription_id: str
    event_type: str
    call_id: str | None
    event_id: int | None
    body: bytes = field(repr=False)
    attempt: int = 1
    mishap: Mishap | None = None
    due: float
    sent: float | None = None
    took: float | None = None
    status: int | None = None
    error: str | None = None
    outcome: Outcome = "waiting"
