"""Neither the key nor anything personal leaves a transport but on the wire."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING

import pytest

from tests.wire.raw_server import answers, chunked, reply, serving
from voxloud_async.errors import TransportError
from voxloud_async.wire.message import Headers, Request

if TYPE_CHECKING:
    from tests.wire.raw_server import Conversation
    from voxloud_async.wire.transport import Transport

SECRETS = ("key-0123456789", "+390312345678", "390312345678", "jane@example.com", "session=abc")


async def closing(conversation: Conversation) -> None:
    await conversation.hear()


async def silent(conversation: Conversation) -> None:
    await conversation.hear()
    await conversation.hold()


FAULTS = {
    "closed": closing,
    "silent": silent,
    "garbage": answers(b"jane@example.com +390312345678\r\n\r\n"),
    "bad header": answers(b"HTTP/1.1 200 OK\r\nX-Who\x00: jane@example.com\r\n\r\n"),
    "cut": answers(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\nConnection: close\r\n\r\njane@example.com"),
    "bad coding": answers(reply(b"jane@example.com", headers=("Content-Encoding: gzip",))),
    "unknown coding": answers(reply(b"", headers=("Content-Encoding: jane@example.com",))),
    "too large": answers(chunked(b"jane@example.com" * 10)),
    "fine": answers(reply(b"jane@example.com", headers=("Set-Cookie: session=abc",))),
    "refused": None,
    "unusable": None,
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_no_secret_in_errors_or_logs(transport: Transport, fault: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with serving(FAULTS[fault] or silent) as server:
        url = {"refused": "http://127.0.0.1:1", "unusable": "http://[::1"}.get(fault, server.url(""))
        request = Request(
            method="POST",
            url=f"{url}/contacts?phone=%2B390312345678&email=jane@example.com",
            headers=Headers({"Voverc-Auth": "key-0123456789"}),
            body=b'{"primary_phone": "+390312345678"}',
            max_body=100,
        )
        try:
            told = repr(await transport.send(request, timeout=0.1))
        except TransportError as error:
            told = _everything(error)
    for secret in SECRETS:
        assert secret not in told
        assert secret not in caplog.text


def _everything(error: TransportError) -> str:
    assert error.__cause__ is None
    assert error.__context__ is None or error.__suppress_context__
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "".join([*shown.format(), str(error), repr(error), repr(error.__dict__)])
