"""Traces: spans that reach a collector, and nothing imported without the setting."""

import gzip
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from hybrid.errors import InvalidInput
from hybrid.monitoring import tracing
from hybrid.web.app import create_app
from tests import corpus
from tests.command import run_code
from tests.fakes import FakeLexical
from tests.small import open_small

FILMS = corpus.films(10)

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
def collector() -> Iterator[tuple[str, list[Any]]]:
    """Give the URL of a collector of OTLP over HTTP, and the spans that it has received."""
    spans: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in resource.scope_spans:
                    spans.extend(scope.spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1/traces", spans
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_request_is_a_span_with_its_stages_below(
    tmp_path: Path, collector: tuple[str, list[Any]]
) -> None:
    """In the trace of the caller, with route and status; the text of the query is in no span. All
    is sent before tracing stops, and afterwards nothing is."""
    url, spans = collector
    search = open_small(tmp_path, FILMS, FakeLexical(FILMS))
    client = create_app(search).test_client()
    stop = tracing.start(url)
    answer = client.get(
        "/search?q=unmistakable", headers={"traceparent": f"00-{TRACE}-{PARENT}-01"}
    ).get_json()
    stop()
    client.get("/search?q=captain")
    search.close()
    by_name = {span.name: span for span in spans}
    assert set(by_name) == {"GET /search", *answer["timings_ms"]}
    request = by_name.pop("GET /search")
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE, PARENT)
    attributes = {pair.key: pair.value for pair in request.attributes}
    assert attributes["route"].string_value == "/search"
    assert attributes["status"].int_value == 200
    for stage in by_name.values():
        assert stage.trace_id == request.trace_id
        assert stage.parent_span_id == request.span_id
        assert request.start_time_unix_nano <= stage.start_time_unix_nano
        assert stage.end_time_unix_nano <= request.end_time_unix_nano
    assert "unmistakable" not in str(spans)


def test_nothing_is_imported_without_the_setting() -> None:
    """The service starts and searches without a package of OpenTelemetry."""
    run_code(
        "import sys, hybrid.web.app, hybrid.web.server\n"
        "from hybrid.monitoring.stopwatch import Stopwatch\n"
        "with Stopwatch().stage('total'): pass\n"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry')]\n"
    )


def test_without_the_packages_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The setting is named, and the extra."""
    exporter = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
    monkeypatch.setitem(sys.modules, exporter, None)
    with pytest.raises(InvalidInput, match=r"HYBRID_OTEL_ENDPOINT.*\[otel\]"):
        tracing.start("http://127.0.0.1:4318/v1/traces")
