"""OpenTelemetry: a subscriber that turns the session's events into spans and metrics (extra `[otel]`).

Names follow the HTTP semantic conventions 1.2x for clients: https://opentelemetry.io/docs/specs/semconv/http/
A call is an internal span in the caller's trace, each attempt a client span below it. Nothing personal is in the events,
so nothing is in the spans: the path is the template.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from opentelemetry import metrics, trace
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TracerProvider
from opentelemetry.util.types import AttributeValue

from ._version import __version__
from .session.events import AttemptEnded, CallEnded, CallStarted, Event, Paused, Retrying, Waited

_NAME = "voxloud_async"
_NANOSECONDS = 1_000_000_000

Attributes = dict[str, AttributeValue]


class OpenTelemetrySubscriber:
    """`VoxloudClient(subscribers=[OpenTelemetrySubscriber()])`; without providers it uses the global ones."""

    def __init__(
        self,
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        time_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._tracer = trace.get_tracer(_NAME, __version__, tracer_provider)
        meter = metrics.get_meter(_NAME, __version__, meter_provider)
        self._time_ns = time_ns
        self._calls: dict[int, Span] = {}
        self._duration = meter.create_histogram(
            "http.client.request.duration", unit="s", description="Duration of one attempt on the wire."
        )
        self._waited = meter.create_histogram(
            "voxloud.limiter.wait", unit="s", description="Time a call waited for its turn."
        )
        self._retries = meter.create_counter("voxloud.retries", unit="{retry}", description="Attempts made again.")
        self._pauses = meter.create_counter("voxloud.pauses", unit="{pause}", description="Pauses of all calls.")

    def __call__(self, event: Event) -> None:
        """Take one event of the session."""
        match event:
            case CallStarted():
                self._calls[event.call] = self._tracer.start_span(event.operation, kind=SpanKind.INTERNAL)
            case AttemptEnded():
                self._attempt(event)
            case Waited():
                self._waited.record(event.seconds, {"voxloud.operation": event.operation})
            case Retrying():
                self._retries.add(1, {"voxloud.operation": event.operation, "error.type": event.error})
            case Paused():
                self._pauses.add(1, {"error.type": event.error})
            case CallEnded():
                self._end(event)

    def _attempt(self, event: AttemptEnded) -> None:
        attributes = _attributes(event)
        self._duration.record(event.seconds, attributes)
        parent = self._calls.get(event.call)
        end = self._time_ns()
        span = self._tracer.start_span(
            event.operation,
            context=None if parent is None else trace.set_span_in_context(parent),
            kind=SpanKind.CLIENT,
            attributes=attributes | ({"http.request.resend_count": event.attempt - 1} if event.attempt > 1 else {}),
            start_time=end - round(event.seconds * _NANOSECONDS),
        )
        if "error.type" in attributes:
            span.set_status(Status(StatusCode.ERROR))
        span.end(end)

    def _end(self, event: CallEnded) -> None:
        span = self._calls.pop(event.call, None)
        if span is None:
            return
        span.set_attribute("voxloud.attempts", event.attempts)
        if event.error is not None:
            span.set_attribute("error.type", event.error)
            span.set_status(Status(StatusCode.ERROR))
        span.end()


def _attributes(event: AttemptEnded) -> Attributes:
    method, _, template = event.operation.partition(" ")
    host, _, port = event.server.rpartition(":")
    found: Attributes = {
        "http.request.method": method,
        "url.template": template,
        "server.address": host,
        "server.port": int(port),
    }
    if event.status is not None:
        found["http.response.status_code"] = event.status
    if event.error is not None:
        found["error.type"] = event.error
    elif event.status is not None and event.status >= 400:  # noqa: PLR2004 - client and server errors
        found["error.type"] = str(event.status)
    return found
