"""Spans and metrics of the session's events, and nothing personal in them."""

from __future__ import annotations

import asyncio
import json
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("opentelemetry.sdk", reason="the extra [otel] is not installed")

from attrs import frozen
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from tests.session.harness import Wire
from tests.virtual_time import run_virtual
from voxloud_async import RetryPolicy, VoxloudClient
from voxloud_async._clock import LoopClock
from voxloud_async.errors import (
    AuthenticationError,
    NotFoundError,
    OutcomeUnknownError,
    ResponseLostError,
    ServerError,
)
from voxloud_async.otel import OpenTelemetrySubscriber
from voxloud_async.testing import answer

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from opentelemetry.sdk.trace import ReadableSpan

KEY = "key-of-the-pbx"
ACCOUNT = answer({"name": "Rossi", "email": "admin@example.com"})
VALIDATE = "POST /api/v1/validate-auth"
CREATE = "POST /api/v1/contacts"
SERVER = {"server.address": "api.example", "server.port": 8443}


@frozen
class Observed:
    """A client under observation, and what was exported."""

    client: VoxloudClient
    tracer: TracerProvider
    spans_of: InMemorySpanExporter
    reader: InMemoryMetricReader
    subscriber: OpenTelemetrySubscriber

    @property
    def spans(self) -> list[ReadableSpan]:
        return [*self.spans_of.get_finished_spans()]

    @property
    def metrics(self) -> dict[str, list[Any]]:
        data = self.reader.get_metrics_data()
        scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics] if data else []
        return {metric.name: [*metric.data.data_points] for scope in scopes for metric in scope.metrics}


def observe(wire: Wire, **options: Any) -> Observed:
    """A client whose jitter is nothing, watched by providers of its own."""
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracer, meter = TracerProvider(), MeterProvider([reader])
    tracer.add_span_processor(SimpleSpanProcessor(exporter))
    now = asyncio.get_running_loop().time
    subscriber = OpenTelemetrySubscriber(
        tracer_provider=tracer, meter_provider=meter, time_ns=lambda: round(now() * 1e9)
    )
    client = VoxloudClient(
        KEY,
        transport=wire,
        clock=LoopClock(),  # whose limit is shared with no other test
        subscribers=[subscriber],
        **{"base_url": "https://api.example:8443", "rate": None} | options,
    )
    return Observed(client, tracer, exporter, reader, subscriber)


def test_a_call_is_an_internal_span_with_an_attempt_below_it() -> None:
    async def main() -> None:
        seen = observe(Wire(ACCOUNT, seconds=2.0))
        await seen.client.validate_auth()
        attempt, call = seen.spans
        assert (call.name, call.kind, call.parent, call.status.status_code) == (
            VALIDATE,
            SpanKind.INTERNAL,
            None,
            StatusCode.UNSET,
        )
        assert dict(call.attributes or {}) == {"voxloud.attempts": 1}
        assert (attempt.name, attempt.kind, attempt.status.status_code) == (VALIDATE, SpanKind.CLIENT, StatusCode.UNSET)
        assert attempt.parent == call.context
        assert dict(attempt.attributes or {}) == SERVER | {
            "http.request.method": "POST",
            "url.template": "/api/v1/validate-auth",
            "http.response.status_code": 200,
        }
        assert attempt.start_time is not None
        assert attempt.end_time is not None
        assert attempt.end_time - attempt.start_time == pytest.approx(2e9, rel=1e-3)

    run_virtual(main())


def test_each_attempt_tells_how_it_ended() -> None:
    async def main() -> None:
        wire = Wire(ResponseLostError("reset"), answer(status=429, headers={"Retry-After": "3"}), ACCOUNT)
        seen = observe(wire, retry=RetryPolicy(base=0.1))
        await seen.client.validate_auth()
        *attempts, call = seen.spans
        facts = ("http.request.resend_count", "http.response.status_code", "error.type")
        assert [[(each.attributes or {}).get(fact) for fact in facts] for each in attempts] == [
            [None, None, "ResponseLostError"],
            [1, 429, "429"],
            [2, 200, None],
        ]
        codes = [each.status.status_code for each in seen.spans]
        assert codes == [StatusCode.ERROR, StatusCode.ERROR, StatusCode.UNSET, StatusCode.UNSET]
        assert dict(call.attributes or {}) == {"voxloud.attempts": 3}
        points = seen.metrics
        assert sum(point.count for point in points["http.client.request.duration"]) == 3
        assert sum(point.value for point in points["voxloud.retries"]) == 2
        assert [(point.value, dict(point.attributes)) for point in points["voxloud.pauses"]] == [
            (1, {"error.type": "RateLimitedError"})
        ]
        assert sum(point.sum for point in points["voxloud.limiter.wait"]) == pytest.approx(3.0, abs=0.3)

    run_virtual(main())


def test_what_is_not_sent_is_counted() -> None:
    async def main() -> None:
        seen = observe(Wire(answer(status=401)))
        for _ in range(4):
            with pytest.raises(AuthenticationError):
                await seen.client.users.list()
        assert [point.value for point in seen.metrics["voxloud.key.refusals"]] == [1]
        seen = observe(Wire(answer(status=500)), retry=RetryPolicy(max_faults=100, base=0.0))
        with pytest.raises(ServerError):
            await seen.client.validate_auth()
        assert [(point.value, dict(point.attributes)) for point in seen.metrics["voxloud.retries.denied"]] == [
            (1, {"voxloud.operation": VALIDATE, "error.type": "ServerError"})
        ]

    run_virtual(main())


def test_a_call_that_fails_is_an_error() -> None:
    async def main() -> None:
        seen = observe(Wire(answer(status=404)))
        with pytest.raises(NotFoundError):
            await seen.client.validate_auth()
        call = seen.spans[-1]
        assert call.status.status_code is StatusCode.ERROR
        assert dict(call.attributes or {}) == {"voxloud.attempts": 1, "error.type": "NotFoundError"}

    run_virtual(main())


def test_a_call_belongs_to_the_span_it_is_made_in() -> None:
    async def main() -> None:
        seen = observe(Wire(ACCOUNT))

        async def job(name: str) -> None:
            with seen.tracer.get_tracer("job").start_as_current_span(name):
                await seen.client.validate_auth()

        await asyncio.gather(job("first"), job("second"))
        by_id = {span.context.span_id: span for span in seen.spans if span.context}
        calls = [span for span in seen.spans if span.name == VALIDATE and span.kind is SpanKind.INTERNAL]
        assert {by_id[call.parent.span_id].name for call in calls if call.parent} == {"first", "second"}
        assert trace.get_current_span() is trace.INVALID_SPAN

    run_virtual(main())


@pytest.mark.parametrize("place", ["on the wire", "at the gate"])
def test_nothing_is_kept_of_a_call_that_ended(place: str) -> None:
    async def main() -> None:
        waits = Wire(ACCOUNT, seconds=60.0)
        refused = Wire(answer(status=503, headers={"Retry-After": "60"}))
        seen = observe(waits if place == "on the wire" else refused)
        calls: list[Awaitable[Any]] = [asyncio.ensure_future(seen.client.validate_auth()) for _ in range(5)]
        await asyncio.sleep(1.0)
        assert len(seen.subscriber._calls) == 5
        for call in calls:
            assert isinstance(call, asyncio.Future)
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        assert not seen.subscriber._calls
        ended = [span for span in seen.spans if span.kind is SpanKind.INTERNAL]
        assert [(span.attributes or {}).get("error.type") for span in ended] == ["CancelledError"] * 5

    run_virtual(main())


def test_no_key_no_number_and_no_name_is_exported() -> None:
    async def main() -> None:
        seen = observe(Wire(answer(status=500, body=b"Ada +390612345678"), answer(status=404)))
        with pytest.raises(OutcomeUnknownError):
            await seen.client.contacts.create(first_name="Ada", primary_phone="+390612345678")
        with pytest.raises(NotFoundError):
            await seen.client.contacts.get("54db43f0")
        data = seen.reader.get_metrics_data()
        assert data is not None
        told = json.dumps([json.loads(span.to_json()) for span in seen.spans]) + data.to_json()
        assert CREATE in told
        for secret in (KEY, "390612345678", "Ada", "54db43f0"):
            assert secret not in told

    run_virtual(main())


@pytest.mark.parametrize(
    ("base_url", "address", "port"),
    [
        ("https://api.example", "api.example", 443),
        ("HTTPS://api.example:8443", "api.example", 8443),
        ("http://localhost", "localhost", 80),
        ("http://[::1]:8080", "::1", 8080),
    ],
)
def test_the_port_is_set_also_where_it_is_the_schemes(base_url: str, address: str, port: int) -> None:
    async def main() -> None:
        seen = observe(Wire(ACCOUNT), base_url=base_url)
        await seen.client.validate_auth()
        attempt, _ = seen.spans
        (point,) = seen.metrics["http.client.request.duration"]
        for attributes in (attempt.attributes or {}, point.attributes):
            assert (attributes["server.address"], attributes["server.port"]) == (address, port)

    run_virtual(main())


def test_durations_and_waits_fall_into_buckets_of_seconds() -> None:
    async def main() -> None:
        seen = observe(Wire(ACCOUNT, seconds=0.06), rate=2)
        for _ in range(9):
            await seen.client.validate_auth()
        (duration,), (wait,) = seen.metrics["http.client.request.duration"], seen.metrics["voxloud.limiter.wait"]
        advised = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)  # semantic conventions
        assert duration.explicit_bounds == advised
        assert duration.bucket_counts[advised.index(0.075)] == 9
        assert wait.explicit_bounds[: len(advised)] == advised
        assert wait.explicit_bounds[-1] == 600

    run_virtual(main())


async def test_without_providers_the_global_ones_are_used() -> None:
    client = VoxloudClient(
        KEY, base_url="https://api.example", transport=Wire(ACCOUNT), subscribers=[OpenTelemetrySubscriber()]
    )
    assert (await client.validate_auth()).name == "Rossi"


def test_without_opentelemetry_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "voxloud_async.otel")
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(ImportError, match=r"pip install 'voxloud_async\[otel\]'"):
        import_module("voxloud_async.otel")
