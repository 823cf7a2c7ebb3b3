"""The 21 operations, against the spec and their safety."""

from __future__ import annotations

from typing import Any

import pytest

from tests.document import SPEC
from voxloud_async.protocol import operations
from voxloud_async.protocol.operations import OPERATIONS, Operation, Safety, free_operation

PATHS: dict[str, Any] = SPEC["paths"]
VERBS = {"get", "post", "put", "delete"}

TABLE = {
    "validate_auth": ("validateAuth", "POST", Safety.READ),
    "create_contact": ("createContact", "POST", Safety.CREATE),
    "update_contact": ("updateContact", "PUT", Safety.REPLACE),
    "search_contacts": ("searchContacts", "GET", Safety.READ),
    "get_contact": ("getContact", "GET", Safety.READ),
    "delete_contact": ("deleteContact", "DELETE", Safety.DELETE),
    "list_users": ("getUsers", "GET", Safety.READ),
    "create_webhook_subscription": ("createWebhookSubscription", "POST", Safety.CREATE),
    "update_webhook_subscription": ("updateWebhookSubscription", "PUT", Safety.REPLACE),
    "list_webhook_subscriptions": ("getWebhookSubscriptions", "GET", Safety.READ),
    "get_webhook_subscription": ("getWebhookSubscription", "GET", Safety.READ),
    "delete_webhook_subscription": ("deleteWebhookSubscription", "DELETE", Safety.DELETE),
    "query_telephony_events": ("queryTelephonyEvents", "POST", Safety.READ),
    "export_telephony_events": ("exportTelephonyEvents", "POST", Safety.READ),
    "get_telephony_event": ("getTelephonyEvent", "GET", Safety.READ),
    "find_telephony_events": ("getTelephonyEventsByCallId", "GET", Safety.READ),
    "create_click_to_call": ("createClickToCall", "POST", Safety.CREATE),
    "list_click_to_call": ("getClickToCalls", "GET", Safety.READ),
    "get_click_to_call": ("getClickToCall", "GET", Safety.READ),
    "delete_click_to_call": ("deleteClickToCall", "DELETE", Safety.DELETE),
    "connect_click_to_call": ("connectClickToCall", "POST", Safety.RING),
}


def endpoints() -> dict[str, tuple[str, str]]:
    """Verb and path of each operation id; a second representation is an operation of its own."""
    found = {}
    for path, item in PATHS.items():
        for verb, endpoint in item.items():
            if verb in VERBS:
                for name in (endpoint["operationId"], *endpoint.get("x-representations", {}).values()):
                    found[name] = (verb.upper(), path)
    return found


def test_there_are_21_operations_and_each_is_in_the_table() -> None:
    assert len(TABLE) == 21
    assert {operation.name for operation in OPERATIONS if operation.result is not bytes} == TABLE.keys()
    assert {operation.name for operation in OPERATIONS if operation.result is bytes} < TABLE.keys()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_an_operation_is_that_of_the_spec(operation: Operation[Any]) -> None:
    operation_id, method, safety = TABLE[operation.name]
    assert (operation.method, operation.safety) == (method, safety)
    assert endpoints()[operation_id] == (operation.method, operation.path)
    assert str(operation) == f"{operation.method} {operation.path}"


def test_the_spec_has_no_operation_beyond_these() -> None:
    variants = {"updateContactByPost", "updateWebhookSubscriptionByPost"}
    assert endpoints().keys() - variants == {operation_id for operation_id, _, _ in TABLE.values()}


def test_c1_and_w4_the_updates_alone_know_a_second_verb() -> None:
    assert {operation.name: operation.alternative for operation in OPERATIONS if operation.alternative} == {
        "update_contact": "POST",
        "update_webhook_subscription": "POST",
    }
    assert endpoints()["updateContactByPost"] == ("POST", operations.UPDATE_CONTACT.path)
    assert endpoints()["updateWebhookSubscriptionByPost"] == ("POST", operations.UPDATE_SUBSCRIPTION.path)


def test_what_may_be_sent_again() -> None:
    assert {safety for safety in Safety if safety.repeatable} == {Safety.READ, Safety.REPLACE, Safety.DELETE}


def test_t1_a_query_reads_although_it_is_a_post() -> None:
    for operation in (operations.QUERY_EVENTS, operations.EXPORT_EVENTS, operations.VALIDATE_AUTH):
        assert (operation.method, operation.safety) == ("POST", Safety.READ)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_a_free_request_has_the_safety_of_the_operation_it_is(operation: Operation[Any]) -> None:
    path = operation.path.replace("{id}", "54db43f0-7d1c")
    free = free_operation(operation.method, path)
    assert (free.method, free.path, free.safety) == (operation.method, path, operation.safety)
    assert free.max_body == operation.max_body
    assert str(free) == str(operation)


@pytest.mark.parametrize(
    ("method", "path", "safety"),
    [
        ("GET", "/api/v1/anything", Safety.READ),
        ("HEAD", "/api/v1/contacts", Safety.READ),
        ("PUT", "/api/v1/anything/5", Safety.REPLACE),
        ("DELETE", "/api/v1/anything/5", Safety.DELETE),
        ("POST", "/api/v1/anything", Safety.CREATE),
        ("PATCH", "/api/v1/contacts/5", Safety.CREATE),
        ("POST", "/api/v1/contacts/5", Safety.REPLACE),
        ("POST", "/api/v1/contacts/5/merge", Safety.CREATE),
        ("POST", "/api/v1/click-to-call/5/connect", Safety.RING),
        ("PUT", "/api/v1/click-to-call/5/connect", Safety.RING),
        ("GET", "/api/v1/click-to-call/5/connect", Safety.RING),
        ("POST", "/API/v1/click-to-call/5/connect", Safety.CREATE),
        ("POST", "/api/v1/telephony-events", Safety.READ),
    ],
)
def test_a_free_request_has_else_the_safety_of_its_verb(method: str, path: str, safety: Safety) -> None:
    assert free_operation(method, path).safety is safety


@pytest.mark.parametrize("method", ["get", "TRACE", "CONNECT", "", "GET\r\n"])
def test_a_free_request_takes_known_verbs_only(method: str) -> None:
    with pytest.raises(ValueError, match="method"):
        free_operation(method, "/api/v1/contacts")


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example/api",
        "/api/../admin",
        "/api/./x",
        "/api/..",
        "/api/..;/admin",
        "/api/%2e%2e/admin",
        "/api/v1/contacts?limit=1",
        "/api/v1/contacts#x",
        "/api/v1/contacts/",
        "/api//contacts",
        "https://evil.example/",
        "evil.example/api",
        "@evil.example",
        "/api\\contacts",
        "/api/a b",
        "/api/v1/contacts\r\nX: y",
        "/api/\u00e9",
        "/",
        "",
        " ",
    ],
)
def test_a_free_request_takes_a_plain_absolute_path_only(path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        free_operation("GET", path)


def test_a_free_request_takes_text() -> None:
    with pytest.raises(TypeError, match="path"):
        free_operation("GET", b"/api")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="method"):
        free_operation(None, "/api")  # type: ignore[arg-type]
