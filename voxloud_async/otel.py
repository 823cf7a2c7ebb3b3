"""OpenTelemetry: a subscriber that turns the session's events into spans and metrics (extra `[otel]`).

Names follow the semantic conventions of HTTP clients: https://opentelemetry.io/docs/specs/semconv/http/http-spans/
A call is an internal span in the caller's trace, each attempt a client span below it. The events hold nothing personal,
and so do the spans: what they call the URL is its template.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import urlsplit

try:
    from opentelemetry import metrics, trace
except ModuleNotFoundError as error:
    raise ImportError("spans need opentelemetry: pip install 'voxloud_async[otel]'", name=error.name) from error
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TracerProvider
from opentelemetry.util.types import AttributeValue

from ._version import __version__
from .session.events import (
    AttemptEnded,
    CallEnded,
    CallStarted,
    Event,
    KeyRefused,
    Outage,
    Paused,
    RetryDenied,
    Retrying,
    Waited,
)

_NAME = "voxloud_async"
_NANOSECONDS = 1_000_000_000
_SUCCESS = range(200, 300)
_PORTS = {"https": 443, "http": 80}
_BOUNDARIES = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Seconds, as the conventions advise for `http.client.request.duration`; the SDK would take milliseconds."""
_WAIT_BOUNDARIES = (*_BOUNDARIES, 30.0, 60.0, 120.0, 300.0, 600.0)
"""A call may wait for minutes while the service refuses."""

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
        self._calls: dict[int, tuple[Span, Attributes]] = {}
        self._duration = meter.create_histogram(
            "http.client.request.duration",
            unit="s",
            description="Duration of one attempt on the wire.",
            explicit_bucket_boundaries_advisory=_BOUNDARIES,
        )
        self._waited = meter.create_histogram(
            "voxloud.limiter.wait",
            unit="s",
            description="Time a call waited for the limiter.",
            explicit_bucket_boundaries_advisory=_WAIT_BOUNDARIES,
        )
        self._retries = meter.create_counter("voxloud.retries", unit="{retry}", description="Attempts made again.")
        self._denials = meter.create_counter(
            "voxloud.retries.denied", unit="{retry}", description="Attempts not made again, since too many calls fail."
        )
        self._refusals = meter.create_counter(
            "voxloud.key.refusals", unit="{refusal}", description="Times the key was refused again and again."
        )
        self._pauses = meter.create_counter(
            "voxloud.pauses", unit="{pause}", description="Pauses after refusals and outages."
        )
        self._outages = meter.create_counter(
            "voxloud.outages", unit="{outage}", description="Pauses of more than five seconds without an answer."
        )

    def __call__(self, event: Event) -> None:
        """Take one event of the session."""
        match event:
            case CallStarted():
                span = self._tracer.start_span(event.operation, kind=SpanKind.INTERNAL)
                self._calls[event.call] = (span, _server(event))
            case AttemptEnded():
                self._attempt(event)
            case Waited():
                self._waited.record(event.seconds, {"voxloud.operation": event.operation})
            case Retrying():
                self._retries.add(1, {"voxloud.operation": event.operation, "error.type": event.error})
            case RetryDenied():
                self._denials.add(1, {"voxloud.operation": event.operation, "error.type": event.error})
            case KeyRefused():
                self._refusals.add(1)
            case Paused():
                self._pauses.add(1, {"error.type": event.error})
            case Outage():
                self._outages.add(1, {"error.type": event.error})
            case _:
                self._end(event)

    def _attempt(self, event: AttemptEnded) -> None:
        parent, server = self._calls[event.call]
        attributes = server | _attributes(event)
        self._duration.record(event.seconds, attributes)
        end = self._time_ns()
        span = self._tracer.start_span(
            event.operation,
            context=trace.set_span_in_context(parent),
            kind=SpanKind.CLIENT,
            attributes=attributes | ({"http.request.resend_count": event.attempt - 1} if event.attempt > 1 else {}),
            start_time=end - round(event.seconds * _NANOSECONDS),
        )
        if "error.type" in attributes:
            span.set_status(Status(StatusCode.ERROR))
        span.end(end)

    def _end(self, event: CallEnded) -> None:
        span, _ = self._calls.pop(event.call)
        span.set_attribute("voxloud.attempts", event.attempts)
        if event.error is not None:
            span.set_attribute("error.type", event.error)
            span.set_status(Status(StatusCode.ERROR))
        span.end()


def _server(event: CallStarted) -> Attributes:
    url = urlsplit(f"{event.scheme}://{event.server}")
    return {"server.address": url.hostname or event.server, "server.port": url.port or _PORTS[event.scheme]}


def _attributes(event: AttemptEnded) -> Attributes:
    method, _, template = event.operation.partition(" ")
    found: Attributes = {"http.request.method": method, "url.template": template}
    if event.status is not None:
        found["http.response.status_code"] = event.status
    if event.error is not None:
        found["error.type"] = event.error
    elif event.status is not None and event.status not in _SUCCESS:
        found["error.type"] = str(event.status)
    return found
