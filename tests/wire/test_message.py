"""Requests, answers and headers as values."""

from __future__ import annotations

import pytest

from voxloud_async.wire.message import Headers, Request, Response


def test_headers_are_found_whatever_their_case() -> None:
    headers = Headers([("X-Twice", "1"), ("Date", "today"), ("x-twice", "2")])
    assert headers["x-TWICE"] == "1, 2"
    assert dict(headers) == {"x-twice": "1, 2", "date": "today"}
    assert len(headers) == 2
    assert headers.pairs() == (("X-Twice", "1"), ("Date", "today"), ("x-twice", "2"))
    with pytest.raises(KeyError, match="Other"):
        headers["Other"]


def test_header_replaces_those_of_its_name() -> None:
    request = Request(method="GET", url="https://host/", headers=Headers({"accept": "a", "date": "d"}))
    assert request.with_header("Accept", "b").headers.pairs() == (("date", "d"), ("Accept", "b"))
    assert request.headers["accept"] == "a"


@pytest.mark.parametrize("name", ["Voverc-Auth", "VOVERC-AUTH", "Authorization", "Cookie", "Set-Cookie", "Location"])
def test_reprs_hide_the_key_and_the_query(name: str) -> None:
    request = Request(method="GET", url="https://host/path?phone=678", headers=Headers({name: "key"}), body=b"jane")
    for hidden in ("'key'", "678", "jane"):
        assert hidden not in repr(request)
    assert "https://host/path" in repr(request)
    assert "jane" not in repr(Response(status=200, body=b"jane"))
