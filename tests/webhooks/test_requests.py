"""W1, W2 and W3: what may come in, and what the rest is told, over real sockets."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import pytest
from aiohttp import StreamReader, web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.test_utils import make_mocked_request

from tests.webhooks.deliveries import (
    OTHER_SECRET,
    SECRET,
    call_event,
    enveloped,
    incoming,
    packed,
    receiver,
    record,
    sample,
)
from tests.webhooks.serving import MOUNT, Reply, Wire, serving
from tests.wire.raw_server import until
from voxloud_async.webhooks import WebhookReceiver
from voxloud_async.webhooks.parse import MAX_BODY


async def nothing_came_in(wire: Wire, reason: str, times: int = 1) -> None:
    """Nothing is in the inbox, and the refusals were counted."""
    assert (await wire.receiver.inbox.counts()).waiting == 0
    assert wire.receiver.stats.accepted == 0
    assert wire.receiver.stats.refused == {reason: times}


def told(reply: Reply) -> tuple[int, bytes, list[str]]:
    """What an answer gives away."""
    return reply.status, reply.body, sorted(reply.headers)


FORGED = {
    "another secret": WebhookReceiver(secret=OTHER_SECRET).token("CALL_INCOMING"),
    "another event type": WebhookReceiver(secret=SECRET).token("CALL_INCOMING").replace("INCOMING", "HANGUP"),
    "a shorter one": WebhookReceiver(secret=SECRET).token("CALL_INCOMING")[:-1],
    "a longer one": WebhookReceiver(secret=SECRET).token("CALL_INCOMING") + "A",
    "lower case": WebhookReceiver(secret=SECRET).token("CALL_INCOMING").lower(),
    "the event type alone": "CALL_INCOMING",
    "the master secret": SECRET,
    "not ASCII": "CALL_INCOMING-%C3%A9%F0%9F%93%9E",
    "no UTF-8": "%FF%FE",
    "a null": "%00",
    "as long as a path may be": "A" * 6000,
    "nothing": "",
    "a path below": "CALL_INCOMING-x/y",
}


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED)
async def test_w1_a_forged_token_is_an_unknown_path(server: str, token: str) -> None:
    async with serving(server, receiver()) as wire:
        unknown = await wire.ask(f"{MOUNT}/nobody/was/here", incoming())
        reply = await wire.ask(f"{MOUNT}/{token}", incoming(), headers={"Content-Type": "application/json"})
        assert reply.status == 404
        assert told(reply) == told(unknown)
        assert wire.receiver.stats.accepted == 0


async def test_w1_a_token_of_10_kilobytes_is_turned_away(server: str) -> None:
    async with serving(server, receiver()) as wire:
        reply = await wire.ask(f"{MOUNT}/{'A' * 10_000}", incoming())
        assert reply.status in {400, 404, 414}
        assert wire.receiver.stats.accepted == 0


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_w1_a_forged_token_learns_nothing_by_other_methods(server: str, method: str) -> None:
    async with serving(server, receiver()) as wire:
        assert (await wire.ask(f"{MOUNT}/guess", method=method)).status == 404


async def test_w1_two_secrets_live_while_one_replaces_the_other(server: str) -> None:
    rotating = receiver(secret=[OTHER_SECRET, SECRET])
    async with serving(server, rotating) as wire:
        for number, known in enumerate((receiver(), receiver(secret=OTHER_SECRET))):
            path = f"{MOUNT}/{known.token('CALL_INCOMING')}"
            reply = await wire.ask(path, incoming(f"c{number}"), headers={"Content-Type": "application/json"})
            assert reply.status == 200
        assert rotating.token("CALL_INCOMING") == receiver(secret=OTHER_SECRET).token("CALL_INCOMING")
        assert rotating.stats.accepted == 2


@pytest.mark.parametrize(
    ("event_type", "body"),
    [
        ("CALL_STARTED", enveloped(record(), "PHONE_CALL")),
        ("CALL_STARTED", packed(record())),
        ("CALL_STARTED", enveloped(record(), "CALL_STARTED")),
        ("CALL_STARTED", enveloped(call_event(phase="HANGUP"), "CALL_STARTED")),
        ("CALL_STARTED", packed(call_event(phase="HANGUP"))),
        ("FAX_CALL", packed(record())),
        ("PHONE_CALL", sample("fax")),
        ("CLICK_TO_CALL", packed(record())),
    ],
)
async def test_w1_a_token_delivers_its_own_type_alone(server: str, event_type: str, body: bytes) -> None:
    async with serving(server, receiver()) as wire:
        assert (await wire.post(body, event_type)).status == 403
        await nothing_came_in(wire, "wrong_type")


async def test_w1_click_to_call_may_come_through_the_subscription_to_phone_calls(server: str) -> None:
    async with serving(server, receiver()) as wire:
        assert (await wire.post(sample("click_to_call_record"), "PHONE_CALL")).status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_w2_only_post(server: str, method: str) -> None:
    async with serving(server, receiver()) as wire:
        reply = await wire.ask(wire.path(), method=method)
        assert (reply.status, reply.headers["allow"]) == (405, "POST")
        await nothing_came_in(wire, "method")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", "json", ""])
async def test_w2_only_json(server: str, kind: str) -> None:
    async with serving(server, receiver()) as wire:
        assert (await wire.post(incoming(), Content_Type=kind)).status == 415
        await nothing_came_in(wire, "content_type")


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "Application/JSON; charset=utf-8"},
        {"Content-Type": "application/vnd.voxloud+json"},
        {"Content-Type": "application/json", "Content-Encoding": "identity"},
        {},
    ],
)
async def test_w2_json_by_other_names_and_by_none(server: str, headers: dict[str, str]) -> None:
    async with serving(server, receiver()) as wire:
        assert (await wire.ask(wire.path(), incoming(), headers=headers)).status == 200


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "gzip, identity"])
async def test_w2_nothing_is_decompressed(server: str, coding: str) -> None:
    async with serving(server, receiver()) as wire:
        reply = await wire.post(gzip.compress(incoming()), Content_Encoding=coding)
        assert reply.status in {400, 415}  # aiohttp itself refuses a body that is not coded as it says
        assert wire.receiver.stats.accepted == 0
        reply = await wire.post(gzip.compress(b"\0" * 50_000_000), Content_Encoding="gzip")
        assert reply.status == 415


async def test_w2_a_declared_body_past_the_cap_is_not_read(server: str) -> None:
    async with serving(server, receiver()) as wire:
        reply = await wire.say(wire.head(f"Content-Length: {MAX_BODY + 1}"))
        assert (reply.status, reply.headers["connection"]) == (413, "close")
        await nothing_came_in(wire, "too_large")


async def test_w2_a_chunked_body_is_dropped_at_the_cap(server: str) -> None:
    async with serving(server, receiver()) as wire:
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        reply = await wire.say(wire.head("Transfer-Encoding: chunked"), *[chunk] * 9, pause=0.001)
        assert (reply.status, reply.headers["connection"]) == (413, "close")
        await nothing_came_in(wire, "too_large")


async def test_w2_a_body_up_to_the_cap_is_taken(server: str) -> None:
    async with serving(server, receiver()) as wire:
        body = incoming()
        assert (await wire.post(body + b" " * (MAX_BODY - len(body)))).status == 200


async def test_w2_a_slow_body_ends_with_the_timeout(server: str) -> None:
    async with serving(server, receiver(read_timeout=0.3)) as wire:
        head = wire.head("Content-Length: 500")
        started = asyncio.get_running_loop().time()
        reply = await wire.say(head, *[b" "] * 4, pause=0.02)
        assert (reply.status, reply.headers["connection"]) == (408, "close")
        assert 0.3 <= asyncio.get_running_loop().time() - started < 3.0
        await nothing_came_in(wire, "too_slow")


async def test_w2_slow_headers_reach_nobody_and_hold_up_nobody(server: str) -> None:
    async with serving(server, receiver()) as wire:
        _, slow = await asyncio.open_connection("127.0.0.1", wire.port)
        slow.write(f"POST {wire.path()} HTTP/1.1\r\nHost:".encode())
        assert (await wire.post(incoming())).status == 200
        slow.close()
        assert wire.receiver.stats.refused == {}


@pytest.mark.parametrize("end", [b"", b"zz\r\nno chunk\r\n"])
async def test_w2_a_body_that_breaks_off_is_no_delivery(server: str, end: bytes) -> None:
    async with serving(server, receiver()) as wire:
        reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
        writer.write(wire.head("Transfer-Encoding: chunked") + b"5\r\n{    \r\n")
        await asyncio.sleep(0.05)
        writer.write(end)
        await asyncio.sleep(0.05)
        writer.close()
        await until(lambda: wire.receiver.stats.refused == {"broken_off": 1})
        assert b" 200 " not in await reader.read()


async def test_w2_bodies_are_read_so_many_at_once(server: str) -> None:
    async with serving(server, receiver(max_requests=1)) as wire:
        head = wire.head("Content-Length: 500")
        _, slow = await asyncio.open_connection("127.0.0.1", wire.port)
        slow.write(head)
        await until(lambda: wire.receiver._intake._under_way == 1)
        assert (await wire.post(incoming())).status == 503
        slow.close()
        await until(lambda: wire.receiver._intake._under_way == 0)
        assert (await wire.post(incoming())).status == 200
        assert wire.receiver.stats.refused == {"busy": 1, "broken_off": 1}


UNDECODABLE: dict[str, bytes] = {
    "no JSON": b"{",
    "nothing": b"",
    "bad UTF-8": b'{"type": "\xff"}',
    "a list": b"[]",
    "no type": b"{}",
    "nested deeply": b'{"type": "X", "v": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a huge number": b'{"type": "X", "v": ' + b"9" * 100_000 + b"}",
    "NaN": b'{"type": "X", "v": NaN}',
}


@pytest.mark.parametrize("body", UNDECODABLE.values(), ids=UNDECODABLE)
async def test_w3_what_cannot_be_decoded_is_a_bad_request(server: str, body: bytes) -> None:
    async with serving(server, receiver()) as wire:
        assert (await wire.post(body)).status == 400
        await nothing_came_in(wire, "malformed" if body else "empty")


@pytest.mark.parametrize(
    "value",
    [
        {"type": "CALL_PARKED", "data": {"lot": 3}},
        {"type": "CALL_INCOMING", "data": {"callId": 5}},
        {"type": "CALL_INCOMING", "data": {}, "new": [1]},
        {"type": "PARKED", "callId": "c"},
    ],
)
async def test_w3_an_unknown_type_and_an_odd_event_are_taken(server: str, value: dict[str, Any]) -> None:
    async with serving(server, receiver(concurrency=0)) as wire:
        assert (await wire.post(packed(value))).status == 200
        assert (await wire.receiver.inbox.counts()).waiting == 1


async def test_the_answer_comes_after_the_event_is_stored_and_before_it_is_handled(server: str) -> None:
    served, handled, go = receiver(), asyncio.Event(), asyncio.Event()

    @served.on("CALL_INCOMING")
    async def wait(_event: object) -> None:
        await go.wait()
        handled.set()

    async with serving(server, served) as wire, served:
        assert (await wire.post(incoming())).status == 200
        assert (await served.inbox.counts()).waiting == 1
        assert not handled.is_set()
        go.set()
        await asyncio.wait_for(handled.wait(), 10)


@pytest.mark.parametrize(
    ("options", "body", "status"),
    [
        ({"expected_pbx_id": 117}, incoming(), 200),
        ({"expected_pbx_id": 118}, incoming(), 403),
        ({"expected_pbx_id": "117"}, incoming(), 200),
        ({"expected_pbx_id": 117}, enveloped(call_event(), pbx_id="117"), 200),
        ({"expected_pbx_id": "a-b-c"}, enveloped(call_event(), pbx_id="a-b-c"), 200),
        ({"expected_pbx_id": "a-b-c"}, enveloped(call_event(), pbx_id="a-b-d"), 403),
        ({"expected_pbx_id": 117}, enveloped(call_event(), pbx_id=[117]), 403),
        ({"expected_pbx_id": 117}, enveloped(call_event(), pbx_id=None), 200),
        ({"expected_pbx_id": 118}, packed(call_event()), 200),  # a bare one names no PBX
        ({"expected_account_id": "abc"}, packed(record(accountId="abc")), 200),
        ({"expected_account_id": "abc"}, packed(record(accountId="abd")), 403),
        ({"expected_account_id": "abc"}, packed(record()), 200),
    ],
)
async def test_deliveries_of_another_pbx_are_refused(
    server: str, options: dict[str, Any], body: bytes, status: int
) -> None:
    async with serving(server, receiver(**options)) as wire:
        event_type = "CALL_INCOMING" if b"INCOMING" in body else "PHONE_CALL"
        assert (await wire.post(body, event_type)).status == status
        assert wire.receiver.stats.refused == ({"wrong_pbx": 1} if status == 403 else {})


async def test_only_allowed_addresses_behind_a_trusted_proxy(server: str) -> None:
    behind = receiver(allow_from=["203.0.113.0/24"], trusted_proxies=["127.0.0.1"])
    async with serving(server, behind) as wire:
        assert (await wire.post(incoming(), X_Forwarded_For="203.0.113.7")).status == 200
        assert (await wire.post(incoming(), X_Forwarded_For="203.0.113.7, 198.51.100.1")).status == 404
        assert (await wire.post(incoming())).status == 404
        assert behind.stats.refused == {"source": 2}
        head = "Content-Type: application/json\r\nX-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 203.0.113.9\r\n"
        body = incoming("another")
        raw = f"POST {wire.path()} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body
        assert (await wire.say(raw)).status == 200


async def test_an_unlisted_address_is_not_found(server: str) -> None:
    async with serving(server, receiver(allow_from=["203.0.113.0/24"])) as wire:
        unknown = await wire.ask(f"{MOUNT}/nobody/was/here")
        assert told(await wire.post(incoming())) == told(unknown)
        assert wire.receiver.stats.refused["source"] >= 1


async def test_w2_a_payload_that_aiohttps_python_parser_cannot_read_is_no_delivery() -> None:
    served = receiver()
    payload = StreamReader(BaseProtocol(asyncio.get_running_loop()), 2**16)
    payload.set_exception(web.RequestPayloadError("no chunk"))
    headers = {"Content-Type": "application/json"}
    match = {"token": served.token("CALL_INCOMING")}
    request = make_mocked_request("POST", "/x", headers, match_info=match, payload=payload)
    route, _ = served.aiohttp_routes(MOUNT)
    response = await route.handler(request)
    assert response.status == 400
    assert served.stats.refused == {"broken_off": 1}
