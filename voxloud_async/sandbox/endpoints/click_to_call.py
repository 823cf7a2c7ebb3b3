"""Click-to-call (L787)."""

from __future__ import annotations

from http import HTTPStatus
from typing import cast

from attrs import evolve

from ..context import Context
from ..exchange import Answer, RefusalError, as_json, bad_request, not_found
from ..records import ClickToCall, DialFirst
from ..shapes import click_to_call_shape, deleted
from ..validation import Fields, e164, given_fields, one_of, optional_text, required_text

_PREFIX = "ctc-"


def create_click_to_call(context: Context) -> Answer:
    """POST /click-to-call, within the quota (K7)."""
    fields = given_fields(context.call, context.quirks)
    name = required_text(fields, "name")
    extension = _extension(context, required_text(fields, "extension"))
    number = _outbound_number(context, required_text(fields, "outboundNumber"))
    dial_first = _dial_first(fields)
    pbx = context.pbx
    if len(pbx.click_to_calls) >= pbx.quota:
        raise RefusalError(HTTPStatus(context.quirks.conflict_status), f"no more than {pbx.quota} click-to-calls")
    click_to_call = ClickToCall(
        id=pbx.new_id().hex(context.quirks.id_length),
        name=_PREFIX + name,
        extension=extension,
        outbound_number=number,
        dial_first=dial_first,
    )
    pbx.click_to_calls[click_to_call.id] = click_to_call
    return as_json(click_to_call_shape(click_to_call, context.quirks), context.quirks.create_status)


def get_click_to_call(context: Context) -> Answer:
    """GET /click-to-call/{id}."""
    found = _click_to_call(context)
    if context.quirks.name_on_get == "underscore":
        found = evolve(found, name=found.name.replace("-", "_", 1))
    return as_json(click_to_call_shape(found, context.quirks))


def list_click_to_calls(context: Context) -> Answer:
    """GET /click-to-call: a bare array."""
    return as_json([click_to_call_shape(each, context.quirks) for each in context.pbx.click_to_calls.values()])


def delete_click_to_call(context: Context) -> Answer:
    """DELETE /click-to-call/{id}."""
    del context.pbx.click_to_calls[_click_to_call(context).id]
    return deleted(context.quirks)


def connect_click_to_call(context: Context) -> Answer:
    """POST /click-to-call/{id}/connect rings the phones, each time (K9)."""
    click_to_call = _click_to_call(context)
    contact = e164(required_text(given_fields(context.call, context.quirks), "contact"), "contact")
    context.pbx.place_call(click_to_call, contact)
    return as_json({"contact": contact}, context.quirks.connect_status)


def _click_to_call(context: Context) -> ClickToCall:
    click_to_call = context.pbx.click_to_calls.get(context.id)
    if click_to_call is None:
        raise not_found("click-to-call")
    return click_to_call


def _extension(context: Context, extension: str) -> str:
    town = context.pbx.directory
    known = {str(user.extension) for user in town.users}
    if context.quirks.extension == "known":
        known |= {str(group.extension) for group in town.groups}
    if extension not in known and context.quirks.extension != "unchecked":
        raise bad_request("extension is not one of the PBX")
    return extension


def _outbound_number(context: Context, number: str) -> str:
    own = [did.number for did in context.pbx.directory.dids]
    if number in own or context.quirks.outbound_number == "kept":
        return number
    if context.quirks.outbound_number == "rejected":
        raise bad_request("outboundNumber is not one of the PBX")
    return own[0]


def _dial_first(fields: Fields) -> DialFirst:
    named = optional_text(fields, "dial_first")
    if named is None:
        return "extension"
    return cast("DialFirst", one_of(named, "dial_first", ("contact", "extension")))
