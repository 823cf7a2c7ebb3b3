"""Requests out of operations, values and errors out of responses."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from attrs import evolve

from voxloud_async.errors import DecodeError, RateLimitedError, UnexpectedRedirectError
from voxloud_async.models import Account
from voxloud_async.protocol import operations
from voxloud_async.protocol.exchange import build_request, read_error, read_response, with_own_words
from voxloud_async.protocol.operations import OPERATIONS, Operation, free_operation
from voxloud_async.protocol.page import Matches
from voxloud_async.wire.message import Headers, Request, Response

KEY = 'k3y"<&>\\secret'
BASE = "https://api.example"


def build(operation: Operation[Any], **options: Any) -> Request:
    return build_request(operation, BASE, "agent/1", **options)


def refuse(body: bytes | object, *, status: int = 400, request: Request | None = None, **headers: str) -> Any:
    """The error of an answer to a request that carried the key."""
    asked = request or build(operations.SEARCH_CONTACTS, query={"limit": "1"})
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = Headers({name.replace("_", "-"): value for name, value in headers.items()})
    answer = Response(status=status, headers=named, body=content)
    return read_error(operations.SEARCH_CONTACTS, asked.with_header("Voverc-Auth", KEY), answer, wall=0.0)


def test_a_request_is_made_of_operation_and_base_url() -> None:
    request = build(operations.GET_CONTACT, segment="54db")
    assert (request.method, request.url, request.body) == ("GET", f"{BASE}/api/v1/contacts/54db", None)
    assert dict(request.headers) == {"accept": "application/json", "user-agent": "agent/1"}
    nested = build_request(operations.LIST_USERS, f"{BASE}/pbx/7", "agent/1")
    assert nested.url == f"{BASE}/pbx/7/api/v2/users"


def test_g4_each_route_carries_its_version() -> None:
    versions = {operation.path.split("/")[2] for operation in OPERATIONS if operation is not operations.LIST_USERS}
    assert versions == {"v1"}
    assert operations.LIST_USERS.path == "/api/v2/users"


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_g16_no_content_type_without_body(operation: Operation[Any]) -> None:
    assert "Content-Type" not in build(operation, segment="1").headers
    assert build(operation, segment="1", body={}).headers["content-type"] == "application/json"


def test_c7_a_plus_in_a_search_is_encoded() -> None:
    request = build(operations.SEARCH_CONTACTS, query={"phone": "+39 06", "email": "a&b=ü@x", "offset": "0"})
    assert request.url.partition("?")[2] == "phone=%2B39%2006&email=a%26b%3D%C3%BC%40x&offset=0"


def test_a_body_is_utf_8() -> None:
    request = build(operations.CREATE_CONTACT, body={"first_name": "Niccolò", "phones": []})
    assert request.body == '{"first_name":"Niccolò","phones":[]}'.encode()


def test_what_may_not_be_sent_twice_gets_a_connection_of_its_own() -> None:
    fresh = {operation.name for operation in OPERATIONS if build(operation, segment="1").fresh_connection}
    assert fresh == {
        "create_contact",
        "create_webhook_subscription",
        "create_click_to_call",
        "connect_click_to_call",
    }


def test_the_accepted_format_and_the_cap_are_those_of_the_operation() -> None:
    request = build(operations.EXPORT_EVENTS, body={})
    assert request.headers["Accept"] == "text/csv"
    assert request.max_body == operations.EVENT_PAGE_MAX_BODY > build(operations.GET_CONTACT, segment="1").max_body


DELETES = [operation for operation in OPERATIONS if operation.method == "DELETE"]


@pytest.mark.parametrize("operation", DELETES, ids=str)
@pytest.mark.parametrize("body", [b"", b" \r\n", b"{}", b"null", b'{"deleted": true}'])
def test_g7_a_delete_is_done_by_an_empty_body_or_json(operation: Operation[Any], body: bytes) -> None:
    assert read_response(operation, Response(status=200, body=body)) is None


@pytest.mark.parametrize("operation", [*DELETES, operations.EXPORT_EVENTS], ids=str)
def test_g5_a_page_of_a_proxy_is_neither_a_delete_nor_a_table(operation: Operation[Any]) -> None:
    with pytest.raises(DecodeError, match="the body is HTML, not") as caught:
        read_response(operation, Response(status=200, body=b"\n<html><title>Sign in</title></html>"))
    assert caught.value.operation == str(operation)
    assert "Sign in" not in repr(caught.value)


def test_a_value_is_read() -> None:
    account = read_response(operations.VALIDATE_AUTH, Response(status=200, body=b'{"name": "Rossi", "email": "a@b"}'))
    assert account == Account(name="Rossi", email="a@b")


def test_g5_a_page_of_the_documentation_is_no_answer() -> None:
    page = b"<!DOCTYPE html><html><title>Voxloud API reference</title></html>"
    with pytest.raises(DecodeError, match="HTML") as caught:
        read_response(operations.VALIDATE_AUTH, Response(status=200, body=page))
    assert caught.value.operation == "POST /api/v1/validate-auth"
    assert "reference" not in repr(caught.value)


@pytest.mark.parametrize("body", [b"", b" \n", b"null"])
def test_t3_nothing_at_all_is_no_match(body: bytes) -> None:
    assert read_response(operations.FIND_EVENTS, Response(status=200, body=body)) == Matches(())


@pytest.mark.parametrize("operation", [operation for operation in OPERATIONS if operation.whole], ids=str)
def test_a_list_without_a_documented_next_page_must_be_whole(operation: Operation[Any]) -> None:
    whole: list[object] = [[], {"data": [], "has_next": False}, {"data": []}, {"content": [], "last": True}]
    for answer in whole:
        assert read_response(operation, Response(status=200, body=json.dumps(answer).encode())).items == ()
    for part in ({"data": [], "has_next": True}, {"content": [], "last": False}):
        with pytest.raises(DecodeError, match="the list goes on") as caught:
            read_response(operation, Response(status=200, body=json.dumps(part).encode()))
        assert caught.value.operation == str(operation)


def test_a_free_request_gives_its_json_or_nothing() -> None:
    operation = free_operation("GET", "/api/v1/anything")
    assert read_response(operation, Response(status=200, body=b'{"a": [1]}')) == {"a": [1]}
    assert read_response(operation, Response(status=204)) is None
    with pytest.raises(DecodeError) as caught:
        read_response(operation, Response(status=200, body=b"<html>"))
    assert caught.value.operation == "GET (unlisted path)"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"message": "first_name is required", "error": "Bad Request"}, "first_name is required"),
        ({"error": "invalid_token"}, "invalid_token"),
        ({"error": {"message": "no quota"}}, "no quota"),
        ({"errors": [{"message": "bad sort"}, {"message": "bad size"}]}, "bad sort"),
        ({"errors": []}, ""),
        ({"detail": "slow down"}, "slow down"),
        ({"message": ""}, ""),
        ({"message": 5}, ""),
        ({"message": [[[[["deep"]]]]]}, ""),
        ({"status": 400}, ""),
        ([{"message": "one"}], "one"),
        (["two"], "two"),
        ([], ""),
        ("three", "three"),
        (None, ""),
        (7, ""),
        (b"plain text\nsecond line", "plain text"),
        (b"  ", ""),
        (b"", ""),
        (b"<html><head><title>\n 502 Bad\n Gateway &amp; more</title></head>", "502 Bad Gateway & more"),
        (b"<html><body>oops</body></html>", ""),
        ("perché no".encode("latin-1"), "perch\ufffd no"),
        (b'{"message": "cut', '{"message": "cut'),
        (b"[" * 5000, "[" * 5000),
    ],
)
def test_g8_an_error_says_what_its_body_says_whatever_that_is(body: object, message: str) -> None:
    error = refuse(body)
    assert error.message == message
    assert str(error).startswith(f"400 Bad Request: {message}"[:100] if message else "400 Bad Request | GET")
    assert len(str(error)) < 300


SAID: list[tuple[bytes | object, str, str, str]] = [
    ({"error": "quota exceeded"}, "", "name: missing", "quota exceeded"),
    ({"message": "quota of ada@example.org exceeded"}, "", "name: missing", "quota of *** exceeded"),
    ({"errors": [{"message": "no quota"}]}, "", "name: missing", "no quota"),
    ({"error": f"{KEY} is spent"}, "", "name: missing", "*** is spent"),
    ({"error": "no such Annabella"}, "", "name: missing", "no such ***"),
    (b"<html><title>Sign in</title>", "text/html", "the body is HTML, not JSON", "Sign in"),
    (b"try again later\n", "text/plain; charset=utf-8", "the body is no JSON", "try again later"),
]


@pytest.mark.parametrize(("body", "kind", "reason", "words"), SAID)
def test_an_error_with_a_status_of_success_says_what_the_service_says(
    body: bytes | object, kind: str, reason: str, words: str
) -> None:
    error = misread(operations.VALIDATE_AUTH, body, kind)
    assert str(error).startswith(f'{reason}; the service says "{words}" | POST /api/v1/validate-auth')
    assert f"{error.path}: {error.reason}".removeprefix(": ") == reason


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        (operations.SEARCH_CONTACTS, {"data": [{"first_name": "Bianchi"}], "message": "Bianchi"}),
        (operations.GET_CONTACT, {"id": "7", "phones": ["a", 1], "message": "Bianchi"}),
        (operations.GET_CONTACT, [{"message": "Bianchi"}]),
        (operations.GET_CONTACT, b"Bianchi"),
        (operations.GET_CONTACT, b'{"first_name": "Bianchi"'),
        (operations.GET_CONTACT, {"first_name": "Bianchi"}),
    ],
)
def test_what_may_be_a_row_is_not_taken_for_words(operation: Operation[Any], body: object) -> None:
    error = misread(operation, body)
    assert error.message == ""
    assert "Bianchi" not in repr(error)


def misread(operation: Operation[Any], body: bytes | object, kind: str = "") -> DecodeError:
    """The error of an answer that does not fit."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = Response(status=200, headers=Headers({"Content-Type": kind}), body=content)
    request = build(operation, segment="7", body={"first_name": "Annabella"}).with_header("Voverc-Auth", KEY)
    with pytest.raises(DecodeError) as caught:
        read_response(operation, answer)
    return with_own_words(caught.value, request, answer)


def test_an_error_keeps_its_body_and_names_its_operation() -> None:
    error = refuse({"message": "no", "path": "/x"}, status=429, Retry_After="7")
    assert isinstance(error, RateLimitedError)
    assert error.body == {"message": "no", "path": "/x"}
    assert error.operation == "GET /api/v1/contacts"
    assert error.retry_after == 7.0
    assert error.sent is True
    assert str(error) == "429 Too Many Requests: no | GET /api/v1/contacts | retry after 7 s"


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("https://sign-in.example/login?next=+390612345678", "to sign-in.example"),
        ("//other.example", "to other.example"),
        ("/login", ""),
        ("http://[", ""),
    ],
)
def test_a_redirect_says_where_it_leads_and_no_more(location: str, message: str) -> None:
    error = refuse(b"", status=302, Location=location)
    assert isinstance(error, UnexpectedRedirectError)
    assert error.message == message
    assert "+39" not in repr(error)


SENT = {
    "first_name": "Annamaria",
    "emails": ["anna@example.com"],
    "nested": {"deep": ["Quattrocchi"]},
    "phones": ["+390612345678"],
    "short": "ab",
    "count": 5,
    "none": None,
}


@pytest.mark.parametrize(
    "quoted",
    [
        "Annamaria is known",
        "no ANNAMARIA here",
        "anna@example.com is taken",
        "Quattrocchi",
        "+390612345678 is no number",
        "call 06 1234-5678",
        "someone.else@example.org",
        "390612345678",
        "x" * 195 + "Annamaria",
    ],
)
def test_what_the_caller_sent_is_hidden_in_the_text_of_an_error(quoted: str) -> None:
    request = build(operations.CREATE_CONTACT, body=SENT)
    error = refuse({"message": quoted}, request=request)
    shown = f"{error!s} {error!r} {error.args}"
    for personal in (
        "nnamaria",
        "NNAMARIA",
        "anna@",
        "Quattrocchi",
        "0612345678",
        "1234-5678",
        "someone.else",
        "Annam",
    ):
        assert personal not in shown
    assert error.message == quoted  # for those who ask for it


def test_what_is_short_may_be_a_name_and_is_hidden_as_a_word() -> None:
    request = build(
        operations.SEARCH_CONTACTS, query={"first_name": "Bo", "last_name": "李", "offset": "20", "limit": " "}
    )
    assert refuse(b"no Bo \xe6\x9d\x8e at 20, above", request=request).args == (
        "400 Bad Request: no *** *** at 20, above",
    )


def test_what_a_query_asked_for_is_hidden_too_in_both_spellings() -> None:
    request = build(operations.SEARCH_CONTACTS, query={"first_name": "Rosa Maria", "email": "rosa@exa"})
    for quoted in ("nobody named Rosa Maria", "bad query first_name=Rosa%20Maria", "rosa@exa", "email=rosa%40exa"):
        shown = repr(refuse(quoted.encode(), request=request))
        assert "Rosa" not in shown
        assert "rosa" not in shown


def test_g2_the_key_is_nowhere_in_an_error() -> None:
    bodies = [
        {"message": f"the key {KEY} is unknown"},
        {"deep": [{"echo": KEY}]},
        f"Voverc-Auth: {KEY}".encode(),
        b"<title>k3y&quot;&lt;&amp;&gt;\\secret</title>",
        b"GET /?key=k3y%22%3C%26%3E%5Csecret",
        b'{"message": "the key k3y\\u0022\\u003c\\u0026\\u003e\\u005c\\u0073ecret is unknown"}',
        b"<title>k3y&#34;&#60;&#38;&#62;&#92;secret</title>",
        b"GET /?key=k3y&#34;&lt;&amp;&gt;\\secret&other=k3y%22%3c%26%3e%5c%73ecret",
    ]
    for body in bodies:
        error = refuse(body, status=401)
        twin = pickle.loads(pickle.dumps(error))  # noqa: S301 - made right here
        for each in (error, twin):
            assert "secret" not in f"{each!s} {each!r} {each.message} {each.body} {vars(each)}"
        assert "***" in str(error.body)


def test_g2_a_slash_may_be_escaped() -> None:
    request = build(operations.LIST_USERS).with_header("Cookie", "ab/cd==")
    for body in (
        rb'{"message": "no ab\/cd\u003d="}',
        rb"no ab\/cd\u003D=",
        b"<title>no ab&#x2F;cd&#61;=</title>",
    ):
        error = refuse(body, request=request)
        assert error.message == "no ***"
        assert "cd" not in f"{error} {error.body}"


def test_an_error_to_a_body_nested_as_deep_as_can_be_is_told() -> None:
    body = b"[" * 5_000 + b'{"name":"Annamaria","e":"a\\"b: c"}' + b"]" * 5_000
    request = evolve(build(operations.CREATE_CONTACT, body={}), body=body)
    error = refuse({"message": 'no name of Annamaria, nor a"b: c'}, request=request)
    assert str(error) == "400 Bad Request: no name of ***, nor *** | GET /api/v1/contacts"


def test_an_empty_secret_hides_nothing() -> None:
    request = build(operations.GET_CONTACT, segment="1").with_header("Cookie", "")
    assert refuse(b"plain", request=request).message == "plain"


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        (b"id;n\xc3\xa9", "text/csv", "id;né"),
        (b"id;n\xe9", "text/csv", "id;né"),
        (b"id;n\xe9", "text/csv; charset=ISO-8859-1", "id;né"),
        (b"\x80", 'text/csv;charset="windows-1252"', "€"),
        (b"\xef\xbb\xbfid", "text/csv; charset=utf-8", "id"),
        ("id".encode("utf-16"), "", "id"),
        ("id".encode("utf-16-be"), "text/csv; charset=UTF-16BE", "id"),
        (b"\xc3\xa9", "text/csv; charset=klingon", "é"),
        (b"\xc3\xa9", "text/csv; charset=base64", "é"),
        (b"\xc3\xa9", "text/csv; charset=unicode_escape", "é"),
        (b"", "", ""),
    ],
)
def test_t12_csv_is_read_in_any_encoding(body: bytes, content_type: str, text: str) -> None:
    response = Response(status=200, headers=Headers({"Content-Type": content_type}), body=body)
    assert read_response(operations.EXPORT_EVENTS, response) == text


@pytest.mark.parametrize(("body", "charset"), [(b"\xff", "utf-8"), (b"\xff\xfe\x00", "utf-16"), (b"\xe9", "us-ascii")])
def test_csv_that_is_not_what_it_is_said_to_be(body: bytes, charset: str) -> None:
    response = Response(status=200, headers=Headers({"content-type": f"text/csv; charset={charset}"}), body=body)
    with pytest.raises(DecodeError, match="the body is not"):
        read_response(operations.EXPORT_EVENTS, response)
