"""What is known of each request afterwards: a line of the log, metrics, a span, and its id.

Neither the text of a query nor any header but the id is logged, unless `LogOptions` says so.
"""

import logging
import re
from contextlib import ExitStack
from dataclasses import dataclass
from time import perf_counter
from typing import Protocol, TypeVar
from uuid import uuid4

from flask import Flask, Response, g, request
from structlog.contextvars import bound_contextvars

from hybrid.monitoring import metrics, tracing
from hybrid.query import Selection, SuggestQuery
from hybrid.web.admission import PROBES

REQUEST_ID = "X-Request-Id"

_VALID_ID = re.compile(r"[A-Za-z0-9._:=+/@-]{1,128}")

_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"))

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LogOptions:
    """`slow`: seconds from which a request is logged as slow. `queries`: log the text of each."""

    slow: float = 0.5
    queries: bool = False


class _Answer(Protocol):
    """The fields of a response that are logged."""

    @property
    def query(self) -> Selection | SuggestQuery: ...
    @property
    def generation(self) -> str: ...
    @property
    def degraded(self) -> tuple[str, ...]: ...
    @property
    def timings_ms(self) -> dict[str, float]: ...


Answer = TypeVar("Answer", bound=_Answer)


def logged(answer: Answer) -> Answer:
    """Return `answer`, and log its generation and timings with the request."""
    g.answer = answer
    for engine in answer.degraded:
        metrics.DEGRADED.labels(engine).inc()
    return answer


def note_error(code: str) -> None:
    """Log the response to the request as an error of this code."""
    g.error_code = code


def request_id() -> str:
    """Return the id of the request: its header X-Request-Id if that is valid, otherwise a new one.

    Valid are 1 to 128 letters, digits and `. _ : = + / @ -`.
    """
    if "request_id" not in g:
        given = request.headers.get(REQUEST_ID, "")
        g.request_id = given if _VALID_ID.fullmatch(given) else uuid4().hex
    identity: str = g.request_id
    return identity


def register(app: Flask, options: LogOptions) -> None:
    """Log, count and trace every request of `app`."""

    @app.before_request
    def begin() -> None:
        g.start = perf_counter()
        g.at_end = ExitStack()
        g.at_end.enter_context(metrics.IN_FLIGHT.track_inprogress())
        g.at_end.enter_context(bound_contextvars(request_id=request_id()))
        span = tracing.span(f"{_method()} {_route()}", tracing.remote_context(request.headers))
        g.span = g.at_end.enter_context(span)

    @app.after_request
    def note(response: Response) -> Response:
        response.headers[REQUEST_ID] = request_id()
        seconds = perf_counter() - g.start
        _count(response.status_code, seconds, options)
        fields = _fields(response.status_code, seconds, options)
        _write_line(fields, seconds >= options.slow)
        tracing.describe(g.span, fields)
        return response

    @app.teardown_request
    def end(_: BaseException | None) -> None:
        if "at_end" in g:  # a page may be rendered without a request
            g.at_end.close()


def _route() -> str:
    """Return the pattern of the URL, such as /movies/<movie_id>; "none" if there is none."""
    return request.url_rule.rule if request.url_rule else "none"


def _method() -> str:
    """Return the method, of which there are only so many: each is a series of the metrics."""
    return request.method if request.method in _METHODS else "other"


def _count(status: int, seconds: float, options: LogOptions) -> None:
    metrics.REQUESTS.labels(_route(), _method(), str(status)).inc()
    metrics.REQUEST_SECONDS.labels(_route()).observe(seconds)
    if seconds >= options.slow:
        metrics.SLOW.labels(_route()).inc()
    if "error_code" in g:
        metrics.REFUSED.labels(g.error_code).inc()


def _fields(status: int, seconds: float, options: LogOptions) -> dict[str, object]:
    """Return the fields of the line of a request."""
    fields: dict[str, object] = {
        "method": _method(),
        "route": _route(),
        "status": status,
        "ms": round(seconds * 1000, 3),
    }
    if "error_code" in g:
        fields["code"] = g.error_code
    answer: _Answer | None = g.get("answer")
    if answer is not None:
        fields["generation"] = answer.generation
        fields["degraded"] = list(answer.degraded)
        fields["stages_ms"] = answer.timings_ms
        if options.queries:
            fields["query"] = getattr(answer.query, "text", None)
    return fields


def _write_line(fields: dict[str, object], slow: bool) -> None:
    failed = fields["status"] in range(500, 600)
    if slow or failed:
        level = logging.WARNING
    else:
        level = logging.DEBUG if fields["route"] in PROBES else logging.INFO
    _log.log(level, "slow request" if slow else "request", extra=fields)
