"""Tokens, sources, notices, and the filter of access logs: pure."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from yarl import URL

from tests.webhooks.deliveries import OTHER_SECRET, SECRET, receiver
from voxloud_async.models import EventType
from voxloud_async.webhooks import TokenFilter, WebhookReceiver, notices, telling
from voxloud_async.webhooks.sources import Sources
from voxloud_async.webhooks.tokens import Tokens


def test_a_token_is_the_same_in_every_process_and_for_every_spelling_of_its_type() -> None:
    assert Tokens(SECRET).token("CALL_STARTED") == Tokens(SECRET.encode()).token(EventType.CALL_STARTED)
    assert Tokens(SECRET).token("call_started") == Tokens([SECRET, OTHER_SECRET]).token("CALL_STARTED")
    label, _, rest = Tokens(SECRET).token("CALL_STARTED").partition("-")
    assert (label, len(rest)) == ("CALL_STARTED", 43)


def test_a_token_of_a_type_that_nobody_documented() -> None:
    tokens = Tokens(SECRET)
    assert tokens.event_type(tokens.token("CALL_PARKED")) == "CALL_PARKED"


@pytest.mark.parametrize("event_type", ["a.b", "a-b", "a/b", "*", "é", "x" * 65, "", " "])
def test_what_no_token_can_be_made_for(event_type: str) -> None:
    with pytest.raises(ValueError, match="event_type must"):
        Tokens(SECRET).token(event_type)


@pytest.mark.parametrize(
    ("secret", "error", "text"),
    [
        ("short", ValueError, "at least 32 bytes"),
        (b"", ValueError, "at least 32 bytes"),
        ([], ValueError, "must not be an empty list"),
        ([SECRET, "short"], ValueError, "at least 32 bytes"),
        (None, TypeError, "not NoneType"),
        ([SECRET, 5], TypeError, "not int"),
    ],
)
def test_a_secret_is_long_enough(secret: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        WebhookReceiver(secret=secret)


def test_no_repr_shows_a_secret() -> None:
    made = receiver(secret=[SECRET, OTHER_SECRET])
    parts = [made, *vars(made).values()]
    shown = "".join(repr(part) for part in parts)
    assert SECRET not in shown
    assert OTHER_SECRET.decode() not in shown
    assert made.token("PHONE_CALL") not in shown


@pytest.mark.parametrize("base", ["https://crm.example.com/voxloud", "https://crm.example.com/voxloud/"])
def test_a_callback_url_is_the_base_and_the_token(base: str) -> None:
    made = receiver()
    assert made.callback_url(base, "PHONE_CALL") == f"https://crm.example.com/voxloud/{made.token('PHONE_CALL')}"


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "127.9.9.9:1", "[::1]:8000"])
def test_a_callback_url_on_this_machine_needs_no_tls(host: str) -> None:
    assert receiver().callback_url(f"http://{host}/hooks", "PHONE_CALL").startswith(f"http://{host}/hooks/PHONE_CALL-")


def test_a_callback_url_over_http_is_refused_unless_asked_for() -> None:
    with pytest.raises(ValueError, match="base must be https"):
        receiver().callback_url("http://crm.example.com", "PHONE_CALL")
    assert receiver().callback_url("http://crm.example.com", "PHONE_CALL", allow_insecure=True)


@pytest.mark.parametrize("base", ["crm.example.com", "https://u:p@crm.example.com", "https://x/#f", "https://x/?q"])
def test_what_is_no_base_of_a_callback_url(base: str) -> None:
    with pytest.raises(ValueError, match="base must"):
        receiver().callback_url(base, "PHONE_CALL")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"inbox": 5}, TypeError),
        ({"concurrency": -1}, ValueError),
        ({"handler_timeout": 0}, ValueError),
        ({"max_runs": 0}, ValueError),
        ({"lease": float("inf")}, ValueError),
        ({"grace": -1.0}, ValueError),
        ({"read_timeout": 0.0}, ValueError),
        ({"max_requests": 0}, ValueError),
        ({"verify_rate": 0}, ValueError),
        ({"allow_from": ["nowhere"]}, ValueError),
        ({"allow_from": "10.0.0.0/8"}, TypeError),
        ({"trusted_proxies": "10.0.0.1"}, TypeError),
        ({"expected_pbx_id": 1.5}, TypeError),
        ({"expected_account_id": 5}, TypeError),
    ],
)
def test_bad_arguments_are_named(options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error, match=next(iter(options))):
        receiver(**options)


@pytest.mark.parametrize("path", ["hooks", "/a b", "/a/../b", "/x?y"])
def test_a_path_of_routes_is_absolute(path: str) -> None:
    with pytest.raises(ValueError, match="path must"):
        receiver().aiohttp_routes(path)


def test_routes_may_be_at_the_root() -> None:
    assert [route.path for route in receiver().aiohttp_routes("/")] == ["/{token}", "/{token}/"]


OURS, TRUSTED = ["203.0.113.0/24", "2001:db8::/32"], ["10.0.0.0/8", "::1"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "admitted"),
    [
        ("203.0.113.5", "", True),
        ("::ffff:203.0.113.5", "", True),
        ("2001:db8::5", "", True),
        ("198.51.100.1", "", False),
        ("198.51.100.1", "203.0.113.5", False),  # no proxy of ours says so
        ("203.0.113.5", "198.51.100.1", True),
        ("10.1.2.3", "203.0.113.5", True),
        ("10.1.2.3", "203.0.113.5, 10.9.9.9", True),
        ("10.1.2.3", "203.0.113.5, 198.51.100.1", False),  # the left one is the sender's own word
        ("10.1.2.3", "198.51.100.1, 203.0.113.5", True),
        ("::1", " 203.0.113.5 ", True),
        ("10.1.2.3", "10.1.2.4", False),
        ("10.1.2.3", "", False),
        ("10.1.2.3", "203.0.113.5, nonsense", False),
        (None, "203.0.113.5", False),
        ("", "203.0.113.5", False),
    ],
)
def test_the_right_most_address_that_is_no_proxy_decides(peer: str | None, forwarded: str, admitted: bool) -> None:  # noqa: FBT001 - a table
    assert Sources.of(OURS, TRUSTED).admit(peer, forwarded) is admitted
    assert Sources().admit(peer, forwarded)


class Atoms(dict[str, str]):
    """What hypercorn logs: a mapping that has a dash for what is missing."""

    def __missing__(self, name: str) -> str:
        return "-"


TOKEN_OF_OURS = Tokens(SECRET).token("CALL_STARTED")


@pytest.mark.parametrize(
    ("message", "arguments", "shown"),
    [
        ('%s - "%s %s" %d', ("1.2.3.4", "POST", f"/hooks/{TOKEN_OF_OURS}", 200), '1.2.3.4 - "POST /hooks/***" 200'),
        (f'"POST /hooks/{TOKEN_OF_OURS} HTTP/1.1" 200', (), '"POST /hooks/*** HTTP/1.1" 200'),
        ("%(path)s", ({"path": f"/hooks/{TOKEN_OF_OURS}?x"},), "/hooks/***?x"),
        ("%s of %s", (1.5, "www.example.com"), "1.5 of www.example.com"),
        ("%s", (f"/hooks/{TOKEN_OF_OURS}x",), "/hooks/***"),
        ("%s", (f"/hooks/{TOKEN_OF_OURS.replace('-', '%2D')}",), "/hooks/***"),
        ("%s %s", (["GET", TOKEN_OF_OURS], URL(f"http://h/{TOKEN_OF_OURS}")), "['GET', '***'] http://h/***"),
        ("%s", ("9f4e1c3a-6c38-4f7c-8f19-6f0b6a9e51d2",), "9f4e1c3a-6c38-4f7c-8f19-6f0b6a9e51d2"),
        ("%(path)s %(none)s", (Atoms(path=TOKEN_OF_OURS),), "*** -"),
    ],
)
def test_a_log_without_tokens(message: str, arguments: Any, shown: str) -> None:
    record = logging.LogRecord("access", logging.INFO, "here", 1, message, arguments, None)
    record.__dict__["first_request_line"] = f"POST /hooks/{TOKEN_OF_OURS} HTTP/1.1"
    assert TokenFilter().filter(record)
    assert record.getMessage() == shown
    assert TOKEN_OF_OURS not in str(record.__dict__)


def test_what_is_told_is_counted_and_logged_without_the_senders_words(caplog: pytest.LogCaptureFixture) -> None:
    error, counts, log = ValueError("+390612345678"), telling.Counts(), telling.LogWriter(lambda: 0.0)
    told: list[notices.Notice] = [
        notices.Accepted("CALL_STARTED"),
        notices.Doubled("CALL_STARTED"),
        notices.Refused("token", 404),
        notices.Refused("inbox_full", 503),
        notices.Verified(found=True),
        notices.Verified(found=False),
        notices.Handled("CALL_STARTED", 1, 0.1),
        notices.Unhandled("CALL_STARTED"),
        notices.Retrying("CALL_STARTED", 1, 1.0, "ValueError", "x.py:1", error),
        notices.Buried("CALL_STARTED", 1, "ValueError", "x.py:1", error),
        notices.Overtaken("CALL_STARTED"),
        notices.Dropped(first=True),
        notices.Dropped(first=False),
        notices.InboxFailed("add", "ValueError", error),
    ]
    with caplog.at_level(logging.DEBUG, "voxloud_async.webhooks"):
        for notice in told:
            counts.note(notice)
            log.note(notice)
    assert counts.stats() == notices.Stats(
        accepted=1,
        doubled=1,
        refused={"token": 1, "inbox_full": 1},
        handled=1,
        unhandled=1,
        retried=1,
        buried=1,
        overtaken=1,
        verified=1,
        unverified=1,
        dropped=2,
        inbox_failures=1,
    )
    assert "+39" not in caplog.text
    assert [entry.levelname for entry in caplog.records].count("WARNING") == 4
    assert [entry.levelname for entry in caplog.records].count("ERROR") == 2
    assert telling.known_type("call_started") == "CALL_STARTED"
    assert telling.known_type("+390612345678") == "unknown"


def test_a_subscriber_that_fails_is_logged_and_the_next_is_told(caplog: pytest.LogCaptureFixture) -> None:
    told: list[notices.Notice] = []

    def fail(_notice: notices.Notice) -> None:
        raise RuntimeError

    telling.fan_out((fail, told.append))(notices.Doubled("CALL_STARTED"))
    assert told == [notices.Doubled("CALL_STARTED")]
    assert "a subscriber failed" in caplog.text
