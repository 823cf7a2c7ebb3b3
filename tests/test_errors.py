"""The tree of errors: its shape, its facts, what it shows and what it hides."""

from __future__ import annotations

import inspect
import pickle
import re
from copy import copy, deepcopy
from typing import Any

import pytest

from voxloud_async import errors
from voxloud_async.errors import (
    ApiError,
    ArgumentTypeError,
    AuthenticationError,
    BadRequestError,
    ClientClosedError,
    ConflictError,
    DeadlineExceededError,
    DecodeError,
    InvalidArgumentError,
    MethodNotAllowedError,
    NotAcceptableError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    ProtocolError,
    RateLimitedError,
    RequestNotSentError,
    ResponseLostError,
    ResponseTooLargeError,
    ServerError,
    ServiceUnavailableError,
    TransportError,
    UnexpectedRedirectError,
    UsageError,
    VoxloudError,
    WebhookError,
    api_error,
    mask,
)

FACTS: dict[str, Any] = {"operation": "GET /api/v1/contacts", "attempts": 3, "retry_after": 2.5}

EXAMPLES: list[VoxloudError] = [
    VoxloudError("text", **FACTS),
    TransportError("text", phase="send", sent=True, **FACTS),
    RequestNotSentError("text", retryable=False, **FACTS),
    ResponseLostError("text", phase="body", **FACTS),
    ProtocolError("text", **FACTS),
    ResponseTooLargeError(limit=10, **FACTS),
    OutcomeUnknownError(**FACTS),
    DeadlineExceededError(phase="limit", max_wait=3.0, sent=False, **FACTS),
    DecodeError("missing", path="data[0].id", body=b'{"data": ["Rossi"]}', **FACTS),
    ConflictError("text", **FACTS),
    ClientClosedError("text", **FACTS),
    UsageError("text", **FACTS),
    WebhookError("text", **FACTS),
    *(
        kind(status, "Rossi is busy", {"name": "Rossi"}, 2.5, 3, personal=["Rossi"], operation="GET /api/v1/contacts")
        for kind, status in (
            (ApiError, 418),
            (UnexpectedRedirectError, 302),
            (BadRequestError, 400),
            (AuthenticationError, 401),
            (PermissionDeniedError, 403),
            (NotFoundError, 404),
            (MethodNotAllowedError, 405),
            (NotAcceptableError, 406),
            (RateLimitedError, 429),
            (ServerError, 500),
            (ServiceUnavailableError, 503),
        )
    ),
]
each_error = pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)


def documented_tree() -> dict[str, str | None]:
    """Each class in the module's docstring and the one it stands under."""
    parents: dict[str, str | None] = {}
    path: list[str] = []
    for line in str(errors.__doc__).splitlines():
        found = re.match(r"(?P<indent>[│├└─ ]*)(?P<name>[A-Z]\w+Error)\b", line)
        if found:
            del path[len(found["indent"]) // 4 :]
            parents[found["name"]] = path[-1] if path else None
            path.append(found["name"])
    return parents


def real_tree() -> dict[str, str | None]:
    classes = [one for one in vars(errors).values() if inspect.isclass(one) and issubclass(one, VoxloudError)]
    names = {
        one.__name__: [base.__name__ for base in one.__bases__ if issubclass(base, VoxloudError)] for one in classes
    }
    return {name: bases[0] if bases else None for name, bases in names.items()}


def test_the_tree_of_the_docstring_is_the_real_one() -> None:
    assert documented_tree() == real_tree()
    assert len(real_tree()) == 24


def test_every_error_is_exported_and_has_an_example() -> None:
    assert real_tree().keys() <= set(errors.__all__)
    assert {type(error).__name__ for error in EXAMPLES} == real_tree().keys()


@each_error
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_an_error_pickles_with_its_facts(error: VoxloudError, protocol: int) -> None:
    error.add_note("while importing")
    twin = pickle.loads(pickle.dumps(error, protocol))  # noqa: S301 - made right here
    assert type(twin) is type(error)
    assert vars(twin) == vars(error)
    assert (str(twin), repr(twin), twin.args) == (str(error), repr(error), error.args)
    assert twin.__notes__ == error.__notes__
    del error.__notes__


@each_error
def test_an_error_can_be_copied(error: VoxloudError) -> None:
    for twin in (copy(error), deepcopy(error)):
        assert vars(twin) == vars(error)
        assert twin is not error


@each_error
def test_str_and_repr_tell_facts_and_hide_bodies(error: VoxloudError) -> None:
    assert str(error).endswith(" | GET /api/v1/contacts | 3 attempts | retry after 2.5 s")
    assert repr(error) == f"<{type(error).__name__}: {error}>"
    assert "Rossi" not in repr(error)
    assert "Rossi" not in repr(error.args)
    assert (error.operation, error.attempts, error.retry_after) == ("GET /api/v1/contacts", 3, 2.5)


def test_an_error_names_the_host_once_and_no_placeholder() -> None:
    facts: dict[str, Any] = {"operation": "GET /api/v1/contacts/{id}", "host": "voxloud.test:8443"}
    assert str(NotFoundError(404, **facts)) == "404 Not Found | GET /api/v1/contacts/... | voxloud.test:8443"
    assert NotFoundError(404, **facts).operation == "GET /api/v1/contacts/{id}"
    lost = RequestNotSentError("no connection to voxloud.test:8443 (connection refused)", **facts)
    assert str(lost) == "no connection to voxloud.test:8443 (connection refused) | GET /api/v1/contacts/..."
    assert str(ConflictError("changed", host="voxloud.test")) == "changed | voxloud.test"
    assert api_error(503, host="voxloud.test").host == "voxloud.test"


def test_a_lost_exchange_says_why() -> None:
    error = RequestNotSentError("no connection", reason="connection refused", code="ECONNREFUSED")
    assert (error.reason, error.code) == ("connection refused", "ECONNREFUSED")
    assert (ResponseLostError().reason, ResponseLostError().code) == (None, None)


def test_a_decode_error_has_the_services_own_words() -> None:
    error = DecodeError(
        "missing", path="name", message="Anna's quota is exceeded: call +390312345678", personal=["Anna"]
    )
    assert str(error) == 'name: missing; the service says "***\'s quota is exceeded: call ***"'
    assert (error.reason, error.path) == ("missing", "name")
    assert error.message == "Anna's quota is exceeded: call +390312345678"
    long = DecodeError("missing", message="x" * 5000)
    assert str(long) == f'missing; the service says "{"x" * 200}"'


ARGUMENTS = [
    (InvalidArgumentError("page_size", "must be from 1 to 100, not 0"), "page_size", ValueError),
    (InvalidArgumentError("phones[1]", "must not be empty"), "phones", ValueError),
    (ArgumentTypeError("query['phone']", "must be a string, not list"), "query", TypeError),
    (InvalidArgumentError("the path of base_url", "must not climb"), "base_url", ValueError),
]


@pytest.mark.parametrize(("error", "argument", "kind"), ARGUMENTS, ids=str)
def test_the_error_of_an_argument_names_it(
    error: InvalidArgumentError | ArgumentTypeError, argument: str, kind: type[Exception]
) -> None:
    assert isinstance(error, kind)
    assert not isinstance(error, VoxloudError)
    assert (error.argument, str(error)) == (argument, f"{error.place} {error.reason}")


@pytest.mark.parametrize("error", [error for error, _, _ in ARGUMENTS], ids=str)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_the_error_of_an_argument_pickles_and_copies(error: Any, protocol: int) -> None:
    pickled = pickle.loads(pickle.dumps(error, protocol))  # noqa: S301 - made right here
    for twin in (pickled, copy(error), deepcopy(error)):
        assert type(twin) is type(error)
        assert (twin.argument, twin.place, twin.reason) == (error.argument, error.place, error.reason)
        assert (str(twin), repr(twin)) == (str(error), repr(error))


def test_facts_that_are_not_known_are_not_told() -> None:
    assert str(VoxloudError()) == "VoxloudError"
    assert str(ConflictError("changed", attempts=1)) == "changed"
    assert str(NotFoundError(404)) == "404 Not Found"
    assert str(ApiError(499)) == "499 unlisted status"


@pytest.mark.parametrize(
    ("error", "sent"),
    [
        (RequestNotSentError(), False),
        (ResponseLostError(), True),
        (ProtocolError(), True),
        (ResponseTooLargeError(limit=1), True),
        (OutcomeUnknownError(), True),
        (ServerError(500), True),
        (DecodeError("missing"), None),
        (DeadlineExceededError(phase="limit", max_wait=1.0), None),
    ],
)
def test_an_error_says_whether_the_request_left(error: VoxloudError, sent: bool | None) -> None:  # noqa: FBT001
    assert error.sent is sent


def test_some_texts_come_from_the_facts() -> None:
    assert str(ResponseTooLargeError(limit=8)) == "the body is larger than 8 bytes"
    assert str(OutcomeUnknownError()) == "it may or may not have happened"
    assert str(DeadlineExceededError(phase="backoff", max_wait=1.5)) == "max_wait of 1.5 s does not suffice (backoff)"
    assert str(DecodeError("missing", path="data[0].id")) == "data[0].id: missing"
    assert str(DecodeError("the body is empty")) == "the body is empty"


def test_wrong_use_is_a_runtime_error_as_well() -> None:
    assert isinstance(UsageError("two loops"), RuntimeError)


STATUSES = {
    301: UnexpectedRedirectError,
    308: UnexpectedRedirectError,
    400: BadRequestError,
    401: AuthenticationError,
    402: ApiError,
    403: PermissionDeniedError,
    404: NotFoundError,
    405: MethodNotAllowedError,
    406: NotAcceptableError,
    409: ApiError,
    413: ApiError,
    415: ApiError,
    422: ApiError,
    429: RateLimitedError,
    499: ApiError,
    500: ServerError,
    501: ServerError,
    502: ServerError,
    503: ServiceUnavailableError,
    504: ServerError,
    599: ServerError,
    103: ApiError,
    600: ApiError,
}


@pytest.mark.parametrize(("status", "kind"), STATUSES.items())
def test_g9_every_status_has_its_class_by_number_or_by_range(status: int, kind: type[ApiError]) -> None:
    error = api_error(status, "no", {"a": 1}, retry_after=1.0, operation="GET /x")
    assert type(error) is kind
    assert (error.status, error.message, error.body, error.retry_after) == (status, "no", {"a": 1}, 1.0)
    assert error.operation == "GET /x"


def test_design_fixes_the_order_of_an_api_error() -> None:
    error = ApiError(400, "no", b"body", 5.0, 2)
    assert (error.status, error.message, error.body, error.retry_after, error.attempts) == (400, "no", b"body", 5.0, 2)


@pytest.mark.parametrize(
    ("text", "personal", "masked"),
    [
        ("call +39 06 1234 5678 now", [], "call *** now"),
        ("call (06) 1234 - 5678", [], "call (***"),
        ("extension 101, code 4711", [], "extension 101, code 4711"),
        ("mail anna.b@example.com.", [], "mail ***"),
        ("'a@b' is <c@d>", [], "'***' is <***>"),
        ("Anna Conti and anna", ["Anna Conti", "Anna"], "*** and ***"),
        ("a.c and abc", ["a.c"], "*** and abc"),
        ("plain", ["", "plai"], "***n"),
        ("", ["x"], ""),
        ("invalid: Al is no name, nor AL-9", ["Al"], "invalid: *** is no name, nor ***-9"),
        ("联系人李明已存在", ["李明"], "联系人***已存在"),
    ],
)
def test_what_a_log_must_not_hold_is_masked(text: str, personal: list[str], masked: str) -> None:
    assert mask(text, personal) == masked


def test_a_long_message_is_cut_after_it_is_masked() -> None:
    error = BadRequestError(400, "x" * 195 + "Rossi" + "y" * 500, personal=["Rossi"])
    assert str(error) == "400 Bad Request: " + "x" * 195 + "***yy"
    assert len(error.message) == 700
