"""A create whose answer was lost: found and returned, or said to be unknown with what is known. Real sockets."""

from __future__ import annotations

import asyncio
import pickle
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from tests.resources.outcome.losing import (
    CREATES,
    HOOK,
    JOHN,
    LOST,
    NUMBER,
    UNSENT,
    Late,
    Served,
    ids,
    unknown,
)
from tests.wire.raw_server import reply, serving, until
from voxloud_async import VoxloudClient, errors
from voxloud_async.errors import DeadlineExceededError, OutcomeUnknownError
from voxloud_async.sandbox import Fault, Quirks

if TYPE_CHECKING:
    from tests.resources.outcome.losing import Start
    from tests.wire.raw_server import Conversation


@pytest.mark.parametrize("name", CREATES)
async def test_g11_what_never_happened_is_unknown_until_it_exists(start: Start, name: str) -> None:
    served = await start()
    served.sandbox.fail_next(UNSENT, match="POST ")
    error = await unknown(CREATES[name](served))
    assert error.candidates == ()
    assert ids(served.sandbox) == set()
    assert served.sandbox.count("POST") == 1
    assert await error.resolve() is None
    made = await served.elsewhere(name)
    for _ in range(2):
        assert (await error.resolve()).id == made.id
    assert served.sandbox.count("POST") == 2


@pytest.mark.parametrize("name", ["contact", "subscription", "click-to-call"])
async def test_g11_several_alike_are_candidates(start: Start, name: str) -> None:
    served = await start()
    await served.elsewhere(name)
    served.sandbox.fail_next(LOST, match="POST ")
    error = await unknown(CREATES[name](served))
    assert {*error.candidates} == ids(served.sandbox)
    assert len(error.candidates) == 2
    assert await error.resolve() is None


@pytest.mark.parametrize("name", ["contact", "click-to-call"])
async def test_g11_what_another_call_of_the_client_made_is_not_taken(start: Start, name: str) -> None:
    served = await start()
    first = await CREATES[name](served)
    served.sandbox.fail_next(LOST, match="POST ")
    second = await CREATES[name](served)
    assert {first.id, second.id} == ids(served.sandbox)
    served.sandbox.fail_next(UNSENT, match="POST ")
    error = await unknown(CREATES[name](evolve(served, client=served.client.with_options(timeout=5.0))))
    assert error.candidates == ()
    assert await error.resolve() is None
    assert served.sandbox.count("POST") == 3


@pytest.mark.parametrize("name", ["contact", "click-to-call"])
async def test_g11_one_thing_is_the_result_of_one_call(start: Start, name: str) -> None:
    served = await start()
    served.sandbox.fail_next(UNSENT, n=2, match="POST ")
    errors_met = [await unknown(CREATES[name](served)) for _ in range(2)]
    made = await served.elsewhere(name)
    assert [(await error.resolve()) for error in errors_met] == [made, None]
    assert (await errors_met[0].resolve()).id == made.id


@pytest.mark.parametrize("name", ["contact", "click-to-call"])
async def test_g11_what_another_call_still_waits_for_is_not_taken(start: Start, name: str) -> None:
    served = await start()
    first = await CREATES[name](served)
    wire = Late(first)
    async with VoxloudClient("key", base_url="http://127.0.0.1", transport=wire) as client:
        both = evolve(served, client=client)
        waiting = asyncio.ensure_future(CREATES[name](both))
        await until(lambda: wire.sent == ["POST"])
        error = await unknown(CREATES[name](both))
        assert error.candidates == (first.id,)
        assert await error.resolve() is None
        wire.answer.set()
        assert (await waiting).id == first.id
        assert await error.resolve() is None
    assert wire.sent == ["POST", "POST", "GET", "GET", "GET"]


@pytest.mark.parametrize("first", ["run", "call"])
async def test_g11_a_run_and_a_call_do_not_get_the_same_contact(start: Start, first: str) -> None:
    wire = Late(await (await start()).contact())
    async with VoxloudClient("key", base_url="http://127.0.0.1", transport=wire) as client:

        async def run() -> Any:
            (outcome,) = await client.contacts.create_many([JOHN]).collect()
            return outcome.error or outcome.result

        async def call() -> Any:
            (result,) = await asyncio.gather(client.contacts.create(**JOHN), return_exceptions=True)
            return result

        one, other = (run, call) if first == "run" else (call, run)
        waiting = asyncio.ensure_future(one())
        await until(lambda: wire.sent == ["POST"])
        error = await other()
        assert isinstance(error, OutcomeUnknownError)
        wire.answer.set()
        made = await waiting
        assert error.candidates == (made.id,)
        assert await error.resolve() is None
    assert wire.sent.count("POST") == 2


@pytest.mark.parametrize("name", ["subscription", "click-to-call"])
async def test_g11_one_that_was_there_before_and_does_the_same_serves(start: Start, name: str) -> None:
    served = await start()
    old = await served.elsewhere(name)
    served.sandbox.fail_next(UNSENT, match="POST ")
    assert (await CREATES[name](served)).id == old.id
    assert ids(served.sandbox) == {old.id}
    assert served.sandbox.count("POST") == 2


async def test_g11_a_subscription_of_this_client_serves_as_well(start: Start) -> None:
    served = await start()
    old = await served.subscription()
    served.sandbox.fail_next(UNSENT, match="POST ")
    assert (await served.subscription()).id == old.id
    assert ids(served.sandbox) == {old.id}


async def test_g11_a_subscription_that_serves_otherwise_is_not_returned(start: Start) -> None:
    served = await start()
    subscriptions = served.client.webhook_subscriptions
    off = await subscriptions.create(**HOOK, notification_email="b@example.org")
    await subscriptions.update(off.id, **HOOK, enabled=False)
    await subscriptions.create(**HOOK | {"notification_email": "a@example.org"})
    await subscriptions.create(**HOOK | {"event_type": "CALL_HANGUP"})
    served.sandbox.fail_next(UNSENT, match="POST ")
    error = await unknown(subscriptions.create(**HOOK, notification_email="b@example.org"))
    assert error.candidates == ()
    served.sandbox.fail_next(LOST, match="POST ")
    made = await subscriptions.create(**HOOK, notification_email="b@example.org")
    assert made.notification_email == "b@example.org"


async def test_g11_a_click_to_call_that_serves_otherwise_is_not_returned(start: Start) -> None:
    served = await start()
    async with VoxloudClient(served.sandbox.api_key, base_url=served.sandbox.url, rate=None) as other:
        theirs = evolve(served, client=other)  # what this client made is none of its creates' anyway
        await theirs.click_to_call(dial_first="contact")
        await theirs.click_to_call(name="sales")
        await theirs.click_to_call(extension=str(served.sandbox.state.directory.users[1].extension))
    served.sandbox.fail_next(UNSENT, match="POST ")
    error = await unknown(served.click_to_call(dial_first="extension"))
    assert error.candidates == ()
    served.sandbox.fail_next(LOST, match="POST ")
    made = await served.click_to_call(dial_first="extension")
    assert {made.id} < ids(served.sandbox)


async def test_k2_a_click_to_call_with_another_number_is_a_candidate(start: Start) -> None:
    served = await start()
    served.sandbox.fail_next(LOST, match="POST ")
    error = await unknown(served.click_to_call(outbound_number="+39123456789"))
    assert {*error.candidates} == ids(served.sandbox)
    assert len(error.candidates) == 1
    assert await error.resolve() is None


async def test_g11_a_contact_that_holds_more_is_a_candidate(start: Start) -> None:
    served = await start()
    async with VoxloudClient(served.sandbox.api_key, base_url=served.sandbox.url, rate=None) as other:
        theirs = await evolve(served, client=other).contact(job_title="CEO")
    served.sandbox.fail_next(UNSENT, match="POST ")
    error = await unknown(served.contact())
    assert error.candidates == (theirs.id,)  # the service may have added it
    assert await error.resolve() is None


CLOCKS = {
    "constant": (Quirks(contact_created_at="constant"), {}),
    "constant, in the future": (Quirks(contact_created_at="constant"), {"now": datetime(2020, 1, 1, tzinfo=UTC)}),
    "behind": (Quirks(contact_created_at="behind"), {}),
    "ahead": (Quirks(contact_created_at="ahead"), {}),
    "minute": (Quirks(contact_created_at="minute"), {"now": datetime(2026, 6, 30, 16, 0, 40, tzinfo=UTC)}),
    "absent": (Quirks(contact_created_at="absent"), {}),
    "no date": (Quirks(date_header="blank"), {}),
}


@pytest.mark.parametrize("clock", CLOCKS)
async def test_c18_whatever_the_clocks_an_equal_contact_is_never_nothing_and_never_surely_ours(
    start: Start, clock: str
) -> None:
    quirks, options = CLOCKS[clock]
    served = await start(quirks=quirks, **options)
    old = await served.elsewhere("contact")
    state = served.sandbox.state
    state.contacts[old.id] = evolve(state.contacts[old.id], created_at=state.clock() - 30_000)
    served.sandbox.fail_next(UNSENT, match="POST ")
    error = await unknown(served.contact())
    assert error.candidates == (old.id,)
    served.sandbox.fail_next(LOST, match="POST ")
    error = await unknown(served.contact())
    assert {*error.candidates} == {*served.sandbox.state.contacts}
    assert len(error.candidates) == 2
    assert served.sandbox.count("POST") == 3


async def test_g11_of_two_lost_creates_each_gets_what_only_it_can_have_made(start: Start) -> None:
    served = await start()
    served.sandbox.fail_next(LOST, n=2, match="POST ")
    served.sandbox.fail_next(Fault(status=404), n=2, match="GET ")
    jane, john = [await unknown(served.contact(first_name=name)) for name in ("Jane", "John")]
    assert (await john.resolve()).first_name == "John"
    assert (await jane.resolve()).first_name == "Jane"
    assert served.sandbox.count("POST") == 2


async def test_g11_an_older_contact_is_not_taken_for_the_new_one(start: Start) -> None:
    served = await start()
    old = await served.contact()
    held = served.sandbox.state.contacts[old.id]
    served.sandbox.state.contacts[old.id] = evolve(held, created_at=held.created_at - 10_000)
    served.sandbox.fail_next(UNSENT, match="POST ")
    error = await unknown(served.contact())
    assert error.candidates == ()
    served.sandbox.fail_next(LOST, match="POST ")
    assert (await served.contact()).id != old.id


async def test_g11_a_contact_made_long_after_the_call_is_a_candidate_and_not_its_result(start: Start) -> None:
    served = await start()
    served.sandbox.fail_next(UNSENT, match="POST ")
    error = await unknown(served.contact())
    later = await served.elsewhere("contact")
    held = served.sandbox.state.contacts[later.id]
    served.sandbox.state.contacts[later.id] = evolve(held, created_at=held.created_at + 60_000)
    assert await error.resolve() is None
    assert error.candidates == (later.id,)


async def test_g11_a_contact_that_differs_is_not_the_new_one(start: Start) -> None:
    served = await start()
    for changes in ({"company_name": "Else"}, {"last_name": "Doe", "first_name": "Jane"}, {"company_name": None}):
        await served.contact(**changes)
    served.sandbox.fail_next(UNSENT, match="POST ")
    assert (await unknown(served.contact())).candidates == ()


@pytest.mark.parametrize("name", CREATES)
async def test_g11_a_look_that_fails_leaves_it_unknown(start: Start, name: str) -> None:
    served = await start()
    served.sandbox.fail_next(LOST, match="POST ")
    served.sandbox.fail_next(Fault(status=404), match="GET ")
    error = await unknown(CREATES[name](served))
    assert isinstance(error.__cause__, errors.ResponseLostError)
    assert error.candidates == ()
    assert {(await error.resolve()).id} == ids(served.sandbox)
    assert served.sandbox.count("POST") == 1


@pytest.mark.parametrize("name", CREATES)
async def test_g11_the_bound_of_a_call_holds_for_create_and_look_together(start: Start, name: str) -> None:
    served = await start()
    served.sandbox.fail_next(evolve(LOST, delay=0.2), match="POST ")
    served.sandbox.fail_next(Fault(status=503), n=50, match="GET ")
    bounded = Served(served.client.with_options(max_wait=0.6), served.sandbox)
    error = await unknown(CREATES[name](bounded))
    assert served.sandbox.requests[-1].at - served.sandbox.requests[0].at < 0.6 + 0.3
    assert served.sandbox.count("POST") == 1
    assert isinstance(error.__cause__, errors.ResponseLostError)
    with pytest.raises(DeadlineExceededError):  # resolve has a time of its own, and no more than that
        await error.resolve()


@pytest.mark.parametrize("name", CREATES)
async def test_t16_cancelled_while_it_looks(start: Start, name: str) -> None:
    served = await start()
    served.sandbox.fail_next(LOST, match="POST ")
    served.sandbox.fail_next(Fault(delay=30.0), match="GET ")
    call = asyncio.ensure_future(CREATES[name](served))
    await until(lambda: served.sandbox.count("GET") == 1)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert served.sandbox.count("POST") == 1


async def test_an_unknown_outcome_can_be_pickled_without_its_look(start: Start) -> None:
    served = await start()
    await served.subscription()
    served.sandbox.fail_next(LOST, match="POST ")
    error = await unknown(served.subscription())
    assert len(error.candidates) == 2
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - its own
    with pytest.raises(errors.UsageError, match="cannot look for its result: it was pickled"):
        await copy.resolve()
    assert (copy.candidates, str(copy), copy.sent) == (error.candidates, str(error), True)
    for text in (repr(error), str(error), repr(error.__dict__["candidates"])):
        assert NUMBER not in text
        assert served.sandbox.api_key not in text


@pytest.mark.parametrize(
    "now", [datetime(1999, 1, 1, tzinfo=UTC), datetime.now(UTC) + timedelta(days=3650)], ids=["past", "future"]
)
async def test_t21_the_clocks_of_service_and_machine_may_be_years_apart(start: Start, now: datetime) -> None:
    served = await start(now=now)
    served.sandbox.fail_next(LOST, match="POST ")
    made = await served.contact()
    assert [*served.sandbox.state.contacts] == [made.id]
    served.sandbox.fail_next(UNSENT, match="POST ")
    error = await unknown(served.contact(first_name="Jane"))
    assert await error.resolve() is None


# Answers that cannot be read


@pytest.mark.parametrize("page", [b"<html>created</html>", b'{"id":', b"[]", b'{"first_name":"John"}'])
async def test_t7_a_create_whose_answer_does_not_read_is_found(transport: Any, page: bytes) -> None:
    made = b'{"id":"7","first_name":"John","primary_phone":"+390312345678","company_name":"John & Associates",'
    made += b'"created_at":"2026-06-30T16:00:00.000Z"}'

    async def script(conversation: Conversation) -> None:
        """Every create succeeds with this page for an answer; a search finds one new contact."""
        while head := await conversation.hear():
            body = page if head.startswith(b"POST") else b'{"data":[' + made + b'],"has_next":false}'
            await conversation.say(reply(body, headers=("Date: Tue, 30 Jun 2026 16:00:01 GMT",)))

    async with (
        serving(script) as server,
        VoxloudClient("key", base_url=server.url(""), rate=None, transport=transport) as client,
    ):
        assert (await client.contacts.create(**JOHN)).id == "7"
        assert [request.partition(b" ")[0] for request in server.requests] == [b"POST", b"GET"]
