"""OpenTelemetry: spans of requests and of their stages, once `start` was called.

The packages of OpenTelemetry are an extra, and nothing imports them before.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from importlib.metadata import version
from typing import Any

from hybrid.errors import InvalidInput

PACKAGE = "hybrid-film-search"


class _Tracing:
    """The tracer of OpenTelemetry, None until tracing starts."""

    tracer: Any = None


def start(endpoint: str) -> Callable[[], None]:
    """Send spans to `endpoint`, a URL that takes OTLP over HTTP.

    Returns a function that sends what is left and stops. Raises InvalidInput without the packages.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        problem = f"needs OpenTelemetry: pip install '{PACKAGE}[otel]'"
        raise InvalidInput(f"HYBRID_OTEL_ENDPOINT {problem}", {"otel_endpoint": problem}) from None
    service = Resource.create({"service.name": PACKAGE, "service.version": version(PACKAGE)})
    provider = TracerProvider(resource=service)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    _Tracing.tracer = provider.get_tracer(PACKAGE)

    def stop() -> None:
        _Tracing.tracer = None
        provider.shutdown()

    return stop


def context() -> Any:
    """Return the present context, the parent of spans in other threads; None without tracing."""
    if _Tracing.tracer is None:
        return None
    from opentelemetry.context import get_current

    return get_current()


def remote_context(headers: Iterable[tuple[str, str]]) -> Any:
    """Return the context that the header `traceparent` of a request names, as `context` does."""
    if _Tracing.tracer is None:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({name.lower(): value for name, value in headers})


def span(name: str, parent: Any) -> AbstractContextManager[Any]:
    """Return a context manager that is a span below `parent`, or nothing without tracing.

    An exception that passes through it becomes a part of the span.
    """
    if _Tracing.tracer is None:
        return nullcontext()
    opened: AbstractContextManager[Any] = _Tracing.tracer.start_as_current_span(name, parent)
    return opened


def describe(opened: Any, fields: Mapping[str, object]) -> None:
    """Give the span that `span` opened, None without tracing, these numbers and texts."""
    if opened is not None:
        values = {k: v for k, v in fields.items() if isinstance(v, str | int | float)}
        opened.set_attributes(values)
