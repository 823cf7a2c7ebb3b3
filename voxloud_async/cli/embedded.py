"""The sandbox behind `--sandbox`."""

from __future__ import annotations

from datetime import UTC, datetime

from ..sandbox import ClickToCall, Sandbox, Subscription, Traffic


def furnished_sandbox() -> Sandbox:
    """A sandbox whose call records end now, with a click-to-call and a subscription to look at."""
    sandbox = Sandbox(now=datetime.now(UTC))
    state = sandbox.state
    extension, did = state.directory.users[0].extension, state.directory.dids[0]
    button = ClickToCall(
        id=state.new_id().hex(32),
        name="ctc-support",
        extension=str(extension),
        outbound_number=did.number,
        dial_first="extension",
    )
    subscription = Subscription(
        id=state.new_id().uuid(), event_type="CALL_INCOMING", callback_url="https://crm.example/voxloud"
    )
    state.click_to_calls[button.id] = button
    state.subscriptions[subscription.id] = subscription
    return sandbox


def busy_sandbox() -> Sandbox:
    """A sandbox with about as many calls under way, in real time, as a terminal has lines for."""
    return Sandbox(now=datetime.now(UTC), events=2000, traffic=Traffic(calls_per_second=0.5, seed=7), pace=1.0)
