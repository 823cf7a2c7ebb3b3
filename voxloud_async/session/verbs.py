"""PUT or POST: the API text contradicts itself on both updates (anomalies C1 and W4), and the service knows best."""

from __future__ import annotations

from collections.abc import Awaitable

from attrs import evolve

from ..errors import MethodNotAllowedError
from ..wire.message import Response
from .call import Call, Handler


def verbs(handler: Handler) -> Handler:
    """After a 405, and after nothing else, try an update's other verb once; remember the verb that worked.

    That it met another error than a 405 proves nothing: a proxy may have said the 405, and no route the 404.
    """
    learned: dict[str, str] = {}

    def send(call: Call) -> Awaitable[Response]:
        alternative = call.operation.alternative
        return handler(call) if alternative is None else either(call, alternative)

    async def either(call: Call, alternative: str) -> Response:
        operation = call.operation
        if call.attempts == 0:  # a call that is sent again keeps the verb it has come to
            _use(call, learned.get(operation.name, operation.method))
        try:
            response = await handler(call)
        except MethodNotAllowedError:
            _use(call, alternative if call.request.method == operation.method else operation.method)
            response = await handler(call)
        learned[operation.name] = call.request.method
        return response

    return send


def _use(call: Call, method: str) -> None:
    if call.request.method != method:
        call.request = evolve(call.request, method=method)
