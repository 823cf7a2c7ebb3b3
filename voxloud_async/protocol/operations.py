"""Every endpoint of the API as a value: method, path, safety, result.

Safety belongs to the operation, not to its HTTP verb: two POSTs only read, and one rings a phone.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Any, Generic, TypeVar

from attrs import evolve, field, frozen

from ..models import (
    Account,
    ClickToCall,
    Connection,
    Contact,
    TelephonyEvent,
    User,
    WebhookSubscription,
)
from ..wire.message import MAX_BODY
from . import arguments
from .page import ListedEvent, Matches, Page

T_co = TypeVar("T_co", covariant=True)

JSON = "application/json"
CSV = "text/csv"

EVENT_PAGE_MAX_BODY = 256 * 1024 * 1024
"""A page may hold 2,000 records with transcriptions of 65,535 characters."""


class Safety(Enum):
    """What sending an operation a second time may do."""

    READ = "read"
    REPLACE = "replace"
    DELETE = "delete"
    CREATE = "create"
    RING = "ring"

    @property
    def repeatable(self) -> bool:
        """Whether an operation that may have been executed may be sent again."""
        return self is not Safety.CREATE and self is not Safety.RING


@frozen
class Operation(Generic[T_co]):
    """One endpoint. `result` is the type its answer is read into; `alternative` the verb to try after a 405."""

    name: str
    method: str
    path: str
    safety: Safety
    result: Any = field(repr=False)
    alternative: str | None = None
    accept: str = JSON
    max_body: int = MAX_BODY
    may_be_empty: bool = False
    """Whether an empty body reads like a JSON null."""
    whole: bool = False
    """Whether the answer must be the whole list, there being no documented way to read on."""
    label: str | None = None
    """What logs, events and errors say in place of a path that holds an id."""

    def __str__(self) -> str:
        return f"{self.method} {self.label or self.path}"

    def names(self, method: str, path: str) -> bool:
        """Whether a request with this method and path is this operation."""
        return method in {self.method, self.alternative} and self.is_at(path)

    def is_at(self, path: str) -> bool:
        """Whether a path is this operation's."""
        pattern = "[^/]+".join(re.escape(part) for part in self.path.split("{id}"))
        return re.fullmatch(pattern, path) is not None


VALIDATE_AUTH: Operation[Account] = Operation("validate_auth", "POST", "/api/v1/validate-auth", Safety.READ, Account)

CREATE_CONTACT: Operation[Contact] = Operation("create_contact", "POST", "/api/v1/contacts", Safety.CREATE, Contact)
# The text has POST in the heading and PUT in the sample (anomaly C1).
UPDATE_CONTACT: Operation[Contact] = Operation(
    "update_contact", "PUT", "/api/v1/contacts/{id}", Safety.REPLACE, Contact, alternative="POST"
)
SEARCH_CONTACTS: Operation[Page[Contact]] = Operation(
    "search_contacts", "GET", "/api/v1/contacts", Safety.READ, Page[Contact]
)
SEARCH_CONTACTS_RAW: Operation[bytes] = evolve(SEARCH_CONTACTS, result=bytes)  # type: ignore[assignment]
GET_CONTACT: Operation[Contact] = Operation("get_contact", "GET", "/api/v1/contacts/{id}", Safety.READ, Contact)
DELETE_CONTACT: Operation[None] = Operation("delete_contact", "DELETE", "/api/v1/contacts/{id}", Safety.DELETE, None)

LIST_USERS: Operation[Page[User]] = Operation("list_users", "GET", "/api/v2/users", Safety.READ, Page[User], whole=True)

CREATE_SUBSCRIPTION: Operation[WebhookSubscription] = Operation(
    "create_webhook_subscription", "POST", "/api/v1/webhook-subscriptions", Safety.CREATE, WebhookSubscription
)
# Here the heading has PUT and the sample POST (anomaly W4).
UPDATE_SUBSCRIPTION: Operation[WebhookSubscription] = Operation(
    "update_webhook_subscription",
    "PUT",
    "/api/v1/webhook-subscriptions/{id}",
    Safety.REPLACE,
    WebhookSubscription,
    alternative="POST",
)
LIST_SUBSCRIPTIONS: Operation[Page[WebhookSubscription]] = Operation(
    "list_webhook_subscriptions",
    "GET",
    "/api/v1/webhook-subscriptions",
    Safety.READ,
    Page[WebhookSubscription],
    whole=True,
)
GET_SUBSCRIPTION: Operation[WebhookSubscription] = Operation(
    "get_webhook_subscription", "GET", "/api/v1/webhook-subscriptions/{id}", Safety.READ, WebhookSubscription
)
DELETE_SUBSCRIPTION: Operation[None] = Operation(
    "delete_webhook_subscription", "DELETE", "/api/v1/webhook-subscriptions/{id}", Safety.DELETE, None
)

QUERY_EVENTS: Operation[Page[TelephonyEvent]] = Operation(
    "query_telephony_events",
    "POST",
    "/api/v1/telephony-events",
    Safety.READ,
    Page[ListedEvent],
    max_body=EVENT_PAGE_MAX_BODY,
)
QUERY_FITTING_EVENTS: Operation[Page[TelephonyEvent]] = evolve(QUERY_EVENTS, result=Page[TelephonyEvent])
QUERY_EVENTS_RAW: Operation[bytes] = evolve(QUERY_EVENTS, result=bytes)  # type: ignore[assignment]
EXPORT_EVENTS: Operation[str] = Operation(
    "export_telephony_events",
    "POST",
    "/api/v1/telephony-events",
    Safety.READ,
    str,
    accept=CSV,
    max_body=EVENT_PAGE_MAX_BODY,
)
GET_EVENT: Operation[TelephonyEvent] = Operation(
    "get_telephony_event", "GET", "/api/v1/telephony-events/{id}", Safety.READ, TelephonyEvent
)
FIND_EVENTS: Operation[Matches[TelephonyEvent]] = Operation(
    "find_telephony_events",
    "GET",
    "/api/v1/telephony-events",
    Safety.READ,
    Matches[ListedEvent],
    may_be_empty=True,
)

CREATE_CLICK_TO_CALL: Operation[ClickToCall] = Operation(
    "create_click_to_call", "POST", "/api/v1/click-to-call", Safety.CREATE, ClickToCall
)
LIST_CLICK_TO_CALL: Operation[Page[ClickToCall]] = Operation(
    "list_click_to_call", "GET", "/api/v1/click-to-call", Safety.READ, Page[ClickToCall], whole=True
)
GET_CLICK_TO_CALL: Operation[ClickToCall] = Operation(
    "get_click_to_call", "GET", "/api/v1/click-to-call/{id}", Safety.READ, ClickToCall
)
DELETE_CLICK_TO_CALL: Operation[None] = Operation(
    "delete_click_to_call", "DELETE", "/api/v1/click-to-call/{id}", Safety.DELETE, None
)
CONNECT: Operation[Connection] = Operation(
    "connect_click_to_call", "POST", "/api/v1/click-to-call/{id}/connect", Safety.RING, Connection
)

OPERATIONS: tuple[Operation[Any], ...] = tuple(
    value for value in dict(globals()).values() if isinstance(value, Operation)
)

_BY_VERB = {"GET": Safety.READ, "HEAD": Safety.READ, "PUT": Safety.REPLACE, "DELETE": Safety.DELETE}


def free_operation(method: str, path: str) -> Operation[Any]:
    """The operation of any request: the API's own safety where it is listed, else the verb's; unknown verbs create.

    What rings does so whatever the verb: of verbs the API text is not sure (anomalies C1 and W4).
    """
    arguments.one_of("method", method, ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"])
    arguments.path("path", path)
    listed = next((operation for operation in OPERATIONS if operation.names(method, path)), None)
    safety = listed.safety if listed else _BY_VERB.get(method, Safety.CREATE)
    if CONNECT.is_at(path):
        safety = Safety.RING
    max_body = listed.max_body if listed else MAX_BODY
    label = listed.path if listed else "(unlisted path)"
    return Operation(f"{method} request", method, path, safety, Any, max_body=max_body, may_be_empty=True, label=label)
