"""Arguments are checked one by one, and an error names the one that is wrong."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from voxloud_async.models import EventType
from voxloud_async.protocol import arguments

ROME = timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    ("check", "value", "result"),
    [
        (arguments.text, "x", "x"),
        (arguments.text, EventType.FAX_CALL, "FAX_CALL"),
        (arguments.optional_text, "", ""),
        (arguments.optional_text, None, None),
        (arguments.texts, None, None),
        (arguments.texts, [], []),
        (arguments.texts, ("a", "b"), ["a", "b"]),
        (arguments.segment, "54db43f0-7d1c", "54db43f0-7d1c"),
        (arguments.segment, 8563, "8563"),
        (arguments.segment, "...", "..."),
        (arguments.moment, datetime(2021, 1, 1, tzinfo=UTC), "2021-01-01T00:00:00.000Z"),
        (arguments.moment, datetime(2021, 1, 1, tzinfo=ROME), "2021-01-01T00:00:00.000+01:00"),
        (arguments.moment, datetime(2021, 1, 1, 0, 0, 0, 999, tzinfo=UTC), "2021-01-01T00:00:00.000Z"),
        (
            arguments.moment,
            datetime(1860, 1, 1, 0, 49, 56, tzinfo=timezone(timedelta(minutes=49, seconds=56))),
            "1860-01-01T00:00:00.000Z",
        ),
        (arguments.http_url, "https://x.example/a?b=c", "https://x.example/a?b=c"),
        (arguments.http_url, "HTTP://[::1]:8080/", "HTTP://[::1]:8080/"),
        (arguments.seconds, 5, 5.0),
        (arguments.seconds, 0.1, 0.1),
        (arguments.path, "/api/v1/contacts", "/api/v1/contacts"),
        (arguments.query, None, None),
        (arguments.query, {"a": "b"}, None),
    ],
)
def test_what_is_right(check: Any, value: object, result: object) -> None:
    assert check("it", value) == result


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (arguments.text, None),
        (arguments.text, 5),
        (arguments.text, b"x"),
        (arguments.optional_text, 5),
        (arguments.texts, "+39"),
        (arguments.texts, {"+39"}),
        (arguments.texts, [5]),
        (arguments.texts, b"+39"),
        (arguments.segment, None),
        (arguments.segment, True),
        (arguments.segment, 1.0),
        (arguments.moment, "2021-01-01T00:00:00Z"),
        (arguments.moment, date(2021, 1, 1)),
        (arguments.moment, 0),
        (arguments.http_url, None),
        (arguments.seconds, "5"),
        (arguments.seconds, True),
        (arguments.seconds, None),
        (arguments.path, 5),
        (arguments.query, "a=b"),
        (arguments.query, [("a", "b")]),
        (arguments.query, {"limit": 5}),
        (arguments.query, {5: "limit"}),
        (arguments.query, {5: 5}),
    ],
)
def test_what_is_of_the_wrong_type(check: Any, value: object) -> None:
    with pytest.raises(TypeError, match="it"):
        check("it", value)


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (arguments.text, ""),
        (arguments.text, " \n"),
        (arguments.texts, ["+39", ""]),
        (arguments.segment, ""),
        (arguments.segment, "a/b"),
        (arguments.segment, ".."),
        (arguments.segment, "."),
        (arguments.segment, "..;"),
        (arguments.segment, "a;b=c"),
        (arguments.segment, "%2e%2e"),
        (arguments.segment, "a?b"),
        (arguments.segment, "a#b"),
        (arguments.segment, "a b"),
        (arguments.segment, "a\n"),
        (arguments.segment, "a\\b"),
        (arguments.segment, "\u00e9"),
        (arguments.moment, datetime(2021, 1, 1)),  # noqa: DTZ001 - naive on purpose
        (arguments.http_url, ""),
        (arguments.http_url, "x.example"),
        (arguments.http_url, "//x.example"),
        (arguments.http_url, "ftp://x.example"),
        (arguments.http_url, "https://"),
        (arguments.http_url, "https:///path"),
        (arguments.http_url, "https://user:word@x.example"),
        (arguments.http_url, "https://@x.example"),
        (arguments.http_url, "https://x.example/#part"),
        (arguments.http_url, "https://x.example#"),
        (arguments.http_url, "https://x.example/a b"),
        (arguments.http_url, "https://x.example/\n"),
        (arguments.http_url, "\x01https://x.example"),
        (arguments.http_url, "https://good.example\\evil.example"),
        (arguments.http_url, "https://x.example:99999"),
        (arguments.http_url, "https://x.example:0"),
        (arguments.http_url, "https://[::1"),
        (arguments.seconds, 0),
        (arguments.seconds, -1.0),
        (arguments.seconds, float("nan")),
        (arguments.seconds, float("inf")),
        pytest.param(arguments.seconds, 10**400, id="beyond a float"),
        (arguments.text, "half \ud800"),
        (arguments.optional_text, "half \udfff"),
        (arguments.texts, ["half \ud800"]),
        (arguments.query, {"a": "half \ud800"}),
        (arguments.query, {"half \ud800": "a"}),
        (arguments.moment, datetime.min.replace(tzinfo=timezone(timedelta(minutes=49, seconds=56)))),
    ],
)
def test_what_is_of_the_right_type_and_wrong(check: Any, value: object) -> None:
    with pytest.raises(ValueError, match=r"\bit\b"):
        check("it", value)


def test_a_key_of_a_query_is_what_is_wrong() -> None:
    with pytest.raises(TypeError, match="strings for its keys, not int"):
        arguments.query("query", {5: "limit"})


def test_an_item_is_named_by_its_place() -> None:
    with pytest.raises(TypeError, match=r"phones\[1\]"):
        arguments.texts("phones", ["+39", 5])


def test_an_error_does_not_show_a_password() -> None:
    for url in ("https://user:pa/ss@x.example", "https://user:word@x.example:port"):
        with pytest.raises(ValueError, match="base_url") as caught:
            arguments.http_url("base_url", url)
        assert "pa" not in str(caught.value).replace("path", "")
        assert caught.value.__cause__ is None


@pytest.mark.parametrize(("value", "low", "high"), [(1, 1, 100), (100, 1, 100), (10**9, 1, None)])
def test_a_number_within_bounds(value: int, low: int, high: int | None) -> None:
    assert arguments.number("page_size", value, low, high) == value


@pytest.mark.parametrize(
    ("value", "bounds"), [(0, "from 1 to 100, not 0"), (101, "from 1 to 100, not 101"), (-1, "from 1 to 100")]
)
def test_a_number_out_of_bounds(value: int, bounds: str) -> None:
    with pytest.raises(ValueError, match=f"page_size must be {bounds}"):
        arguments.number("page_size", value, 1, 100)
    with pytest.raises(ValueError, match="max_items must be at least 200"):
        arguments.number("max_items", value, 200)


@pytest.mark.parametrize("value", ["5", 5.0, True, None])
def test_no_whole_number(value: object) -> None:
    with pytest.raises(TypeError, match="page_size must be a whole number"):
        arguments.number("page_size", value, 1, 100)


def test_known_fields_and_words() -> None:
    arguments.known({"a": 1}, ("a", "b"))
    with pytest.raises(TypeError, match="c is no known field; known are a, b"):
        arguments.known({"a": 1, "c": 2}, ("b", "a"))
    assert arguments.one_of("dial_first", "contact", ["contact"]) == "contact"
    with pytest.raises(ValueError, match="dial_first must be one of contact, extension"):
        arguments.one_of("dial_first", "both", ["extension", "contact"])
