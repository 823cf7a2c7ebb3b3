"""The key goes to its own origin, and neither it nor personal data is shown anywhere."""

from __future__ import annotations

import asyncio
import logging
import random
import traceback
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from tests.session.harness import BASE_URL, CREATE, EVERY, KEY, OK, READ, UPDATE, Wire, a_call, rig
from tests.tracebacks import of_the_package
from tests.virtual_time import run_virtual
from tests.wire.raw_server import reply, serving, until
from voxloud_async import VoxloudClient
from voxloud_async.errors import RequestNotSentError, ResponseLostError, VoxloudError
from voxloud_async.session.auth import HEADER, ApiKey, auth
from voxloud_async.session.events import fan_out
from voxloud_async.session.log import write_log
from voxloud_async.session.policy import RetryPolicy
from voxloud_async.testing import answer
from voxloud_async.wire.message import Request, Response

if TYPE_CHECKING:
    from tests.wire.raw_server import Conversation

PERSONAL = {"first_name": "Annabella", "primary_phone": "+390312345678", "primary_email": "anna@example.org"}


@pytest.mark.parametrize("operation", EVERY, ids=str)
async def test_every_request_carries_the_key_once(operation: Any) -> None:
    wire = Wire()
    await rig(wire).call(operation)
    (request,) = wire.requests
    assert [value for name, value in request.headers.pairs() if name == HEADER] == [KEY]


def test_so_does_every_repetition() -> None:
    wire = Wire(answer(status=405), answer(status=500), ResponseLostError("reset"), OK)
    run_virtual(rig(wire).call(UPDATE))
    assert len(wire.requests) == 4
    assert all([value for name, value in each.headers.pairs() if name == HEADER] == [KEY] for each in wire.requests)


@pytest.mark.parametrize(
    "url",
    [
        "https://voxloud.test.evil.example/read",
        "https://voxloud.test@evil.example/read",
        "https://voxloud.test:8443/read",
        "http://voxloud.test/read",
        "https://evil.example/?https://voxloud.test/",
        "//evil.example/",
        "https://voxloud.test",
        "",
    ],
)
async def test_g2_the_key_goes_to_no_other_origin(url: str) -> None:
    async def handler(_call: object) -> Response:
        raise AssertionError

    call = a_call()
    call.request = evolve(call.request, url=url)
    with pytest.raises(ValueError, match="the key goes to no other host"):
        await auth(handler, api_key=ApiKey(KEY), base_url=BASE_URL)(call)
    assert HEADER not in call.request.headers


@pytest.mark.parametrize("bad", ["", "with space", "line\nbreak", "käse", "tab\t", None, 57, b"bytes"])
def test_a_key_must_fit_a_header_and_is_not_quoted(bad: object) -> None:
    with pytest.raises((TypeError, ValueError), match="api_key must ") as caught:
        ApiKey(bad)
    assert isinstance(caught.value, ValueError) is isinstance(bad, str)
    shown = "".join(traceback.TracebackException.from_exception(caught.value).format_exception_only())
    assert bad is None or repr(bad) not in shown


def test_a_key_shows_itself_on_request_alone() -> None:
    key = ApiKey(KEY)
    assert (repr(key), str(key), f"{key}") == ("ApiKey(***)",) * 3
    assert key.reveal() == KEY
    assert not hasattr(key, "__dict__")


FAULTS: list[Any] = [
    answer({"message": f"{PERSONAL} is wrong, key {KEY}"}, status=400),
    answer({"message": "wrong key"}, status=401, headers={HEADER: KEY}),
    answer(f"<html><title>{KEY}</title>".encode(), status=404),
    answer(status=429),
    answer(status=500),
    answer(status=302, headers={"Location": "https://evil.example/"}),
    RequestNotSentError("refused"),
    ResponseLostError("reset"),
    KeyError("a bug"),
]


@pytest.mark.parametrize("operation", [READ, UPDATE, CREATE], ids=str)
@pytest.mark.parametrize("fault", FAULTS, ids=repr)
def test_no_error_shows_the_key(operation: Any, fault: Any) -> None:
    async def main() -> Exception:
        made = rig(Wire(fault))
        with pytest.raises((VoxloudError, KeyError)) as caught:
            await made.session.call(operation, body=PERSONAL)
        return caught.value

    error = run_virtual(main())
    trace = traceback.TracebackException.from_exception(error, capture_locals=True)
    text = "".join(trace.format())
    # A mistake of ours keeps its frames, in which locals are shown.
    assert ("api_key = ApiKey(***)" in text or "call = Call(" in text) is isinstance(error, KeyError)
    assert bool(of_the_package(error)) is isinstance(error, KeyError)
    assert KEY not in text
    for secret in (KEY, *PERSONAL.values()):
        assert secret not in f"{error} {error!r}"


def test_the_log_of_a_whole_session_shows_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    chance = random.Random(5)

    class Stormy(Wire):
        def reply(self, _request: Request) -> Any:
            return chance.choice([OK, *FAULTS[:-1], answer(status=503), answer(status=405)])

    async def main() -> None:
        made = rig(Stormy(seconds=0.1), rate=50.0)
        calls = [
            made.session.call(operation, query={"phone": PERSONAL["primary_phone"]}, body=PERSONAL)
            for operation in (*EVERY, UPDATE)
            for _ in range(30)
        ]
        await asyncio.gather(*calls, return_exceptions=True)
        tell = fan_out([write_log])
        for event in made.events:
            tell(event)

    run_virtual(main())
    lines = [record.getMessage() for record in caplog.records if record.name == "voxloud_async"]
    assert len(lines) > 500
    for secret in (KEY, *PERSONAL.values()):
        assert not [line for line in lines if secret in line]


def test_nothing_of_a_session_shows_the_key() -> None:
    wire = Wire()
    made = rig(wire)
    run_virtual(made.session.call(READ, query={"first_name": PERSONAL["first_name"]}, body=PERSONAL))
    call = a_call(retry=RetryPolicy())
    call.request = wire.requests[0]
    for shown in (repr(made.session), repr(wire.requests[0]), repr(call), repr(wire.requests[0].headers)):
        assert KEY not in shown
        assert not [secret for secret in PERSONAL.values() if secret in shown]


@pytest.fixture(params=["aiohttp", "httpx2"])
def transport(request: pytest.FixtureRequest) -> Any:
    if request.param == "httpx2":
        pytest.importorskip("httpx2", reason="the extra [httpx2] is not installed")
    return request.param


def shown_with_locals(error: BaseException) -> str:
    """The whole traceback, which has no frame of the package."""
    trace = traceback.TracebackException.from_exception(error, capture_locals=True)
    text = "".join(trace.format())
    assert of_the_package(error) == []
    return text


SAID = {
    "silence": b"",
    "cut": b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\nConnection: close\r\n\r\n{",
    "400": reply(f'{{"message": "{KEY}"}}'.encode(), status="400 Bad Request"),
    "500": reply(KEY.encode(), status="500 Server Error"),
    "redirect": reply(status="302 Found", headers=(f"Location: https://evil.example/{KEY}",)),
    "not a contact": reply(b"[]"),
    "refused": b"",
}


@pytest.mark.parametrize("fault", SAID)
async def test_t9_no_traceback_of_a_failed_call_shows_the_key(transport: Any, fault: str) -> None:
    async def script(conversation: Conversation) -> None:
        await conversation.hear()
        await conversation.say(SAID[fault])
        if fault == "silence":
            await conversation.hold()

    async with serving(script) as server:
        url = "http://127.0.0.1:1" if fault == "refused" else server.url("")
        settings = VoxloudClient(KEY, base_url=url, transport=transport, timeout=0.2, retry=RetryPolicy(max_attempts=1))
        async with settings as client:
            with pytest.raises(VoxloudError) as caught:
                await client.contacts.get("7")
    assert KEY not in shown_with_locals(caught.value)


@pytest.mark.parametrize("where", ["headers", "body", "backoff", "queue"])
async def test_t9_no_traceback_of_a_cancelled_call_shows_the_key(transport: Any, where: str) -> None:
    async def script(conversation: Conversation) -> None:
        while await conversation.hear():
            if where == "body":
                await conversation.say(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{")
            if where == "backoff":
                await conversation.say(reply(status="500 Server Error"))
            else:
                await conversation.hold()

    async with (
        serving(script) as server,
        VoxloudClient(
            KEY,
            base_url=server.url(""),
            transport=transport,
            max_concurrency=1,
            retry=RetryPolicy(base=30.0),
            chance=lambda: 1.0,
        ) as client,
    ):
        calls = [asyncio.create_task(client.contacts.find(phone="+390312345678")) for _ in range(2)]
        await until(lambda: len(server.requests) > (where == "backoff"))
        await asyncio.sleep(0.03)
        for each in calls:
            each.cancel()
        await asyncio.wait(calls)
        for each in calls[where == "queue" :]:
            with pytest.raises(asyncio.CancelledError) as caught:
                await each
            assert KEY not in shown_with_locals(caught.value)


@pytest.mark.parametrize("bad", ["key-7f3a90\n", "key-7f3a90-k\u00e4se", "key 7f3a90"])
@pytest.mark.parametrize("given", ["as an argument", "by the environment"])
def test_a_malformed_key_is_in_no_local(bad: str, given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOXLOUD_API_KEY", bad if given != "as an argument" else "")
    with pytest.raises(ValueError, match="api_key must be visible ASCII") as caught:
        VoxloudClient(bad if given == "as an argument" else None)
    own = caught.value.__traceback__
    assert own is not None
    trace = traceback.TracebackException(ValueError, caught.value, own.tb_next, capture_locals=True)
    text = "".join(trace.format())
    assert "self = " in text  # locals are shown
    assert "7f3a90" not in text
