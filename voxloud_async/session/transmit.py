"""The innermost layer: one attempt on the wire, its status turned into an error."""

from __future__ import annotations

from .._clock import Clock
from ..protocol.exchange import read_error
from ..wire.message import Response
from ..wire.transport import Transport
from .call import Call, Handler
from .events import AttemptEnded, Notify
from .service_time import ServiceTime

_SUCCESS = range(200, 300)  # which of them is documented nowhere (anomaly G6)


def transmit(transport: Transport, *, clock: Clock, notify: Notify, service_time: ServiceTime) -> Handler:
    """Send one attempt within what is left of the call's time."""

    async def send(call: Call) -> Response:
        call.attempts += 1
        started = clock.now()
        try:
            response = await transport.send(call.request, timeout=call.timeout(started))
        except BaseException as error:  # a cancelled attempt was one too
            if call.heard:
                notify(_ended(call, clock.now() - started, error=type(error).__name__))
            raise
        ended = clock.now()
        service_time.hear(response.headers, ended)
        if call.heard:
            notify(_ended(call, ended - started, status=response.status))
        if response.status not in _SUCCESS:
            if response.stream is not None:
                await response.stream.aclose()
            raise read_error(call.operation, call.request, response, wall=clock.wall())
        return response

    return send


def _ended(call: Call, seconds: float, *, status: int | None = None, error: str | None = None) -> AttemptEnded:
    operation = f"{call.request.method} {call.operation.label or call.operation.path}"  # perhaps its other verb
    return AttemptEnded(operation, call.attempts, seconds, status, error, call=call.number)
