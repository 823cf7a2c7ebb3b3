"""What holds for every object and for any JSON."""

from __future__ import annotations

import json
import pickle
from contextlib import suppress
from copy import copy, deepcopy
from datetime import UTC, datetime, timedelta, timezone
from functools import cache, partial
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

import attrs
import pytest
from hypothesis import given, settings, strategies as st

from tests.protocol import samples
from tests.protocol.samples import instants
from voxloud_async.errors import DecodeError
from voxloud_async.models import (
    Account,
    CallEvent,
    ClickToCall,
    ClickToCallCall,
    Connection,
    Contact,
    Did,
    Extension,
    Fax,
    FaxCall,
    Model,
    OpenEnum,
    OutboundCli,
    PhoneCall,
    TelephonyEvent,
    User,
    Webhook,
    WebhookSubscription,
)
from voxloud_async.protocol.codec import decode, structure, unstructure, wire_names
from voxloud_async.protocol.page import Matches, Page

KINDS = [
    Account,
    CallEvent,
    ClickToCall,
    ClickToCallCall,
    Connection,
    Contact,
    Fax,
    FaxCall,
    PhoneCall,
    User,
    WebhookSubscription,
]

NESTED = {Did, OutboundCli}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)

WORDS = st.text(max_size=12)
MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(9998, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - it adds one
WIRE_TIMES = st.one_of(
    MOMENTS.map(lambda at: at.isoformat()),
    MOMENTS.map(lambda at: at.strftime("%Y-%m-%dT%H:%M:%S.000+0000").rjust(28, "0")),
    st.integers(0, 10**13),
)


def _is_unknown(kind: type[OpenEnum], word: str) -> bool:
    return not kind(word).is_known


@cache
def wire(kind: Any) -> st.SearchStrategy[Any]:
    """JSON that fits a type of a model's field."""
    if get_origin(kind) in {Union, UnionType}:
        return st.one_of([wire(one) for one in get_args(kind)])
    if get_origin(kind) is tuple:
        return st.lists(wire(get_args(kind)[0]), max_size=3)
    if kind in NESTED:
        return wire_object(kind)
    if isinstance(kind, type) and issubclass(kind, OpenEnum):
        return st.sampled_from([member.value for member in kind]) | WORDS.filter(partial(_is_unknown, kind))
    plain = {
        NoneType: st.none(),
        bool: st.booleans(),
        datetime: WIRE_TIMES,
        Extension: st.integers(0, 9999) | st.from_regex(r"[0-9]{1,5}", fullmatch=True),
        float: st.integers() | st.floats(allow_nan=False, allow_infinity=False),
        int: st.integers(),
        str: WORDS,
    }
    return plain[kind]


@cache
def wire_object(kind: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Wire objects of a model: required fields, any of the others, and perhaps fields nobody documented."""
    resolved = attrs.resolve_types(kind)
    fields = {field.name: field for field in attrs.fields(resolved) if "wire" in field.metadata}
    required = {field.metadata["wire"]: wire(field.type) for field in fields.values() if field.default is attrs.NOTHING}
    optional = {
        field.metadata["wire"]: wire(field.type) for field in fields.values() if field.default is not attrs.NOTHING
    }
    known = {*wire_names(kind).values(), "type", "data", *samples.TIMES}  # which `instants` reads in any object
    unknown = st.dictionaries(WORDS.filter(lambda name: name not in known), JSON, max_size=2)
    return st.builds(lambda row, extra: extra | row, st.fixed_dictionaries(required, optional=optional), unknown)


def canonical(row: Any) -> Any:
    """Instants for times, and enums in one case."""
    row = instants(row)
    if "direction" in row and isinstance(row["direction"], str):
        row["direction"] = row["direction"].upper()
    return row


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_an_object_survives_the_way_there_and_back(kind: Any, data: st.DataObject) -> None:
    row = data.draw(wire_object(kind))
    read = structure(row, kind)
    written = unstructure(read)
    assert canonical(json.loads(json.dumps(written))) == canonical(row)
    assert structure(written, kind) == read
    assert set(read.extra) == row.keys() - set(wire_names(kind).values())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_an_object_equals_its_copies_and_hashes_alike(kind: Any, data: st.DataObject) -> None:
    read = structure(data.draw(wire_object(kind)), kind)
    for twin in (copy(read), deepcopy(read), pickle.loads(pickle.dumps(read))):  # noqa: S301 - made right here
        assert twin == read
        assert hash(twin) == hash(read)
        assert attrs.asdict(twin) == attrs.asdict(read)
        assert unstructure(twin) == unstructure(read)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_equal_objects_hash_alike_however_they_were_written(kind: Any, data: st.DataObject) -> None:
    row = data.draw(wire_object(kind))
    first, second = structure(row, kind), structure({name: respelled(name, item) for name, item in row.items()}, kind)
    if first == second:
        assert hash(first) == hash(second)


def respelled(name: str, item: Any) -> Any:
    """The same value in another spelling: an extension as text, a number with a point, an instant in another zone."""
    if "xtension" in name and isinstance(item, int):
        return str(item)
    if isinstance(item, int) and not isinstance(item, bool):
        return float(item) if abs(item) < 2**53 else item
    if name in samples.TIMES and isinstance(item, str) and item.endswith("+00:00"):
        return datetime.fromisoformat(item).astimezone(timezone(timedelta(hours=2))).isoformat()
    return item


@given(
    JSON | st.fixed_dictionaries({"type": JSON | st.sampled_from(["PHONE_CALL", "FAX_CALL"])}, optional={"id": JSON})
)
@settings(max_examples=150, deadline=None)
def test_any_object_is_an_event_or_a_decode_error(value: Any) -> None:
    with suppress(DecodeError):
        event = structure(value, TelephonyEvent)
        assert isinstance(event, Model)
        if "data" not in value:
            assert canonical(unstructure(event)) == canonical(value)


@pytest.mark.parametrize("kind", [Page[Contact], Page[TelephonyEvent], Matches[TelephonyEvent], Webhook, User, Any])
@given(
    value=JSON | st.fixed_dictionaries({}, optional=dict.fromkeys(("data", "content", "type", "timestamp", "id"), JSON))
)
@settings(max_examples=60, deadline=None)
def test_any_json_is_read_or_is_a_decode_error(kind: Any, value: Any) -> None:
    with suppress(DecodeError):
        decode(json.dumps(value).encode(), kind)


@given(st.binary(max_size=60))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_read_or_are_a_decode_error(body: bytes) -> None:
    with suppress(DecodeError):
        decode(body, Page[TelephonyEvent])


@given(WIRE_TIMES)
@settings(max_examples=50, deadline=None)
def test_every_time_is_aware(spelled: str | int) -> None:
    assert structure({"id": 1, "type": "PHONE_CALL", "timestamp": spelled}, PhoneCall).timestamp.tzinfo is not None
