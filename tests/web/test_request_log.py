"""What is known of each request afterwards: its id, its line in the log, its metrics."""

import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hybrid.monitoring import log, metrics
from hybrid.web.admission import Lane
from hybrid.web.app import create_app
from hybrid.web.refusals import INTERVAL, RefusalLog
from hybrid.web.request_log import LogOptions
from tests import corpus
from tests.command import Index
from tests.fakes import FakeLexical
from tests.small import open_small
from tests.web.http import Service, received, serving
from tests.web.production import production
from tests.web.scrape import scrape

FILMS = corpus.films(30)

FILM, OTHER = FILMS[0].id, FILMS[1].id

SECRET = "unmistakable-words"


@pytest.fixture
def lexical() -> FakeLexical:
    """Give a keyword engine that can be away."""
    return FakeLexical(FILMS)


@pytest.fixture
def options() -> LogOptions:
    """Give options under which nothing is slow."""
    return LogOptions(slow=3600)


@pytest.fixture
def service(tmp_path: Path, lexical: FakeLexical, options: LogOptions) -> Iterator[Service]:
    """Give a service over a few films."""
    search = open_small(tmp_path, FILMS, lexical)
    with serving(create_app(search, log=options)) as running:
        yield running
    search.close()


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Give all that is logged."""
    caplog.set_level(logging.DEBUG, logger="hybrid")
    return caplog


def logged(lines: pytest.LogCaptureFixture) -> list[Mapping[str, Any]]:
    """Return the fields of the service's lines, without those of werkzeug's test server."""
    return [vars(record) for record in lines.records if record.name.startswith("hybrid")]


def last(lines: pytest.LogCaptureFixture) -> Mapping[str, Any]:
    """Return the fields of the last line."""
    return logged(lines)[-1]


def test_a_search_is_logged_with_its_stages(
    service: Service, lines: pytest.LogCaptureFixture
) -> None:
    """Route, status, milliseconds by stage, generation and degraded; not the query."""
    _, answer = service.get("/search", q=SECRET)
    line = last(lines)
    assert (line["msg"], line["levelname"]) == ("request", "INFO")
    assert (line["method"], line["route"], line["status"]) == ("GET", "/search", 200)
    assert line["stages_ms"] == answer["timings_ms"]
    assert line["ms"] >= answer["timings_ms"]["total"] > 0
    assert line["generation"] == answer["generation"]
    assert line["degraded"] == []
    assert SECRET not in str(logged(lines))


@pytest.mark.parametrize("path", ["/search", "/compare", f"/explain/{FILM}", "/"])
def test_every_kind_of_search_is_logged(
    service: Service, lines: pytest.LogCaptureFixture, path: str
) -> None:
    """Comparisons, explanations and the page of results have stages, too."""
    service.page(path, q="captain")
    assert last(lines)["stages_ms"]["total"] > 0


@pytest.mark.parametrize("options", [LogOptions(slow=3600, queries=True)])
@pytest.mark.parametrize("path", ["/search", "/compare", "/"])
def test_queries_are_logged_on_request(
    service: Service, lines: pytest.LogCaptureFixture, path: str
) -> None:
    """With the setting a line has the text as it was searched for."""
    service.page(path, q=f"  {SECRET} ")
    assert last(lines)["query"] == SECRET


@pytest.mark.parametrize("options", [LogOptions(slow=1e-9)])
def test_a_slow_request_is_a_warning(service: Service, lines: pytest.LogCaptureFixture) -> None:
    """From the threshold on, and it is counted."""
    before = scrape(service).value("hybrid_slow_requests_total", route="/search")
    service.get("/search", q="captain")
    line = last(lines)
    assert (line["msg"], line["levelname"], line["route"]) == ("slow request", "WARNING", "/search")
    assert scrape(service).value("hybrid_slow_requests_total", route="/search") == before + 1


def test_degraded_searches_and_failures_are_said(
    service: Service, lexical: FakeLexical, lines: pytest.LogCaptureFixture
) -> None:
    """Without the keyword engine the line names it; a search of it alone is a warning with the
    code of its error. Both are counted, as are the failed calls."""
    lexical.away = True
    before = scrape(service)
    service.get("/search", q="captain")
    assert last(lines)["degraded"] == ["keyword"]
    assert service.get("/search", q="captain", mode="keyword")[0] == 503
    line = last(lines)
    assert (line["levelname"], line["code"]) == ("WARNING", "engine_unavailable")
    assert service.page("/", q="captain", mode="keyword")[0] == 503
    assert last(lines)["code"] == "engine_unavailable"
    after = scrape(service)
    for name, labels, count in (
        ("hybrid_degraded_total", {"engine": "keyword"}, 1),
        ("hybrid_refused_total", {"code": "engine_unavailable"}, 2),
        ("hybrid_engine_errors_total", {"engine": "keyword"}, 3),
        ("hybrid_engine_errors_total", {"engine": "encode"}, 0),
        ("hybrid_engine_seconds_count", {"engine": "keyword"}, 3),
        ("hybrid_engine_seconds_count", {"engine": "encode"}, 1),
        ("hybrid_engine_seconds_count", {"engine": "semantic"}, 1),
    ):
        assert after.value(name, **labels) - before.value(name, **labels) == count, name


def test_probes_are_not_logged(service: Service, lines: pytest.LogCaptureFixture) -> None:
    """Monitors would fill the log: only debugging shows them."""
    for path in ("/health/live", "/health/ready", "/metrics"):
        service.raw("GET", path)
        assert (last(lines)["route"], last(lines)["levelname"]) == (path, "DEBUG")


def test_requests_are_counted_by_route_method_and_status(service: Service) -> None:
    """An id in a URL, an unknown URL or an invented method makes no series of its own."""
    before = scrape(service)
    service.get(f"/movies/{FILM}")
    service.get(f"/movies/{OTHER}")
    service.get("/movies/999999")
    service.get("/nothing/here")
    service.send("BREW", "/search")
    after = scrape(service)
    for route, method, status, count in (
        ("/movies/<movie_id>", "GET", "200", 2),
        ("/movies/<movie_id>", "GET", "404", 1),
        ("none", "GET", "404", 1),
        ("none", "other", "405", 1),
    ):
        labels = {"route": route, "method": method, "status": status}
        name = "hybrid_requests_total"
        assert after.value(name, **labels) - before.value(name, **labels) == count
    assert after.value("hybrid_requests_in_flight") == 1  # the scrape itself
    routes = {dict(labels).get("route") for name, labels in after.values}
    assert not [route for route in routes if route and ("999999" in route or "nothing" in route)]


def test_stages_are_counted(service: Service) -> None:
    """Each stage of a response is in the histogram, with the time that the response names."""
    before = scrape(service)
    _, answer = service.get("/search", q="captain")
    after = scrape(service)
    assert {"keyword", "encode", "semantic", "total"} <= set(answer["timings_ms"])
    for stage, ms in answer["timings_ms"].items():
        spent = after.value("hybrid_stage_seconds_sum", stage=stage) - before.value(
            "hybrid_stage_seconds_sum", stage=stage
        )
        assert spent * 1000 == pytest.approx(ms, abs=0.002)


def test_caches_are_counted(service: Service) -> None:
    """A second search for the same words finds their terms in the cache."""
    for _ in range(2):
        before = scrape(service)
        service.get("/search", q="unheardofword captain", highlight="true")
        after = scrape(service)
    hits = "hybrid_cache_hits_total"
    assert after.value(hits, cache="words") > before.value(hits, cache="words")
    assert after.value("hybrid_cache_entries", cache="titles") > 0


@pytest.fixture
def client(tmp_path: Path, lexical: FakeLexical) -> Iterator[FlaskClient]:
    """Give a client of the application, without a socket."""
    search = open_small(tmp_path, FILMS, lexical)
    yield create_app(search).test_client()
    search.close()


@given(given_id=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=140))
@example("a" * 128)
@example("a" * 129)
@example("7f3a-91.b_c:d=e+f/g@h")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_an_id_that_is_valid_comes_back(client: FlaskClient, given_id: str) -> None:
    """Up to 128 characters of a few kinds; another one is replaced by a new id."""
    back = client.get("/health/live", headers={"X-Request-Id": given_id}).headers["X-Request-Id"]
    if re.fullmatch(r"[A-Za-z0-9._:=+/@-]{1,128}", given_id):
        assert back == given_id
    else:
        assert re.fullmatch(r"[0-9a-f]{32}", back)


def test_ids_are_new_and_lines_have_them(tmp_path: Path) -> None:
    """Two requests have two ids, and the line of a request has its id, in JSON."""
    code = (
        "from pathlib import Path\n"
        "from hybrid.monitoring import log\n"
        "from hybrid.web.app import create_app\n"
        "from tests import corpus\n"
        "from tests.fakes import FakeLexical\n"
        "from tests.small import open_small\n"
        "films = corpus.films(5)\n"
        f"app = create_app(open_small(Path({str(tmp_path)!r}), films, FakeLexical(films)))\n"
        "def fail(): raise ValueError('one\\nline')\n"
        "app.add_url_rule('/fail', view_func=fail)\n"
        "log.configure('json')\n"
        "for path in ('/search?q=secret', '/search?q=secret', '/fail'):\n"
        "    print(app.test_client().get(path).headers['X-Request-Id'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    ids = done.stdout.split()
    logged = [json.loads(line) for line in done.stderr.splitlines()]
    assert len(set(ids)) == 3
    assert [line["event"] for line in logged] == ["request", "request", "internal error", "request"]
    assert [line["request_id"] for line in logged] == [ids[0], ids[1], ids[2], ids[2]]
    assert "ValueError: one\nline" in logged[2]["exception"]
    assert "secret" not in done.stderr


def test_text_has_one_line_for_each_event(capfd: pytest.CaptureFixture[str]) -> None:
    """A value with a line break cannot pass for a line of its own, nor colour a terminal."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    try:
        log.configure("text")
        logging.getLogger("hybrid").warning(
            "refused", extra={"path": "/a\nrequest", "code": "\x1b[31m"}
        )
    finally:
        root.handlers = handlers
        root.setLevel(level)
    printed = capfd.readouterr().err
    assert printed.count("\n") == 1
    assert "\x1b" not in printed
    assert r"/a\nrequest" in printed


@pytest.mark.parametrize("index", ["embedded"], indirect=True)
@pytest.mark.parametrize("workers", [1, 2])
def test_the_server_logs_what_it_refuses(
    index: Index, workers: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """What never reaches the application is logged and counted, too, whichever worker is asked; a
    query is in no line."""
    with production(**index.variables, HYBRID_WORKERS=str(workers)) as running:
        running.service.get("/search", q=SECRET)
        before = scrape(running.service)
        status, answer = received(running.service.connect(b"nonsense\r\n\r\n"))
        after = scrape(running.service)
    assert (status, answer["error"]["code"]) == (400, "malformed")
    name = "hybrid_refused_total"
    assert after.value(name, code="malformed") == before.value(name, code="malformed") + 1
    assert after.value("hybrid_requests_waiting") == 0
    series = [(name, value) for (name, _), value in after.values.items()]
    memory = [value for name, value in series if name == "process_resident_memory_bytes"]
    assert len(memory) == workers
    assert min(memory) > 10_000_000
    printed = capfd.readouterr().err
    lines = [json.loads(line) for line in printed.splitlines()]
    assert {"request", "refused"} <= {line["event"] for line in lines}
    assert SECRET not in printed


def test_requests_that_wait_for_a_thread_are_counted() -> None:
    """One that waits counts until a thread takes it or its client leaves."""
    begun, free = Event(), Event()

    def work() -> None:
        begun.set()
        free.wait(60)

    def waiting() -> float | None:
        return metrics.registry().get_sample_value("hybrid_requests_waiting", {"lane": "test"})

    lane = Lane("test", 1, max_wait=60)
    try:
        lane.submit(work)
        begun.wait(60)
        second, third = lane.submit(work), lane.submit(work)
        assert waiting() == 2
        second.cancel()
        assert waiting() == 1
        free.set()
        third.result()
        assert waiting() == 0
    finally:
        free.set()
        lane.close()


def test_refusals_are_counted_and_logged_in_moderation(lines: pytest.LogCaptureFixture) -> None:
    """Each counts; of many with the same code in a second one is logged, and the next says how many
    there were."""
    now = [100.0]
    refusals = RefusalLog(lambda: now[0])
    name, labels = "hybrid_refused_total", {"code": "overloaded"}
    before = metrics.registry().get_sample_value(name, labels) or 0
    for _ in range(5):
        refusals.note(503, "overloaded")
    refusals.note(408, "too_slow")
    now[0] += INTERVAL
    refusals.note(503, "overloaded")
    assert metrics.registry().get_sample_value(name, labels) == before + 6
    found = [vars(record) for record in lines.records if record.getMessage() == "refused"]
    assert [(line["status"], line["code"], line["count"]) for line in found] == [
        (503, "overloaded", 1),
        (408, "too_slow", 1),
        (503, "overloaded", 5),
    ]
