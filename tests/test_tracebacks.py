"""No error of the package shows a body, a name, a number or the key: in no frame, cause, context, text or repr."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.tracebacks import frames, leaks, links, of_the_package
from tests.virtual_time import run_virtual
from voxloud_async import RetryPolicy, VoxloudClient
from voxloud_async._clock import LoopClock
from voxloud_async._tracebacks import without_frames
from voxloud_async.errors import (
    ArgumentTypeError,
    InvalidArgumentError,
    OutcomeUnknownError,
    RequestNotSentError,
    ResponseLostError,
    VoxloudError,
    WebhookError,
)
from voxloud_async.frames import ContactFrame
from voxloud_async.models import Contact, PhoneNumber
from voxloud_async.protocol import codec
from voxloud_async.protocol.page import Page
from voxloud_async.testing import answer
from voxloud_async.webhooks import parse_webhook
from voxloud_async.wire.message import Request, Response

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

KEY = "key-0123456789abcdef"
NUMBER, OTHER_NUMBER = "390312345678", "390387654321"
NAME, EMAIL, COMPANY = "Annabella", "anna@example.org", "Rossi & Figli"
HOOK = "https://hooks.example.com/secret-token-0123456789abcdef"
SECRETS = (KEY, NUMBER, OTHER_NUMBER, NAME, EMAIL, COMPANY, "secret-token", "Bianchi", "12345678")

ANNA: Any = {"first_name": NAME, "primary_phone": f"+{NUMBER}", "primary_email": EMAIL, "company_name": COMPANY}
ROW = {"id": "7", "first_name": "Bianchi", "primary_phone": f"+{OTHER_NUMBER}", "created_at": "2026-01-02T03:04:05Z"}
DAY = datetime(2026, 1, 2, tzinfo=UTC)


class Always:
    """A transport that gives every request the same answer."""

    def __init__(self, fault: Callable[[Request], Any]) -> None:
        self._fault = fault
        self.requests = 0

    async def send(self, request: Request, *, timeout: float) -> Response:  # noqa: ASYNC109 - the contract
        self.requests += 1
        await asyncio.sleep(0)
        outcome = self._fault(request)
        if outcome is None:  # silence
            await asyncio.sleep(timeout)
            raise ResponseLostError("no answer", phase="headers")
        if isinstance(outcome, Exception):
            raise outcome
        return outcome  # type: ignore[no-any-return]

    async def aclose(self) -> None: ...


def refusal(status: int) -> Callable[[Request], Response]:
    """An error that quotes what was sent, and has a row of another contact."""

    def refuse(request: Request) -> Response:
        sent = (request.body or b"").decode() + request.url.partition("?")[2]
        body = {"message": f"not so: {sent} with {KEY}", "row": ROW}
        return answer(body, status=status, headers={"Location": f"https://evil.example/{NUMBER}"})

    return refuse


FAULTS: dict[str, Callable[[Request], Any]] = {
    "no JSON": lambda _: answer(json.dumps([ROW]).encode()[:-5]),
    "text": lambda _: answer(f"Bianchi, +{OTHER_NUMBER}".encode()),
    "HTML": lambda _: answer(f"<html><title>Welcome</title>{json.dumps(ROW)}</html>".encode()),
    "nothing": lambda _: answer(),
    "a number": lambda _: answer(12345678),
    "other rows": lambda _: answer({"data": [ROW, ROW | {"id": 7}], "content": [{"id": [ROW]}], "has_next": False}),
    "rows in a row": lambda _: answer([[ROW]]),
    "an object of another kind": lambda _: answer({"callback_url": HOOK, "row": ROW}),
    "an error": lambda _: answer({"error": {"message": "quota exceeded"}, "row": ROW}),
    "not the whole list": lambda _: answer({"data": [], "has_next": True, "row": ROW}),
    "nested": lambda _: answer(
        b'{"data": [' + json.dumps(ROW).encode()[:-1] + b', "a":' + b"[" * 80 + b"]" * 80 + b"}]}"
    ),
    "a long number": lambda _: answer(b'{"data": [{"id": "Bianchi", "x": 1e999}]}'),
    "half of a pair": lambda _: answer(b'{"data": [{"id": "Bianchi\\ud800"}]}'),
    "no UTF-8": lambda _: answer(f'{{"id": "Bianchi +{OTHER_NUMBER} '.encode() + b"\xff"),
    "not sent": lambda _: RequestNotSentError("no connection"),
    "lost": lambda _: ResponseLostError("reset"),
    "silence": lambda _: None,
    **{str(status): refusal(status) for status in (302, 400, 401, 403, 404, 405, 406, 409, 429, 500, 503)},
}


async def last(items: AsyncIterator[Any]) -> Any:
    async with aclosing(items) as held:  # type: ignore[type-var]
        return [item async for item in held]


async def outcome_of(run: Any) -> Any:
    async for outcome in run:
        if outcome.error is not None:
            raise outcome.error
    return run.summary


def search(client: VoxloudClient) -> Any:
    return client.contacts.search(first_name=NAME, phone=f"+{NUMBER}", email=EMAIL)


def query(client: VoxloudClient) -> Any:
    return client.telephony_events.query(number=NUMBER, date_time_from=DAY)


async def first_notice(client: VoxloudClient) -> Any:
    """The first notice, or the error that ends the watch; through what passes it goes on, here for an hour at most."""
    async with asyncio.timeout(3600), aclosing(client.webhook_subscriptions.watch(every=1800.0)) as notices:
        return await anext(notices)


CONTACT = Contact(id="7", first_name=NAME, primary_phone=f"+{NUMBER}")
SUBSCRIPTION: Any = {"callback_url": HOOK, "event_type": "PHONE_CALL", "notification_email": EMAIL}
CLICK: Any = {"name": COMPANY, "extension": "101", "outbound_number": f"+{NUMBER}"}

OPERATIONS: dict[str, Callable[[VoxloudClient], Awaitable[Any]]] = {
    "validate_auth": lambda client: client.validate_auth(),
    "is_authenticated": lambda client: client.is_authenticated(),
    "request": lambda client: client.request("POST", "/api/v1/other", query={"phone": NUMBER}, body=ANNA),
    "request a page": lambda client: client.request("GET", "/api/v1/contacts", query={"phone": NUMBER}),
    "contacts.create": lambda client: client.contacts.create(**ANNA),
    "contacts.get": lambda client: client.contacts.get("7"),
    "contacts.update": lambda client: client.contacts.update("7", **ANNA),
    "contacts.patch": lambda client: client.contacts.patch("7", first_name=NAME),
    "contacts.update_if_unchanged": lambda client: client.contacts.update_if_unchanged(CONTACT, first_name=NAME),
    "contacts.delete": lambda client: client.contacts.delete("7"),
    "contacts.create_many": lambda client: outcome_of(client.contacts.create_many([ANNA])),
    "contacts.update_many": lambda client: outcome_of(client.contacts.update_many([("7", ANNA)])),
    "contacts.delete_many": lambda client: outcome_of(client.contacts.delete_many(["7"])),
    "contacts.search": lambda client: search(client).collect(),
    "contacts.search first": lambda client: search(client).first(),
    "contacts.search pages": lambda client: last(search(client).pages()),
    "contacts.search raw": lambda client: last(search(client).pages(raw=True)),
    "contacts.search iterated": lambda client: last(aiter(search(client))),
    "contacts.search framed": lambda client: ContactFrame.read(search(client)),
    "contacts.find": lambda client: client.contacts.find(phone=f"+{NUMBER}", email=EMAIL),
    "users.list": lambda client: client.users.list(),
    "webhook_subscriptions.create": lambda client: client.webhook_subscriptions.create(**SUBSCRIPTION),
    "webhook_subscriptions.update": lambda client: client.webhook_subscriptions.update("7", **SUBSCRIPTION),
    "webhook_subscriptions.get": lambda client: client.webhook_subscriptions.get("7"),
    "webhook_subscriptions.delete": lambda client: client.webhook_subscriptions.delete("7"),
    "webhook_subscriptions.list": lambda client: client.webhook_subscriptions.list(),
    "webhook_subscriptions.ensure": lambda client: client.webhook_subscriptions.ensure({"PHONE_CALL": HOOK}),
    "webhook_subscriptions.watch": first_notice,
    "telephony_events.query": lambda client: query(client).collect(),
    "telephony_events.query pages": lambda client: last(query(client).pages()),
    "telephony_events.query raw": lambda client: last(query(client).pages(raw=True)),
    "telephony_events.export_csv": lambda client: last(client.telephony_events.export_csv(number=NUMBER)),
    "telephony_events.incremental": lambda client: last(client.telephony_events.incremental(number=NUMBER)),
    "telephony_events.get": lambda client: client.telephony_events.get("7"),
    "telephony_events.find_by_call_id": lambda client: client.telephony_events.find_by_call_id(f"{NUMBER}-1"),
    "click_to_call.create": lambda client: client.click_to_call.create(**CLICK),
    "click_to_call.get": lambda client: client.click_to_call.get("7"),
    "click_to_call.list": lambda client: client.click_to_call.list(),
    "click_to_call.delete": lambda client: client.click_to_call.delete("7"),
    "click_to_call.connect": lambda client: client.click_to_call.connect("7", contact=f"+{NUMBER}"),
}


def a_client(fault: Callable[[Request], Any], **options: Any) -> VoxloudClient:
    settings: dict[str, Any] = {"retry": RetryPolicy(max_attempts=2), "rate": None, "clock": LoopClock()}
    return VoxloudClient(KEY, base_url="https://voxloud.test", transport=Always(fault), **settings | options)


async def error_of(call: Callable[[VoxloudClient], Awaitable[Any]], client: VoxloudClient) -> BaseException | None:
    async with client:
        try:
            await call(client)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it must not show anything
            return error
    return None


def check(error: BaseException) -> None:
    assert leaks(error, SECRETS) == []
    assert of_the_package(error) == []


def test_every_public_method_of_the_client_is_among_the_operations() -> None:
    client = a_client(FAULTS["nothing"])
    resources = {name: value for name, value in vars(client).items() if not name.startswith("_")}
    methods = {
        f"{name}.{method}"
        for name, value in resources.items()
        for method in vars(type(value))
        if not method.startswith("_") and callable(getattr(value, method))
    }
    assert methods <= OPERATIONS.keys()


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_v1_no_error_of_an_operation_shows_anything(operation: str, fault: str) -> None:
    error = run_virtual(error_of(OPERATIONS[operation], a_client(FAULTS[fault])))
    if error is None:  # a delete, for instance, takes any answer of success
        assert fault not in {"not sent", "lost", "silence", "400", "500"} or operation == "webhook_subscriptions.watch"
        return
    assert isinstance(error, VoxloudError | TimeoutError)
    check(error)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_v1_neither_does_a_call_that_its_caller_ends(operation: str) -> None:
    async def main(client: VoxloudClient) -> BaseException | None:
        async def impatient(client: VoxloudClient) -> None:
            async with asyncio.timeout(5):
                await OPERATIONS[operation](client)

        return await error_of(impatient, client)

    error = run_virtual(main(a_client(FAULTS["silence"])))
    assert isinstance(error, TimeoutError)
    check(error)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("fault", ["429", "500", "silence", "not sent"])
def test_v1_nor_one_whose_time_is_up(operation: str, fault: str) -> None:
    client = a_client(FAULTS[fault], max_wait=2.0, retry=RetryPolicy())
    error = run_virtual(error_of(OPERATIONS[operation], client))
    if error is not None:
        check(error)


@pytest.mark.parametrize("operation", ["contacts.create", "webhook_subscriptions.create", "click_to_call.create"])
@pytest.mark.parametrize("fault", ["lost", "500", "rows in a row"])
def test_v1_nor_looking_once_more(operation: str, fault: str) -> None:
    client = a_client(FAULTS[fault])

    async def main() -> BaseException:
        with pytest.raises(OutcomeUnknownError) as caught:
            await OPERATIONS[operation](client)
        assert caught.value.resolve is not None
        with pytest.raises(VoxloudError) as again:
            await caught.value.resolve()
        return again.value

    assert leaks(run_virtual(main()), SECRETS) == []


@pytest.mark.parametrize("operation", OPERATIONS)
def test_v1_nor_one_of_a_closed_client(operation: str) -> None:
    async def main(client: VoxloudClient) -> BaseException | None:
        await client.aclose()
        try:
            await OPERATIONS[operation](client)
        except VoxloudError as error:
            return error
        return None

    error = run_virtual(main(a_client(FAULTS["lost"])))
    assert error is not None
    check(error)


BAD: dict[str, tuple[str, Callable[[VoxloudClient], Any]]] = {
    "field of a contact": ("phones", lambda client: client.contacts.create(**ANNA, phones=[NUMBER, ""])),
    "name": ("first_name", lambda client: client.contacts.create(**ANNA | {"first_name": [NAME]})),
    "no phone": ("primary_phone", lambda client: client.contacts.create(first_name=NAME)),  # type: ignore[call-arg]
    "unknown field": ("nickname", lambda client: client.contacts.update("7", **ANNA | {"nickname": NAME})),
    "changes": ("last_name", lambda client: client.contacts.patch("7", last_name=[NAME])),  # type: ignore[arg-type]
    "no changes": ("fields", lambda client: client.contacts.patch("7")),
    "id": ("id", lambda client: client.contacts.get(f"{NAME}/{NUMBER}")),
    "no contact": ("contact", lambda client: client.contacts.update_if_unchanged([CONTACT, NAME], last_name=NAME)),  # type: ignore[arg-type]
    "item": ("primary_phone", lambda client: outcome_of(client.contacts.create_many([{"first_name": NAME}]))),
    "items": ("items", lambda client: client.contacts.create_many(NUMBER)),
    "option": ("option", lambda client: client.contacts.create_many([ANNA], option=NAME)),  # type: ignore[call-arg]
    "search": ("phone", lambda client: client.contacts.search(first_name=NAME, phone=[NUMBER])),  # type: ignore[arg-type]
    "page size": ("page_size", lambda client: client.contacts.search(first_name=NAME, page_size=101)),
    "most items": ("max_items", lambda client: client.contacts.search(first_name=NAME, max_items=-1)),
    "look-ahead": ("prefetch", lambda client: client.contacts.search(first_name=NAME, prefetch=0)),
    "cursor": ("cursor", lambda client: client.contacts.search(first_name=NAME, cursor=NAME)),
    "find": ("phone", lambda client: client.contacts.find(phone=[NUMBER])),  # type: ignore[arg-type]
    "find nothing": ("phone", lambda client: client.contacts.find()),
    "naive time": (
        "date_time_from",
        lambda client: client.telephony_events.query(number=NUMBER, date_time_from=DAY.replace(tzinfo=None)),
    ),
    "times": (
        "date_time_from",
        lambda client: client.telephony_events.query(
            number=NUMBER, date_time_from=DAY, date_time_to=DAY - timedelta(1)
        ),
    ),
    "order": ("sort", lambda client: client.telephony_events.export_csv(number=NUMBER, sort=NAME)),
    "state": ("state", lambda client: client.telephony_events.incremental(NAME, number=NUMBER)),
    "lag": ("lag", lambda client: client.telephony_events.incremental(number=NUMBER, lag=-1)),
    "call id": ("call_id", lambda client: client.telephony_events.find_by_call_id([NUMBER])),  # type: ignore[arg-type]
    "callback": (
        "callback_url",
        lambda client: client.webhook_subscriptions.create(**SUBSCRIPTION | {"callback_url": f"{HOOK}#x"}),
    ),
    "event type": (
        "event_type",
        lambda client: client.webhook_subscriptions.create(**SUBSCRIPTION | {"event_type": [NAME]}),
    ),
    "address": (
        "notification_email",
        lambda client: client.webhook_subscriptions.update("7", **SUBSCRIPTION | {"notification_email": [EMAIL]}),
    ),
    "wanted": ("wanted", lambda client: client.webhook_subscriptions.ensure([HOOK])),  # type: ignore[arg-type]
    "seconds": ("every", lambda client: client.webhook_subscriptions.watch(every=-1)),
    "click": ("outbound_number", lambda client: client.click_to_call.create(**CLICK | {"outbound_number": [NUMBER]})),
    "extension": ("extension", lambda client: client.click_to_call.create(**CLICK | {"extension": [NUMBER]})),
    "dial first": ("dial_first", lambda client: client.click_to_call.create(**CLICK, dial_first=NAME)),  # type: ignore[arg-type]
    "connect": ("contact", lambda client: client.click_to_call.connect("7", contact=[NUMBER])),  # type: ignore[arg-type]
    "method": ("method", lambda client: client.request(NAME, "/api/v1/contacts", body=ANNA)),
    "path": ("path", lambda client: client.request("GET", f"/api/v1/../{NAME}", query={"phone": NUMBER})),
    "query": ("query", lambda client: client.request("GET", "/api/v1/contacts", query={"phone": [NUMBER]})),  # type: ignore[dict-item]
    "key of the query": ("query", lambda client: client.request("GET", "/api/v1/contacts", query={"\ud800": NUMBER})),
    "body": ("body", lambda client: client.request("POST", "/api/v1/contacts", body={"phone": {NUMBER}})),
    "body with half of a pair": (
        "body",
        lambda client: client.request("POST", "/x", body={"phone": f"{NUMBER}\ud800"}),
    ),
    "body that is no number": ("body", lambda client: client.request("POST", "/x", body=[NUMBER, float("nan")])),
    "time allowed": ("timeout", lambda client: client.with_options(timeout=0)),
    "unknown option": ("patience", lambda client: client.with_options(patience=1)),  # type: ignore[call-arg]
    "phone number": ("raw", lambda _: PhoneNumber.parse([NUMBER])),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("bad", BAD)
def test_v1_a_bad_argument_is_named_and_not_shown(bad: str) -> None:
    name, call = BAD[bad]

    async def calling(client: VoxloudClient) -> None:
        made = call(client)
        if hasattr(made, "__await__"):
            await made

    client = a_client(FAULTS["lost"])
    transport: Any = client._session._own_transport
    error = run_virtual(error_of(calling, client))
    assert isinstance(error, InvalidArgumentError | ArgumentTypeError)
    assert isinstance(error, ValueError) is not isinstance(error, TypeError)
    assert error.argument == name
    assert str(error) == f"{error.place} {error.reason}"
    assert transport is None
    if bad != "phone number":
        check(error)


DELIVERIES = {
    "no JSON": json.dumps({"type": "PHONE_CALL", "data": ROW}).encode()[:-2],
    "no type": json.dumps({"data": ROW}).encode(),
    "a long number": json.dumps({"type": "PHONE_CALL", "data": ROW, "x": 2**70}).encode(),
    "nested": b'{"type": "Bianchi", "data": ' + b"[" * 40 + b"]" * 40 + b"}",
    "large": b'{"type": "Bianchi"}' + b" " * 600_000,
}


@pytest.mark.parametrize("body", DELIVERIES.values(), ids=DELIVERIES)
def test_v1_no_error_of_a_delivery_shows_it(body: bytes) -> None:
    with pytest.raises(WebhookError) as caught:
        parse_webhook(body)
    check(caught.value)


PAGES = [fault for fault in FAULTS if not fault.isdigit() and fault not in {"not sent", "lost", "silence"}]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("read", [ContactFrame.from_pages, lambda pages: codec.decode(pages[0], Page[Contact])])
def test_v1_no_error_of_a_page_shows_it(page: str, read: Callable[[list[bytes]], Any]) -> None:
    body = FAULTS[page](Request(method="GET", url="https://voxloud.test/")).body
    try:
        read([body])
    except VoxloudError as error:
        check(error)


@without_frames
class Service:
    """What is decorated, as far as it is public."""

    answers = 0

    @property
    def name(self) -> str:
        raise VoxloudError("no name")

    @classmethod
    def made(cls) -> Service:
        raise VoxloudError("not made")

    async def read(self) -> str:
        try:
            return str(int(NAME))
        except ValueError:
            raise VoxloudError("lost") from None

    async def rows(self) -> AsyncIterator[int]:
        yield 1
        raise VoxloudError("cut") from ValueError(NAME)

    def _private(self) -> None:
        raise VoxloudError("inner")


def frames_of(error: BaseException) -> list[str]:
    return [frame.f_code.co_qualname for frame in frames(error)]


async def test_the_public_methods_of_a_class_leave_no_frames() -> None:
    service, here = Service(), "test_the_public_methods_of_a_class_leave_no_frames"
    with pytest.raises(VoxloudError) as made:
        Service.made()
    with pytest.raises(VoxloudError) as read:
        await service.read()
    with pytest.raises(VoxloudError) as cut:
        assert [row async for row in service.rows()] == [1]
    for caught in (made, read, cut):
        assert {*frames_of(caught.value)} <= {here, f"{here}.<locals>.<listcomp>"}
    assert read.value.__context__ is None  # which was not to be shown
    assert repr(cut.value.__cause__) == f"ValueError('{NAME}')"
    for inner in (lambda: service.name, service._private):
        with pytest.raises(VoxloudError) as caught:
            inner()
        assert frames_of(caught.value)[-1] in {"Service.name", "Service._private"}


def test_what_the_caller_was_handling_stays_as_it_is() -> None:
    def handling() -> None:
        try:
            vars(Service)["mine"]
        except KeyError:
            Service.made()

    with pytest.raises(VoxloudError) as caught:
        handling()
    context = caught.value.__context__
    assert isinstance(context, KeyError)
    assert context.__traceback__ is not None


def test_the_search_for_leaks_finds_them() -> None:
    """Else the tests above would prove nothing."""
    scope: dict[str, Any] = {"__name__": "voxloud_async.made_up"}
    exec("def read(row):\n    raise KeyError('id')", scope)  # noqa: S102 - a frame that is none of this file
    with pytest.raises(KeyError) as caught:
        scope["read"](ROW)
    error = caught.value
    assert of_the_package(error) == ["voxloud_async.made_up.read"]
    assert leaks(error, SECRETS) == ["read: row"]
    error.__context__ = ValueError(NAME)
    error.__cause__ = ExceptionGroup("several", [RuntimeError(EMAIL)])
    assert len([*links(error)]) == 4
    assert leaks(error, [NAME]) == [NAME, f"ValueError('{NAME}')"]
    assert f"RuntimeError('{EMAIL}')" in leaks(error, [EMAIL])


async def test_a_decorated_generator_ends_as_it_would_alone() -> None:
    @without_frames
    async def numbers() -> AsyncGenerator[int, None]:
        yield 1
        yield 2

    assert [number async for number in numbers()] == [1, 2]
