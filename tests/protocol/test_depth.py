"""Values that nest: what is kept can be copied and pickled, whichever way it came in."""

from __future__ import annotations

import json
import pickle
from contextlib import suppress
from copy import deepcopy
from typing import Any

import attrs
import pytest

from tests.protocol.samples import fault
from voxloud_async import VoxloudClient
from voxloud_async.errors import DecodeError, WebhookError
from voxloud_async.models import Contact, Fax, PhoneCall, TelephonyEvent, UnknownEvent, Webhook
from voxloud_async.protocol.codec import decode, structure, unstructure
from voxloud_async.protocol.exchange import build_request, read_error
from voxloud_async.protocol.jsontext import DEEPEST, exact, is_too_deep
from voxloud_async.protocol.operations import GET_CONTACT
from voxloud_async.protocol.page import Matches, Page
from voxloud_async.testing import FakeTransport, answer
from voxloud_async.webhooks import parse_webhook
from voxloud_async.wire.message import Response

pytestmark = pytest.mark.usefixtures("backend")

LIMITS = [DEEPEST + 1, 300, 900, 1000, 1020, 5000, 100_000]


def nested(levels: int, *, lists: bool = False) -> str:
    return "[" * levels + "]" * levels if lists else '{"a":' * levels + "1" + "}" * levels


def with_field(row: dict[str, Any], value: str) -> bytes:
    """A wire object with one more field, whose JSON is given."""
    return json.dumps(row).encode()[:-1] + b', "strange": ' + value.encode() + b"}"


KINDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "contact": (Contact, {"id": "7"}),
    "call": (PhoneCall, {"id": 7, "type": "PHONE_CALL"}),
    "fax": (Fax, {"id": 7, "sender": "1"}),
    "event": (TelephonyEvent, {"id": 7, "type": "PHONE_CALL"}),
    "unknown event": (TelephonyEvent, {"id": 7, "type": "NEW"}),
    "match": (Matches[TelephonyEvent], {"id": 7, "type": "CLICK_TO_CALL"}),
    "webhook": (Webhook, {"type": "NEW", "data": {"type": "NEW"}}),
    "any": (Any, {"id": 7}),
}


@pytest.mark.parametrize("lists", [True, False])
@pytest.mark.parametrize(("kind", "row"), KINDS.values(), ids=KINDS)
def test_v5_what_is_read_can_be_copied_and_pickled(kind: Any, row: dict[str, Any], lists: bool) -> None:  # noqa: FBT001
    read = decode(with_field(row, nested(DEEPEST - 1, lists=lists)), kind)
    for twin in (deepcopy(read), pickle.loads(pickle.dumps(read))):  # noqa: S301 - made right here
        assert twin == read
    if attrs.has(type(read)) and kind is not Matches[TelephonyEvent]:
        attrs.asdict(read)
        json.dumps(unstructure(read))


@pytest.mark.parametrize("levels", LIMITS)
@pytest.mark.parametrize(("kind", "row"), [KINDS[name] for name in ("contact", "call", "fax", "event", "match", "any")])
def test_v5_what_nests_deeper_is_a_decode_error(kind: Any, row: dict[str, Any], levels: int) -> None:
    error = fault(with_field(row, nested(levels)), kind)
    assert error.reason in {f"nested more than {DEEPEST} levels deep", "the body is no JSON"}
    assert error.path in {"strange", ""}
    pickle.dumps(error)


@pytest.mark.parametrize("levels", LIMITS[:3])
def test_v5_a_delivery_keeps_a_field_that_nests_deeper_as_text(levels: int) -> None:
    for body in (with_field(KINDS["webhook"][1], nested(levels)), with_field(KINDS["call"][1], nested(levels))):
        webhook = decode(body, Webhook)
        assert (webhook.extra or webhook.data.extra)["strange"] == nested(levels)
        pickle.dumps(webhook)


@pytest.mark.parametrize("levels", LIMITS[:3])
def test_v5_an_unknown_event_keeps_a_field_that_nests_deeper_as_text(levels: int) -> None:
    text = nested(levels)
    page = b'{"content": [%s, {"id": 8, "type": "PHONE_CALL"}]}' % with_field({"id": 7, "type": "NEW"}, text)
    odd, call = decode(page, Page[TelephonyEvent]).items
    assert isinstance(odd, UnknownEvent)
    assert odd.extra == {"strange": text}
    assert (odd.id, call.id) == (7, 8)
    assert pickle.loads(pickle.dumps(odd)) == deepcopy(odd) == odd  # noqa: S301 - made right here


@pytest.mark.parametrize("levels", LIMITS)
def test_v5_an_error_keeps_a_body_that_nests_deeper_as_text(levels: int) -> None:
    body = with_field({"message": "no"}, nested(levels))
    request = build_request(GET_CONTACT, "https://voxloud.test", "test", segment="7")
    error = read_error(GET_CONTACT, request, Response(status=400, body=body), wall=0.0)
    assert error.body == body[: 64 * 1024].decode()
    assert deepcopy(error).body == error.body
    assert pickle.loads(pickle.dumps(error)).body == error.body  # noqa: S301 - made right here


@pytest.mark.parametrize("levels", LIMITS)
async def test_v5_raw_pages_with_a_row_that_nests_deeper_are_read_or_a_decode_error(levels: int) -> None:
    client = VoxloudClient("key", base_url="https://voxloud.test", transport=(transport := FakeTransport()))
    for row in ({"id": "7"}, {"first_name": "Ada"}):
        body = b'{"has_next": false, "data": [%s]}' % with_field(row, nested(levels))
        transport.add(answer(body))
        with suppress(DecodeError):
            assert [page async for page in client.contacts.search().pages(raw=True)] == [body]
    assert len(transport.requests) == 2


@pytest.mark.parametrize("levels", LIMITS)
def test_v5_a_delivery_that_nests_deeper_is_refused(levels: int) -> None:
    with pytest.raises(WebhookError, match=r"nested more than 32 levels deep|is no JSON|is larger"):
        parse_webhook(with_field({"type": "NEW", "data": {}}, nested(levels)))


@pytest.mark.parametrize(("levels", "deep"), [(0, False), (DEEPEST, False), (DEEPEST + 1, True)])
def test_the_bound_is_the_same_for_both_ways_of_reading(levels: int, deep: bool) -> None:  # noqa: FBT001
    value = json.loads(nested(levels))
    assert is_too_deep(value) is deep
    if deep:
        with pytest.raises(ValueError, match="too deeply"):
            exact((value,))
    else:
        exact((value,))


def test_what_a_caller_structures_is_bounded_too() -> None:
    assert structure(json.loads(nested(DEEPEST)), Any) == json.loads(nested(DEEPEST))
