"""A create whose answer was lost: found and returned, or said to be unknown with what is known. Real sockets."""

from __future__ import annotations

import asyncio
import pickle
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve, frozen

from tests.wire.raw_server import reply, serving, until
from voxloud_async import VoxloudClient, errors
from voxloud_async.errors import DeadlineExceededError, OutcomeUnknownError
from voxloud_async.models import ClickToCallCall
from voxloud_async.protocol.codec import unstructure
from voxloud_async.sandbox import Fault, Quirks, Sandbox, Weather
from voxloud_async.testing import answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from tests.wire.raw_server import Conversation
    from voxloud_async.wire.message import Request, Response

    Start = Callable[..., Awaitable["Served"]]

NUMBER = "+390312345678"
JOHN: dict[str, Any] = {"first_name": "John", "primary_phone": NUMBER, "company_name": "John&Associates"}
HOOK: dict[str, Any] = {"callback_url": "https://example.org/hook", "event_type": "CALL_INCOMING"}
LOST = Fault(cut="inside_headers", executed=True)
UNSENT = Fault(cut="inside_headers")


@frozen
class Served:
    client: VoxloudClient
    sandbox: Sandbox

    def contact(self, **changes: Any) -> Awaitable[Any]:
        return self.client.contacts.create(**JOHN | changes)

    def subscription(self) -> Awaitable[Any]:
        return self.client.webhook_subscriptions.create(**HOOK)

    def click_to_call(self, **changes: Any) -> Awaitable[Any]:
        directory = self.sandbox.state.directory
        asked = {
            "name": "support",
            "extension": str(directory.users[0].extension),
            "outbound_number": str(directory.dids[0].number),
        }
        return self.client.click_to_call.create(**asked | changes)

    async def elsewhere(self, name: str) -> Any:
        """The same, made by another client of this key."""
        async with VoxloudClient(self.sandbox.api_key, base_url=self.sandbox.url, rate=None) as other:
            return await CREATES[name](evolve(self, client=other))


CREATES: dict[str, Callable[[Served], Awaitable[Any]]] = {
    "contact": Served.contact,
    "subscription": Served.subscription,
    "click-to-call": Served.click_to_call,
}


class Late:
    """A transport whose first create is carried out and answered late, and whose others are lost on their way."""

    def __init__(self, made: Any) -> None:
        self.sent: list[str] = []
        self.answer = asyncio.Event()
        self._made = unstructure(made)

    async def send(self, request: Request, *, timeout: float) -> Response:  # noqa: ARG002, ASYNC109 - the contract
        self.sent.append(request.method)
        if request.method == "GET":
            long_ago = {"Date": "Thu, 01 Jan 1998 00:00:00 GMT"}
            return answer({"data": [self._made], "has_next": False}, headers=long_ago)
        if len(self.sent) > 1:
            raise errors.ResponseLostError("reset")
        await self.answer.wait()
        return answer(self._made)

    async def aclose(self) -> None:
        raise AssertionError("it is not the client's to close")


@pytest.fixture(params=["aiohttp", "httpx2"])
def transport(request: pytest.FixtureRequest) -> str:
    if request.param == "httpx2":
        pytest.importorskip("httpx2", reason="the extra [httpx2] is not installed")
    return str(request.param)


@pytest.fixture
async def start(transport: Any) -> AsyncIterator[Start]:
    """Start an empty sandbox with these options, and a client of it."""
    async with AsyncExitStack() as stack:

        async def started(**options: Any) -> Served:
            size: dict[str, Any] = {"contacts": 0, "users": 3, "groups": 1, "events": 20}
            sandbox = await stack.enter_async_context(Sandbox(**size | options))
            client = VoxloudClient(sandbox.api_key, base_url=sandbox.url, rate=None, transport=transport)
            return Served(await stack.enter_async_context(client), sandbox)

        yield started


def ids(sandbox: Sandbox) -> set[str]:
    return {*sandbox.state.contacts, *sandbox.state.subscriptions, *sandbox.state.click_to_calls}


async def unknown(create: Awaitable[Any]) -> OutcomeUnknownError:
    with pytest.raises(OutcomeUnknownError) as caught:
        await create
    assert (caught.value.attempts, caught.value.sent) == (1, True)
    return caught.value


async def resolved(error: OutcomeUnknownError) -> Any:
    assert error.resolve is not None
    return await error.resolve()


@pytest.mark.parametrize("name", CREATES)
async def test_g11_what_never_happened_is_unknown_until_it_exists(start: Start, name: str) -> None:
    served = await start()
    served.sandbox.fail_next(UNSENT, match="POST ")
    error = await unknown(CREATES[name](served))
    assert error.candidates == ()
    assert ids(served.sandbox) == set()
    assert served.sandbox.count("POST") == 1
    assert await resolved(error) is None
    made = await served.elsewhere(name)
    for _ in range(2):
        assert (await resolved(error)).id == made.id
    assert served.sandbox.count("POST") == 2


@pytest.mark.parametrize("name", ["contact", "subscription", "click-to-call"])
async def test_g11_several_alike_are_candidates(start: Start, name: str) -> None:
    served = await start()
    await served.elsewhere(name)
    served.sandbox.fail_next(LOST, match="POST ")
    error = await unknown(CREATES[name](served))
    assert {*error.candidates} == ids(served.sandbox)
    assert len(error.candidates) == 2
    assert await resolved(error) is None


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
    assert await resolved(error) is None
    assert served.sandbox.count("POST") == 3


@pytest.mark.parametrize("name", ["contact", "click-to-call"])
async def test_g11_one_thing_is_the_result_of_one_call(start: Start, name: str) -> None:
    served = await start()
    served.sandbox.fail_next(UNSENT, n=2, match="POST ")
    errors_met = [await unknown(CREATES[name](served)) for _ in range(2)]
    made = await served.elsewhere(name)
    assert [(await resolved(error)) for error in errors_met] == [made, None]
    assert (await resolved(errors_met[0])).id == made.id


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
        assert await resolved(error) is None
        wire.answer.set()
        assert (await waiting).id == first.id
        assert await resolved(error) is None
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
        assert await resolved(error) is None
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
    assert await resolved(error) is None


async def test_g11_a_contact_that_holds_more_is_not_returned(start: Start) -> None:
    served = await start()
    async with VoxloudClient(served.sandbox.api_key, base_url=served.sandbox.url, rate=None) as other:
        await evolve(served, client=other).contact(job_title="CEO")
    served.sandbox.fail_next(UNSENT, match="POST ")
    error = await unknown(served.contact())
    assert error.candidates == ()


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
    assert {(await resolved(error)).id} == ids(served.sandbox)
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
        await resolved(error)


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
    assert error.resolve is not None
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - its own
    assert copy.resolve is None
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
    assert await resolved(error) is None


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


# Rings


async def test_k9_a_ring_is_sent_once_and_its_record_found_when_it_is_there(start: Start) -> None:
    served = await start(weather=Weather(record_delay=0.4))
    made = await served.click_to_call()
    served.sandbox.fail_next(LOST, match="POST ")
    error = await unknown(served.client.click_to_call.connect(made.id, contact=NUMBER))
    assert await resolved(error) is None
    await asyncio.sleep(0.45)
    record = await resolved(error)
    assert isinstance(record, ClickToCallCall)
    assert record.call_id == served.sandbox.calls_placed[0].call_id
    assert served.sandbox.count("POST", "/api/v1/click-to-call/") == len(served.sandbox.calls_placed) == 1


async def test_k9_two_rings_of_one_number_cannot_be_told_apart(start: Start) -> None:
    served = await start()
    made = await served.click_to_call()
    served.sandbox.fail_next(LOST, match="POST ")
    error = await unknown(served.client.click_to_call.connect(made.id, contact=NUMBER))
    await served.client.click_to_call.connect(made.id, contact=NUMBER)
    assert len(served.sandbox.calls_placed) == 2
    assert await resolved(error) is None


async def test_k9_an_older_ring_is_not_taken_for_this_one(start: Start) -> None:
    served = await start()
    made = await served.click_to_call()
    await served.client.click_to_call.connect(made.id, contact=NUMBER)
    state = served.sandbox.state
    state.catch_up()
    record = state.events[state.events.ids[-1]]
    state.events.replace(record["id"], record | {"timestamp": record["timestamp"] - 10_000})
    served.sandbox.fail_next(UNSENT, match="POST ")
    error = await unknown(served.client.click_to_call.connect(made.id, contact=NUMBER))
    assert await resolved(error) is None
    assert len(served.sandbox.calls_placed) == 1


# Under every reading of the API text

READINGS = [
    quirks
    for quirks in [Quirks(), *Quirks.every()]
    if not quirks.changed()
    or {*quirks.changed()}
    & {
        "company_name",
        "name_on_get",
        "outbound_number",
        "subscription_list_type",
        "contact_filters",
        "contact_order",
        "create_status",
        "empty_fields",
        "has_next",
        "phone_search",
        "undocumented_fields",
        "enabled_on_create",
        "extension",
        "event_times",
        "error_body",
        "sort_shape",
        "number_match",
        "number_legs",
        "id_length",
    }
]


@pytest.mark.parametrize("quirks", READINGS, ids=lambda quirks: str(quirks.changed()))
async def test_g11_creates_are_found_under_every_reading(start: Start, quirks: Quirks) -> None:
    served = await start(quirks=quirks)
    await served.contact(first_name="Jane")
    for name, create in CREATES.items():
        before = ids(served.sandbox)
        posts = served.sandbox.count("POST")
        served.sandbox.fail_next(LOST, match="POST ")
        found = await create(served)
        assert {found.id} == ids(served.sandbox) - before, name
        assert served.sandbox.count("POST") == posts + 1
