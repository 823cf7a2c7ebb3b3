from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.webhooks.deliveries import call_event, enveloped, incoming, packed, receiver, record, sample
from tests.webhooks.desk import Desk, virtually
from voxloud_async.models import CallEvent, EventType, Fax, FaxCall, PhoneCall, UnknownEvent
from voxloud_async.webhooks import Received, UnknownEventTypeWarning
from voxloud_async.webhooks.notices import Buried

if TYPE_CHECKING:
    from voxloud_async.webhooks.handlers import Event


def test_a_handler_gets_what_fits_its_type() -> None:
    async def main() -> None:
        desk, seen = Desk(), []

        def note(name: str) -> Any:
            async def handler(event: Event) -> None:
                seen.append((name, type(event)))

            return handler

        for name in ("CALL_INCOMING", "CALL_HANGUP", "PHONE_CALL", "FAX_CALL", "CALL_PARKED"):
            desk.receiver.on(name)(note(name))
        async with desk.receiver:
            await desk.deliver(incoming(), enveloped(call_event(phase="HANGUP")), packed(record()), sample("fax"))
            await desk.deliver(packed(record(2, type="FAX_CALL")), packed({"type": "CALL_PARKED", "data": {"lot": 1}}))
            await desk.deliver(packed({"type": "CALL_HANGUP", "data": {"id": "odd"}}))
            await desk.settled()
        assert seen == [
            ("CALL_INCOMING", CallEvent),
            ("CALL_HANGUP", CallEvent),
            ("PHONE_CALL", PhoneCall),
            ("FAX_CALL", Fax),
            ("FAX_CALL", FaxCall),
            ("CALL_PARKED", UnknownEvent),
        ]
        # what does not fit goes to handlers of all types alone
        assert [(notice.type, notice.error) for notice in desk.told(Buried)] == [("CALL_HANGUP", "MisfitError")]

    virtually(main)


def test_a_new_event_is_known_by_its_envelopes_type_like_the_others() -> None:
    async def main() -> None:
        desk, seen = Desk(), []

        @desk.receiver.on("CALL_PARKED")
        async def note(event: object) -> None:
            seen.append(type(event))

        async with desk.receiver:
            await desk.deliver(packed({"type": "CALL_PARKED", "data": {"type": "PARKED", "callId": "c"}}))
            await desk.settled()
        assert seen == [UnknownEvent]

    virtually(main)


def test_who_takes_all_gets_what_does_not_fit_too() -> None:
    async def main() -> None:
        desk, seen = Desk(), []

        @desk.receiver.on("*")
        async def note(event: object, received: Received) -> None:
            seen.append((type(event), received.webhook.type))

        async with desk.receiver:
            await desk.deliver(packed({"type": "CALL_HANGUP", "data": {"id": "odd"}}), incoming())
            await desk.settled()
        assert seen == [(UnknownEvent, "CALL_HANGUP"), (CallEvent, "CALL_INCOMING")]

    virtually(main)


def test_a_second_argument_tells_how_it_came() -> None:
    async def main() -> None:
        desk, seen = Desk(), []

        @desk.receiver.on(EventType.CALL_INCOMING, "CALL_HANGUP")
        async def note(event: CallEvent, received: Received) -> None:
            seen.append((event, received))

        async with desk.receiver:
            await desk.deliver(incoming())
            await desk.settled()
        ((event, received),) = seen
        assert received.webhook.data == event
        assert (received.webhook.pbx_id, received.verified, received.origin, received.run) == (117, False, "webhook", 1)
        assert len(received.key) == 64
        assert received.received.tzinfo is not None

    virtually(main)


class Methods:
    """Handlers of other forms."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def method(self, _event: CallEvent) -> None:
        self.seen.append("method")

    async def __call__(self, _event: CallEvent) -> None:
        self.seen.append("object")

    async def told(self, name: str, event: CallEvent, *, more: bool = True) -> None:
        assert (event.type, more) == ("INCOMING", True)
        self.seen.append(name)


def test_methods_objects_and_partials_are_handlers_too() -> None:
    async def main() -> None:
        desk, own = Desk(), Methods()
        assert desk.receiver.on("CALL_INCOMING")(own.method) == own.method
        desk.receiver.on("CALL_INCOMING")(own.__call__)
        desk.receiver._handlers.add(["CALL_INCOMING"], own, revisions=False)
        desk.receiver._handlers.add(["CALL_INCOMING"], partial(own.told, "partial"), revisions=False)
        async with desk.receiver:
            await desk.deliver(incoming())
            await desk.settled()
        assert own.seen == ["method", "object", "object", "partial"]

    virtually(main)


def test_what_is_no_handler_is_refused_when_it_is_registered() -> None:
    on: Any = receiver().on("CALL_INCOMING")
    with pytest.raises(TypeError, match=r"must be an async function: .*<lambda> is not"):
        on(lambda _event: None)
    with pytest.raises(TypeError, match="must be an async function, not int"):
        on(5)

    async def of_none() -> None: ...

    async def of_three(a: object, b: object, c: object) -> None: ...

    for wrong in (of_none, of_three):
        with pytest.raises(TypeError, match="takes an event"):
            on(wrong)


def test_a_forgotten_bracket_is_told() -> None:
    on: Any = receiver().on

    async def handler(event: object) -> None: ...

    with pytest.raises(TypeError, match=r"on\(\) takes event types"):
        on(handler)(handler)


@pytest.mark.parametrize(
    ("name", "meant"), [("CALL_INCOMNG", "CALL_INCOMING"), ("STARTED", "CALL_STARTED"), ("PHONECALL", "PHONE_CALL")]
)
def test_a_name_that_looks_misspelt_warns(name: str, meant: str) -> None:
    async def handler(event: object) -> None: ...

    with pytest.warns(UnknownEventTypeWarning, match=f"'{name}' is no documented event type; '{meant}' is") as caught:
        receiver().on(name)(handler)
    assert caught[0].filename == __file__


def test_names_of_other_types_and_in_lower_case_do_not_warn() -> None:
    async def handler(event: object) -> None: ...

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        receiver().on("VOICEMAIL", "CALL_TRANSFERRED", "call_incoming", "*")(handler)
