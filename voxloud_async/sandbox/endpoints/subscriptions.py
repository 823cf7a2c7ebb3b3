"""Webhook subscriptions (L333)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from attrs import evolve

from ..context import Context
from ..exchange import Answer, RefusalError, as_json, bad_request, not_found
from ..quirks import Quirks
from ..records import Subscription
from ..shapes import Shape, deleted, subscription_shape
from ..validation import Fields, given_fields, one_of, optional_flag, optional_text, required_text

EVENT_TYPES = (
    "FAX_CALL",
    "PHONE_CALL",
    "CLICK_TO_CALL",
    "CALL_STARTED",
    "CALL_INCOMING",
    "CALL_ANSWERED",
    "CALL_HANGUP",
)


def create_subscription(context: Context) -> Answer:
    """POST /webhook-subscriptions."""
    fields, quirks = given_fields(context.call, context.quirks), context.quirks
    allowed = EVENT_TYPES if quirks.click_to_call_subscription == "accepted" else _without_click_to_call()
    values = _read(fields, allowed)
    _refuse_duplicate(context, values)
    subscription = Subscription(id=context.pbx.new_id().uuid(), **values)
    context.pbx.subscriptions[subscription.id] = subscription
    shape = subscription_shape(subscription, quirks)
    if quirks.enabled_on_create == "absent":
        del shape["enabled"]
    return as_json(shape, quirks.create_status)


def update_subscription(context: Context) -> Answer:
    """PUT or POST /webhook-subscriptions/{id} (W4); fields left out are kept (W6)."""
    before = _subscription(context)
    fields, quirks = given_fields(context.call, context.quirks), context.quirks
    _check_id(context, fields)
    values = _read(fields, EVENT_TYPES)
    if quirks.notification_email_omitted == "cleared":
        values.setdefault("notification_email", None)
    enabled = optional_flag(fields, "enabled")
    if enabled is None:
        enabled = before.enabled if quirks.enabled_omitted == "kept" else True
    if enabled and not before.enabled and quirks.failed_count_after_enable == "reset":
        values |= {"failed_count": 0, "last_error": None}
    subscription = evolve(before, enabled=enabled, **values)
    context.pbx.subscriptions[subscription.id] = subscription
    return as_json(subscription_shape(subscription, quirks))


def list_subscriptions(context: Context) -> Answer:
    """GET /webhook-subscriptions: a bare array."""
    subscriptions = context.pbx.subscriptions.values()
    return as_json([_listed(each, place, context.quirks) for place, each in enumerate(subscriptions)])


def get_subscription(context: Context) -> Answer:
    """GET /webhook-subscriptions/{id}."""
    return as_json(subscription_shape(_subscription(context), context.quirks))


def delete_subscription(context: Context) -> Answer:
    """DELETE /webhook-subscriptions/{id}."""
    del context.pbx.subscriptions[_subscription(context).id]
    return deleted(context.quirks)


def _listed(subscription: Subscription, place: int, quirks: Quirks) -> Shape:
    shape = subscription_shape(subscription, quirks)
    if quirks.subscription_list_type == "type" or (quirks.subscription_list_type == "mixed" and place > 0):
        shape["type"] = shape.pop("event_type")
    return shape


def _read(fields: Fields, allowed: tuple[str, ...]) -> dict[str, Any]:
    values: dict[str, Any] = {
        "callback_url": required_text(fields, "callback_url"),
        "event_type": one_of(required_text(fields, "event_type"), "event_type", allowed),
    }
    if "notification_email" in fields:
        values["notification_email"] = optional_text(fields, "notification_email")
    return values


def _without_click_to_call() -> tuple[str, ...]:
    return tuple(each for each in EVENT_TYPES if each != "CLICK_TO_CALL")


def _check_id(context: Context, fields: Fields) -> None:
    reading = context.quirks.subscription_body_id
    if reading == "optional" and "id" not in fields:
        return
    if required_text(fields, "id") != context.id and reading != "unchecked":
        raise bad_request("id must be the one of the path")


def _subscription(context: Context) -> Subscription:
    subscription = context.pbx.subscriptions.get(context.id)
    if subscription is None:
        raise not_found("webhook subscription")
    return subscription


def _refuse_duplicate(context: Context, values: dict[str, Any]) -> None:
    wanted = (values["callback_url"], values["event_type"])
    taken = any((each.callback_url, each.event_type) == wanted for each in context.pbx.subscriptions.values())
    if taken and context.quirks.duplicate_subscription == "rejected":
        raise RefusalError(HTTPStatus(context.quirks.conflict_status), "this URL is subscribed to this event_type")
