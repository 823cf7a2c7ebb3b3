"""PUT or POST: the API text contradicts itself on both updates (anomalies C1 and W4), and the service knows best."""

from __future__ import annotations

from attrs import evolve

from ..errors import MethodNotAllowedError
from ..wire.message import Response
from .call import Call, Handler


def verbs(handler: Handler) -> Handler:
    """After a 405, and after nothing else, try an update's other verb once; remember it unless that is a 405 too."""
    learned: dict[str, str] = {}

    async def send(call: Call) -> Response:
        operation = call.operation
        if operation.alternative is None:
            return await handler(call)
        method = learned.get(operation.name, operation.method)
        try:
            return await _send_as(method, call)
        except MethodNotAllowedError:
            other = operation.alternative if method == operation.method else operation.method
            learned[operation.name] = other
        try:
            return await _send_as(other, call)
        except MethodNotAllowedError:
            learned.pop(operation.name, None)
            raise

    async def _send_as(method: str, call: Call) -> Response:
        if call.request.method != method:
            call.request = evolve(call.request, method=method)
        return await handler(call)

    return send
