"""Where each endpoint is found. One path takes several methods; an `{id}` stands for one segment."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import unquote

from attrs import frozen

from .context import Endpoint
from .endpoints import account, click_to_call, contacts, subscriptions, telephony, users
from .exchange import RefusalError
from .quirks import Quirks, Verbs

_VERBS: dict[Verbs, tuple[str, ...]] = {"both": ("PUT", "POST"), "put": ("PUT",), "post": ("POST",)}

Methods = Mapping[str, Endpoint]


@frozen
class Target:
    """What a path leads to: its methods and the id in it, empty when it has none."""

    methods: Methods
    id: str = ""

    def endpoint(self, method: str) -> Endpoint:
        """The endpoint of a method; 405 with Allow when there is none."""
        endpoint = self.methods.get(method)
        if endpoint is None:
            allow = {"Allow": ", ".join(self.methods)}
            raise RefusalError(HTTPStatus.METHOD_NOT_ALLOWED, f"request method '{method}' is not supported", allow)
        return endpoint


class Routes:
    """The paths of the API, as these quirks have them."""

    def __init__(self, quirks: Quirks) -> None:
        self._paths = {tuple(path.split("/")): methods for path, methods in _paths(quirks).items()}

    def find(self, path: str) -> Target | None:
        """What a percent-encoded path leads to, None outside the API."""
        segments = tuple(path.split("/"))
        methods = self._paths.get(segments)
        if methods is not None:
            return Target(methods)
        for place in range(len(segments) - 1, 0, -1):
            methods = self._paths.get((*segments[:place], "{id}", *segments[place + 1 :]))
            if methods is not None and segments[place]:
                return Target(methods, unquote(segments[place]))
        return None


def _paths(quirks: Quirks) -> dict[str, Methods]:
    update_contact = dict.fromkeys(_VERBS[quirks.contact_update], contacts.update_contact)
    update_subscription = dict.fromkeys(_VERBS[quirks.subscription_update], subscriptions.update_subscription)
    return {
        "/api/v1/validate-auth": {"POST": account.validate_auth},
        "/api/v1/contacts": {"GET": contacts.search_contacts, "POST": contacts.create_contact},
        "/api/v1/contacts/{id}": {
            "GET": contacts.get_contact,
            **update_contact,
            "DELETE": contacts.delete_contact,
        },
        "/api/v2/users": {"GET": users.list_users},
        "/api/v1/webhook-subscriptions": {
            "GET": subscriptions.list_subscriptions,
            "POST": subscriptions.create_subscription,
        },
        "/api/v1/webhook-subscriptions/{id}": {
            "GET": subscriptions.get_subscription,
            **update_subscription,
            "DELETE": subscriptions.delete_subscription,
        },
        "/api/v1/telephony-events": {"GET": telephony.find_events, "POST": telephony.query_events},
        "/api/v1/telephony-events/{id}": {"GET": telephony.get_event},
        "/api/v1/click-to-call": {
            "GET": click_to_call.list_click_to_calls,
            "POST": click_to_call.create_click_to_call,
        },
        "/api/v1/click-to-call/{id}": {
            "GET": click_to_call.get_click_to_call,
            "DELETE": click_to_call.delete_click_to_call,
        },
        "/api/v1/click-to-call/{id}/connect": {"POST": click_to_call.connect_click_to_call},
    }
