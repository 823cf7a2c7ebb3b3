"""Records as the API shows them: wire names, and what the quirks say about empty and undocumented fields."""

from __future__ import annotations

from typing import Any

from attrs import asdict

from .exchange import Answer, as_json
from .quirks import Quirks
from .records import ClickToCall, Contact, Did, Subscription, User
from .times import rome_time

Shape = dict[str, Any]

_SAMPLE_TIME = "2022-12-27T14:42:37+01:00"


def finished(shape: Shape, quirks: Quirks) -> Shape:
    """Fields without a value absent or null (G17), and the undocumented one where wanted (P10)."""
    if quirks.undocumented_fields == "present":
        shape["revision"] = {"number": 1}
    if quirks.empty_fields == "null":
        return shape
    return {name: value for name, value in shape.items() if value is not None}


def contact_shape(contact: Contact, quirks: Quirks) -> Shape:
    """A contact as in the samples: times in Rome (C18)."""
    shape = asdict(contact, recurse=False)
    shape["phones"], shape["emails"] = list(contact.phones), list(contact.emails)
    shape["created_at"] = _created_at(contact.created_at, quirks)
    shape["updated_at"] = rome_time(contact.updated_at)
    return finished(shape, quirks)


def _created_at(ms: int, quirks: Quirks) -> str | None:
    if quirks.contact_created_at == "absent":
        return None
    if quirks.contact_created_at == "constant":
        return _SAMPLE_TIME
    skew = {"behind": -10_000, "ahead": 10_000, "minute": -(ms % 60_000)}.get(quirks.contact_created_at, 0)
    return rome_time(ms + skew)


def user_shape(user: User, quirks: Quirks) -> Shape:
    """A user with the numbers to call from."""
    cli = {
        "outbound_did": None if user.outbound is None else _did_shape(user.outbound),
        "available_dids": [_did_shape(did) for did in user.dids],
    }
    shape = {
        "id": user.id,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "extension_number": user.extension,
        "outbound_cli": finished(cli, quirks),
    }
    return finished(shape, quirks)


def _did_shape(did: Did) -> Shape:
    return {"number": did.number, "label": did.label}


def subscription_shape(subscription: Subscription, quirks: Quirks) -> Shape:
    """A subscription in full."""
    return finished(asdict(subscription), quirks)


def click_to_call_shape(click_to_call: ClickToCall, quirks: Quirks) -> Shape:
    """A click-to-call, in its mixed case (K3)."""
    shape = {
        "id": click_to_call.id,
        "name": click_to_call.name,
        "extension": click_to_call.extension,
        "outboundNumber": click_to_call.outbound_number,
        "dial_first": click_to_call.dial_first,
    }
    return finished(shape, quirks)


def deleted(quirks: Quirks) -> Answer:
    """What a delete answers (G7)."""
    if quirks.delete_answer == "json":
        return as_json({})
    return Answer(204 if quirks.delete_answer == "no_content" else 200)
