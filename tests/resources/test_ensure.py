"""Subscriptions as they should be, against the sandbox."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from attrs import evolve

from voxloud_async.errors import AuthenticationError, BadRequestError, NotFoundError, OutcomeUnknownError
from voxloud_async.models import EventType
from voxloud_async.resources.webhook_subscriptions import InsecureCallbackWarning
from voxloud_async.sandbox import Fault, Quirks

if TYPE_CHECKING:
    from tests.resources.conftest import Serve, Served
    from voxloud_async.sandbox import Sandbox

BASE = "https://hooks.example/voxloud"
OLD, NEW = "o" * 43, "n" * 43
WANTED = {"CALL_INCOMING": f"{BASE}/{NEW}", "CALL_HANGUP": f"{BASE}/{NEW}", "PHONE_CALL": f"{BASE}/{NEW}"}


def writes(sandbox: Sandbox) -> int:
    return sum(each.method != "GET" for each in sandbox.requests)


def held(sandbox: Sandbox) -> list[tuple[str, str, bool]]:
    return sorted((each.event_type, each.callback_url, each.enabled) for each in sandbox.state.subscriptions.values())


def change(sandbox: Sandbox, identifier: str, **changes: Any) -> None:
    sandbox.state.subscriptions[identifier] = evolve(sandbox.state.subscriptions[identifier], **changes)


@pytest.mark.parametrize("quirks", [Quirks(), *Quirks.every()], ids=lambda quirks: str(quirks.changed()))
async def test_a_second_run_writes_nothing_whatever_the_service_is_like(serve: Serve, quirks: Quirks) -> None:
    served = await serve(quirks)
    first = await served.client.webhook_subscriptions.ensure(WANTED, notification_email="a@b.example")
    assert [step.action for step in first.steps] == ["create"] * 3
    before = writes(served.sandbox)
    second = await served.client.webhook_subscriptions.ensure(WANTED, notification_email="a@b.example")
    assert (second.steps, writes(served.sandbox) - before) == ((), 0)
    assert held(served.sandbox) == sorted((kind, url, True) for kind, url in WANTED.items())


@pytest.mark.parametrize("quirks", [Quirks(), *Quirks.every()], ids=lambda quirks: str(quirks.changed()))
async def test_what_was_switched_off_doubled_or_has_an_old_token_is_mended(serve: Serve, quirks: Quirks) -> None:
    served = await serve(quirks)
    subscriptions = served.client.webhook_subscriptions
    off = await subscriptions.create(callback_url=f"{BASE}/{NEW}", event_type="CALL_INCOMING", notification_email="a@b")
    change(served.sandbox, off.id, enabled=False, failed_count=7)
    old = await subscriptions.create(callback_url=f"{BASE}/{OLD}", event_type="CALL_HANGUP", notification_email="a@b")
    await subscriptions.create(callback_url=f"{BASE}/{'x' * 43}", event_type="CALL_HANGUP")
    report = await subscriptions.ensure(WANTED)
    assert {(step.action, step.event_type) for step in report.steps} == {
        ("update", "CALL_INCOMING"),
        ("update", "CALL_HANGUP"),
        ("delete", "CALL_HANGUP"),
        ("create", "PHONE_CALL"),
    }
    assert held(served.sandbox) == sorted((kind, url, True) for kind, url in WANTED.items())
    kept = {off.id, old.id} & served.sandbox.state.subscriptions.keys()
    assert {served.sandbox.state.subscriptions[each].notification_email for each in kept} <= {"a@b", None}
    assert served.sandbox.state.subscriptions[off.id].notification_email == "a@b"
    before = writes(served.sandbox)
    assert (await subscriptions.ensure(WANTED)).steps == ()
    assert writes(served.sandbox) == before


async def test_dry_run_only_tells(served: Served) -> None:
    report = await served.client.webhook_subscriptions.ensure(WANTED, dry_run=True)
    assert [(step.action, step.event_type, step.because) for step in report.steps] == [
        ("create", kind, "it is missing") for kind in WANTED
    ]
    assert report.subscriptions == ()
    assert (writes(served.sandbox), len(served.sandbox.requests)) == (0, 1)
    assert NEW not in repr(report)


async def test_other_receivers_are_never_touched(served: Served) -> None:
    subscriptions = served.client.webhook_subscriptions
    others = [
        f"https://other.example/voxloud/{OLD}",
        f"{BASE}/staging/{OLD}",
        f"{BASE}/plain",
        f"https://hooks.example:8443/voxloud/{OLD}",
        f"{BASE}/{OLD}?pbx=2",
    ]
    for url in others:
        await subscriptions.create(callback_url=url, event_type="CALL_INCOMING")
    report = await subscriptions.ensure({"CALL_INCOMING": f"{BASE}/{NEW}"}, prune=True)
    assert [step.action for step in report.steps] == ["create"]
    assert len(served.sandbox.state.subscriptions) == len(others) + 1


async def test_the_host_may_be_written_otherwise(served: Served) -> None:
    await served.client.webhook_subscriptions.create(
        callback_url=f"https://HOOKS.example:443/voxloud/{NEW}", event_type="CALL_INCOMING"
    )
    report = await served.client.webhook_subscriptions.ensure({EventType.CALL_INCOMING: f"{BASE}/{NEW}"})
    assert report.steps == ()


@pytest.mark.parametrize(
    ("held", "wanted"),
    [
        ("/v%6Fxloud/%c3%a9?a=%2f", "/voxloud/%C3%A9?a=%2F"),
        ("/voxloud/%C3%A9", "/v%6fxloud/%c3%a9"),
    ],
)
async def test_escapes_may_be_written_otherwise(served: Served, held: str, wanted: str) -> None:
    subscriptions = served.client.webhook_subscriptions
    await subscriptions.create(callback_url=f"https://hooks.example{held}", event_type="CALL_INCOMING")
    assert (await subscriptions.ensure({"CALL_INCOMING": f"https://hooks.example{wanted}"})).steps == ()
    report = await subscriptions.ensure({"CALL_INCOMING": "https://hooks.example/voxloud/%25C3%25A9"})
    assert [step.action for step in report.steps] == ["create"]


async def test_types_and_addresses_may_be_written_otherwise(served: Served) -> None:
    subscriptions = served.client.webhook_subscriptions
    await subscriptions.ensure(WANTED, notification_email="Ada@Example.com")
    wanted = {kind.lower(): url for kind, url in WANTED.items()}
    report = await subscriptions.ensure(wanted, notification_email="ada@example.com", prune=True)
    assert report.steps == ()
    with pytest.raises(ValueError, match="wanted names event type PHONE_CALL twice"):
        await subscriptions.ensure({"phone_call": BASE, "PHONE_CALL": BASE})


async def test_an_id_at_the_end_of_a_url_is_no_token(served: Served) -> None:
    subscriptions = served.client.webhook_subscriptions
    one, other = (f"{BASE}/{UUID(int=number)}" for number in (1, 2))
    await subscriptions.ensure({"CALL_INCOMING": one, "PHONE_CALL": one})
    report = await subscriptions.ensure({"CALL_INCOMING": other}, prune=True)
    assert [step.action for step in report.steps] == ["create"]
    assert [url for _, url, _ in held(served.sandbox)].count(one) == 2


async def test_what_is_no_url_belongs_to_somebody_else(served: Served) -> None:
    made = await served.client.webhook_subscriptions.create(callback_url=f"{BASE}/x", event_type="CALL_INCOMING")
    change(served.sandbox, made.id, callback_url="https://[broken")
    report = await served.client.webhook_subscriptions.ensure({"CALL_INCOMING": f"{BASE}/{NEW}"})
    assert [step.action for step in report.steps] == ["create"]


async def test_prune_takes_the_event_types_nobody_wants(served: Served) -> None:
    subscriptions = served.client.webhook_subscriptions
    await subscriptions.ensure(WANTED)
    wanted = {"PHONE_CALL": WANTED["PHONE_CALL"]}
    assert (await subscriptions.ensure(wanted)).steps == ()
    report = await subscriptions.ensure(wanted, prune=True)
    assert {(step.action, step.event_type, step.because) for step in report.steps} == {
        ("delete", "CALL_INCOMING", "nobody wants it"),
        ("delete", "CALL_HANGUP", "nobody wants it"),
    }
    assert [each.event_type for each in report.subscriptions] == ["PHONE_CALL"]
    assert [kind for kind, _, _ in held(served.sandbox)] == ["PHONE_CALL"]


async def test_an_address_replaces_another(served: Served) -> None:
    subscriptions = served.client.webhook_subscriptions
    await subscriptions.ensure(WANTED, notification_email="a@b")
    report = await subscriptions.ensure(WANTED, notification_email="c@d")
    assert {step.because for step in report.steps} == {"another address is to be told"}
    assert {each.notification_email for each in served.sandbox.state.subscriptions.values()} == {"c@d"}


async def test_processes_that_start_at_one_time_leave_one_of_each(serve: Serve) -> None:
    served = await serve()
    await asyncio.gather(*(served.client.webhook_subscriptions.ensure(WANTED) for _ in range(8)))
    assert held(served.sandbox) == sorted((kind, url, True) for kind, url in WANTED.items())


async def test_w1_a_type_the_service_refuses_stops_no_other(serve: Serve) -> None:
    served = await serve(Quirks(click_to_call_subscription="rejected"))
    with pytest.raises(BadRequestError):
        await served.client.webhook_subscriptions.ensure({"CLICK_TO_CALL": f"{BASE}/{NEW}", **WANTED})
    assert [kind for kind, _, _ in held(served.sandbox)] == sorted(WANTED)


async def test_a_refused_key_stops_everything(served: Served) -> None:
    served.sandbox.fail_next(Fault(status=401), match="POST")
    with pytest.raises(AuthenticationError):
        await served.client.webhook_subscriptions.ensure(WANTED)
    assert writes(served.sandbox) == 1


async def test_g11_a_create_whose_answer_is_lost_is_made_once(served: Served) -> None:
    served.sandbox.fail_next(Fault(cut="before_headers", executed=True), match="POST")
    await served.client.webhook_subscriptions.ensure(WANTED)
    assert (served.sandbox.count("POST"), len(held(served.sandbox))) == (3, 3)


async def test_g11_a_create_that_may_have_been_lost_is_told_and_the_next_run_makes_it(served: Served) -> None:
    served.sandbox.fail_next(Fault(cut="before_headers"), match="POST")
    with pytest.raises(OutcomeUnknownError):
        await served.client.webhook_subscriptions.ensure(WANTED)
    await served.client.webhook_subscriptions.ensure(WANTED)
    assert len(held(served.sandbox)) == 3


async def test_a_subscription_that_vanishes_meanwhile_is_told(served: Served) -> None:
    subscriptions = served.client.webhook_subscriptions
    (made, *_) = (await subscriptions.ensure(WANTED)).subscriptions
    change(served.sandbox, made.id, enabled=False)
    served.sandbox.fail_next(Fault(status=404), match="PUT")
    with pytest.raises(NotFoundError):
        await subscriptions.ensure(WANTED)


async def test_w10_a_callback_over_http_warns_unless_it_stays_on_this_machine(served: Served) -> None:
    with pytest.warns(InsecureCallbackWarning) as warned:
        await served.client.webhook_subscriptions.ensure({"FAX_CALL": f"http://hooks.example/{NEW}"}, dry_run=True)
    assert [each.filename for each in warned] == [__file__]
    await served.client.webhook_subscriptions.ensure({"FAX_CALL": f"http://127.0.0.1/{NEW}"}, dry_run=True)


BAD: dict[str, tuple[type[Exception], str, Any, dict[str, Any]]] = {
    "a list": (TypeError, "wanted", ["PHONE_CALL"], {}),
    "nothing": (ValueError, "wanted", {}, {}),
    "no url": (ValueError, "callback_url", {"PHONE_CALL": "hook"}, {}),
    "no type": (ValueError, "event_type", {"": BASE}, {}),
    "no address": (ValueError, "notification_email", WANTED, {"notification_email": " "}),
    "dry": (TypeError, "dry_run", WANTED, {"dry_run": "yes"}),
    "prune": (TypeError, "prune", WANTED, {"prune": 1}),
}


@pytest.mark.parametrize(("kind", "names", "wanted", "options"), BAD.values(), ids=BAD)
async def test_a_bad_argument_is_told_before_anything_is_sent(
    served: Served, kind: type[Exception], names: str, wanted: Any, options: dict[str, Any]
) -> None:
    with pytest.raises(kind, match=names):
        await served.client.webhook_subscriptions.ensure(wanted, **options)
    assert served.sandbox.requests == []
