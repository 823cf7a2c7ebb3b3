"""What all generated classes have in common, and what is told from their fields."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, get_args

import attrs
import pytest

from tests.document import SCHEMAS
from voxloud_async import models
from voxloud_async.models import (
    Account,
    CallEvent,
    CallPhase,
    ClickToCall,
    Contact,
    Did,
    EventType,
    Extension,
    Extra,
    Fax,
    Model,
    OpenEnum,
    OutboundCli,
    PhoneCall,
    TelephonyEvent,
    UnknownEvent,
    User,
    Webhook,
    WebhookSubscription,
)

if TYPE_CHECKING:
    from collections.abc import Callable

EXPORTED = [getattr(models, name) for name in models.__all__]
ENUMS = [one for one in EXPORTED if inspect.isclass(one) and issubclass(one, OpenEnum) and one is not OpenEnum]
CLASSES = [one for one in EXPORTED if inspect.isclass(one) and issubclass(one, Model) and one is not Model]

each_class = pytest.mark.parametrize("model", CLASSES, ids=lambda model: model.__name__)
each_generated = pytest.mark.parametrize("generated", [*ENUMS, *CLASSES], ids=lambda one: one.__name__)

REQUIRED = {
    "Account": {"name", "email"},
    "CallEvent": {"type", "call_id", "timestamp"},
    "ClickToCall": {"id"},
    "ClickToCallCall": {"type"},
    "Connection": {"contact"},
    "Contact": {"id"},
    "Did": {"number"},
    "Fax": set(),
    "FaxCall": {"type"},
    "OutboundCli": set(),
    "PhoneCall": {"type"},
    "UnknownEvent": set(),
    "User": {"id", "first_name", "last_name"},
    "Webhook": {"type", "data"},
    "WebhookSubscription": {"id"},
}


def own_fields(model: type[Model]) -> list[attrs.Attribute[Any]]:
    return [field for field in attrs.fields(model) if field.name not in {"extra", "nulls", "misfit"}]


def docstrings(generated: type) -> tuple[list[str], int]:
    """The fields or members that a docstring follows, and how many there are."""
    (node,) = ast.parse(inspect.getsource(generated)).body
    assert isinstance(node, ast.ClassDef)
    body = node.body[1:]
    return [ast.unparse(one) for one in body[1::2] if isinstance(one, ast.Expr)], len(body[::2])


def test_every_class_is_known() -> None:
    assert {model.__name__ for model in CLASSES} == set(REQUIRED)
    assert list(models.__all__) == sorted(models.__all__)


@each_class
def test_it_requires_what_makes_it(model: type[Model]) -> None:
    required = {field.name for field in attrs.fields(model) if field.default is attrs.NOTHING}
    assert required == REQUIRED[model.__name__]


@each_class
def test_g21_every_field_lists_its_wire_name(model: type[Model]) -> None:
    described = SCHEMAS[model.__name__]["properties"]
    listed = {
        name for field in own_fields(model) for name in (field.metadata["wire"], *field.metadata.get("aliases", ()))
    }
    assert listed == set(described)


@each_class
def test_the_repr_shows_which_personal_fields_there_are_and_the_values_of_the_others(model: type[Model]) -> None:
    described = SCHEMAS[model.__name__]["properties"]
    model_fields = own_fields(model)
    values: dict[str, Any] = {field.name: f"value of {field.name}" for field in model_fields}
    made = model(**values)
    personal = {field.name for field in model_fields if described[field.metadata["wire"]].get("x-personal", False)}
    shown = [
        f"{each.name}={'***' if each.name in personal else repr(getattr(made, each.name))}" for each in model_fields
    ]
    assert repr(made) == f"{model.__name__}({', '.join(shown)})"


@each_class
def test_it_is_frozen_slotted_and_keyword_only(model: type[Model]) -> None:
    assert all(field.kw_only for field in attrs.fields(model))
    assert not any("__dict__" in vars(base) for base in model.__mro__[:-1])
    assert model.__setattr__ is not object.__setattr__


@each_generated
def test_it_says_what_it_is_and_so_does_each_of_its_parts(generated: type) -> None:
    said, parts = docstrings(generated)
    assert generated.__doc__
    assert len(said) == parts > 0


@each_class
def test_its_types_resolve_at_run_time(model: type[Model]) -> None:
    attrs.resolve_types(model)
    assert not any(isinstance(field.type, str) for field in attrs.fields(model))


def test_c9_u1_the_wire_name_is_never_derived() -> None:
    wire = {field.name: field.metadata["wire"] for field in own_fields(PhoneCall)}
    assert (wire["call_id"], wire["voicemail_url"], wire["contact_crm_url"]) == (
        "callId",
        "voicemail_url",
        "contactCrmUrl",
    )


def test_w2_a_subscription_reads_its_event_type_from_either_name() -> None:
    metadata = attrs.fields(WebhookSubscription).event_type.metadata
    assert (metadata["wire"], metadata["aliases"]) == ("event_type", ("type",))


def test_p14_a_fax_writes_its_direction_in_lower_case() -> None:
    assert attrs.fields(Fax).direction.metadata["case"] == "lower"


def test_p15_a_fax_has_no_type_unless_one_is_sent() -> None:
    assert Fax(id=1).type is None


def test_absent_fields_are_none() -> None:
    contact = Contact(id="c1")
    assert contact.phones is None
    assert contact.created_at is None
    assert contact.extra == {}
    assert contact.nulls == frozenset()


def test_a_frozen_object_stays_as_it_is() -> None:
    account = Account(name="Acme", email="admin@example.com")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        account.name = "Other"  # type: ignore[misc]


def test_g17_nulls_do_not_tell_objects_apart() -> None:
    assert Contact(id="c1", nulls=frozenset({"website"})) == Contact(id="c1")


def test_unknown_fields_tell_objects_apart() -> None:
    assert Contact(id="c1", extra=Extra({"vip": True})) != Contact(id="c1")
    assert Contact(id="c1", extra={"vip": [1]}) == Contact(id="c1", extra=Extra({"vip": [1]}))


def test_an_object_with_unknown_fields_has_a_hash() -> None:
    assert len({Contact(id="c1", extra=Extra({"tags": []})), Contact(id="c1", extra=Extra({"tags": []}))}) == 1


def test_extra_is_a_read_only_mapping_whose_repr_shows_names_alone() -> None:
    fields = {"b": "secret", "a": 2}
    extra = Extra(fields)
    fields["c"] = 3
    assert dict(extra) == {"b": "secret", "a": 2}
    assert len(extra) == 2
    assert repr(extra) == "Extra(a, b)"
    with pytest.raises(TypeError, match="item assignment"):
        extra["a"] = 1  # type: ignore[index]


def test_objects_pickle_with_all_they_hold(pickled: Callable[..., Any]) -> None:
    event = CallEvent(
        call_id="aa",
        timestamp=datetime(2026, 1, 1, tzinfo=UTC),
        type=CallPhase("DREAMT"),
        user_extension=Extension(101),
        extra=Extra({"site": 7}),
        nulls=frozenset({"userEmail"}),
    )
    twin = pickled(Webhook(type=EventType.CALL_STARTED, data=event, pbx_id=117))
    assert twin == Webhook(type=EventType.CALL_STARTED, data=event, pbx_id=117)
    assert (twin.data.extra, twin.data.nulls) == (event.extra, event.nulls)


def test_a_repr_shows_no_personal_data() -> None:
    user = User(
        id="u1",
        first_name="Grace",
        last_name="Hopper",
        extension_number=Extension("0999"),
        outbound_cli=OutboundCli(outbound_did=Did(number="+390312345678", label="Secret line")),
        extra={"nickname": "Amazing", "age": 85},
        nulls=frozenset({"label"}),
    )
    assert repr(user) == (
        "User(id='u1', first_name=***, last_name=***, extension_number=***,"
        " outbound_cli=OutboundCli(outbound_did=Did(number=***, label=***)), extra=Extra(age, nickname))"
    )


def test_a_repr_tells_hidden_from_absent() -> None:
    assert repr(Contact(id="54db", first_name="Ada", phones=())) == "Contact(id='54db', first_name=***, phones=***)"
    assert repr(Contact(id="54db")) == "Contact(id='54db')"


@each_class
def test_an_object_that_is_half_read_has_a_repr(model: type[Model]) -> None:
    half = model.__new__(model)  # as in the locals of a traceback
    assert repr(half) == f"{model.__name__}()"


@pytest.mark.parametrize("event", get_args(TelephonyEvent), ids=lambda event: event.__name__)
@pytest.mark.parametrize(
    "name",
    ["id", "type", "call_id", "timestamp", "direction", "originator_number", "destination_number", "duration"],
)
def test_every_telephony_event_has_the_common_attributes(event: type[Model], name: str) -> None:
    assert hasattr(event, name)


def test_a_fax_has_them_under_names_of_its_own() -> None:
    fax = Fax(id=1, sender="+391", recipient="+392")
    assert (fax.originator_number, fax.destination_number) == ("+391", "+392")
    assert (fax.call_id, fax.duration) == (None, None)


def test_an_unknown_event_holds_what_is_common_to_all() -> None:
    event = UnknownEvent(type="SMS", id=3, extra=Extra({"text": "hi"}))
    assert (event.type, event.id, event.call_id, event.duration) == ("SMS", 3, None, None)


@pytest.mark.parametrize(
    ("primary", "secondary", "together"),
    [
        ("+391", ("+392", "+393"), ("+391", "+392", "+393")),
        ("+391", ("+391", "+392", "+392"), ("+391", "+392")),
        ("+391", None, ("+391",)),
        (None, ("+392",), ("+392",)),
        ("", ("", "+392"), ("+392",)),
        (None, None, ()),
    ],
)
def test_c17_all_phones_holds_the_primary_and_the_secondary_ones(
    primary: str | None, secondary: tuple[str, ...] | None, together: tuple[str, ...]
) -> None:
    assert Contact(id="c1", primary_phone=primary, phones=secondary).all_phones == together


@pytest.mark.parametrize(
    ("duration", "ring_time", "talked"),
    [(4, 1, 3), (4.5, 0, 4.5), (4, None, None), (None, 1, None), (None, None, None)],
)
def test_p12_talk_time_is_the_duration_without_the_ringing(
    duration: float | None, ring_time: float | None, talked: float | None
) -> None:
    assert PhoneCall(id=1, type=EventType.PHONE_CALL, duration=duration, ring_time=ring_time).talk_time == talked


def test_p12_only_phone_calls_have_a_talk_time() -> None:
    assert [model.__name__ for model in CLASSES if hasattr(model, "talk_time")] == ["PhoneCall"]


@pytest.mark.parametrize(
    ("name", "friendly"),
    [
        ("ctc-support", "support"),
        ("ctc_support", "support"),
        ("support", "support"),
        ("ctc-ctc-x", "ctc-x"),
        ("my-ctc-desk", "my-ctc-desk"),
        (None, None),
    ],
)
def test_k1_the_friendly_name_is_the_one_without_prefix(name: str | None, friendly: str | None) -> None:
    assert ClickToCall(id="x", name=name).friendly_name == friendly


def test_the_models_load_no_transport() -> None:
    code = "import sys, voxloud_async.models; sys.exit(bool({'aiohttp', 'yaml', 'cattrs'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603 - own program
