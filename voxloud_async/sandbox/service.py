"""From a call to its answer: the key, the path, the method, the format, then the endpoint. No I/O."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from http import HTTPStatus

from attrs import define, field

from .accept import preferred
from .context import Context
from .drift import Movement
from .endpoints.contacts import search_contacts
from .endpoints.telephony import query_events
from .errors import DOCS_PAGE, Trouble, html
from .exchange import JSON, Answer, Call, RefusalError
from .media import MEDIA, media
from .pbx import Pbx
from .quirks import Quirks
from .routes import Routes

_MESSAGES = {
    429: "You're doing too many requests! Slow down!",
    500: "We had a problem with our server. Try again later.",
    503: "We're temporarily offline for maintenance. Please try again later.",
}
"""The words of the API text (L911-913)."""


@define
class Service:
    """The API of one PBX under one key."""

    pbx: Pbx
    quirks: Quirks
    api_key: str = field(repr=False)
    movement: Movement
    _routes: Routes = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._routes = Routes(self.quirks)

    def answer(self, call: Call) -> Answer:
        """Carry out a call, or say why not."""
        try:
            return self._carry_out(call)
        except RefusalError as refusal:
            trouble = self._trouble(call, refusal.status, refusal.message, refusal.headers)
            return trouble.answer(self.quirks.error_body)

    def failure(
        self, call: Call, status: HTTPStatus, *, as_page: bool = False, retry_after: str | None = None
    ) -> Answer:
        """An error that comes from no endpoint."""
        headers = {} if retry_after is None else {"Retry-After": retry_after}
        trouble = self._trouble(call, status, _MESSAGES.get(status, status.description), headers)
        return trouble.answer("html" if as_page else self.quirks.error_body)

    def _carry_out(self, call: Call) -> Answer:
        if call.unreadable is not None:
            raise call.unreadable
        if call.path.startswith(f"{MEDIA}/"):
            return media(call, self.pbx)
        target = self._routes.find(call.path)
        if target is None and self.quirks.wrong_path == "html":
            return html(HTTPStatus.NOT_FOUND, DOCS_PAGE)
        if not hmac.compare_digest(call.key.encode(errors="surrogateescape"), self.api_key.encode()):
            raise RefusalError(HTTPStatus.UNAUTHORIZED, "the API key is wrong")
        if target is None:
            raise RefusalError(HTTPStatus.NOT_FOUND, "no such path")
        endpoint = target.endpoint(call.method)
        if endpoint is not query_events:
            preferred(call.headers.get("accept", ""), (JSON,))
        answer = endpoint(Context(pbx=self.pbx, quirks=self.quirks, call=call, id=target.id))
        self._let_drift(endpoint)
        return answer

    def _let_drift(self, endpoint: object) -> None:
        if endpoint is query_events:
            self.movement.of_events()
        elif endpoint is search_contacts:
            self.movement.of_contacts()

    def _trouble(self, call: Call, status: int, message: str, headers: Mapping[str, str]) -> Trouble:
        return Trouble(status=status, message=message, path=call.path, now=self.pbx.clock(), headers=headers)
