"""What benchmarks compute: percentiles, arrivals, texts, filters, and the page of results."""

import json
import os
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from threading import Thread

import click
import numpy as np
import pytest

from benchmarks import performance_report
from benchmarks.filters import TOLERANCE, filters_of
from benchmarks.load import Client, check_local, closed_loop, open_loop, poisson, regular
from benchmarks.percentiles import Percentiles
from benchmarks.performance_report import filled
from benchmarks.results import machine, write_results
from benchmarks.service import memory, processes
from benchmarks.texts import new_texts
from hybrid.errors import InvalidInput
from hybrid.movie import Movie
from hybrid.query import Filters
from hybrid.storage.filter_columns import FilterValues, UnmergedColumns
from tests.event_loop import in_own_loop


def test_percentiles() -> None:
    """Seconds become milliseconds; half of the times are below the median, 1 % above the p99."""
    found = Percentiles.of([n / 1000 for n in range(101)])
    assert found == Percentiles(number=101, p50=50.0, p95=95.0, p99=99.0)


def test_regular_arrivals() -> None:
    """They come in equal intervals, for as long as they should."""
    assert regular(4.0, 1.5) == [0.0, 0.25, 0.5, 0.75, 1.0, 1.25]


def test_poisson_arrivals() -> None:
    """They come at the rate, and the gaps vary as much as they are long: a Poisson process."""
    arrivals = poisson(50.0, 200.0)
    gaps = np.diff(arrivals)
    assert len(arrivals) == pytest.approx(10_000, rel=0.05)
    assert gaps.min() > 0
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.05)
    assert arrivals == poisson(50.0, 200.0)
    assert arrivals[-1] < 200.0


def test_new_texts() -> None:
    """No text comes twice or is one of the given ones, and all words are of these."""
    texts = ["one two three four", "a b c d", "x y"]
    found = list(new_texts(texts))
    assert len(found) == len(set(found)) > 0
    assert not set(found) & set(texts)
    assert {word for text in found for word in text.split()} <= set(" ".join(texts).split())
    assert "one two c d" in found


def test_filters_allow_the_share() -> None:
    """Filters allow nearly the share of the films, some by genre; a share of 1 is no filter."""
    chance = np.random.default_rng(0)
    films = [
        Movie(
            id=number,
            title="x",
            year=int(chance.integers(1900, 2020)),
            genres=("drama" if number % 3 else "comedy",),
        )
        for number in range(4_000)
    ]
    columns = UnmergedColumns.of(map(FilterValues.of, films))
    for share in (0.5, 0.1, 0.02):
        found = filters_of(columns, share)
        assert len(found) > 1
        assert any(each.genres for each in found)
        for each in found:
            allowed = sum(map(each.matches, films))
            assert abs(allowed / len(films) - share) <= TOLERANCE * share
    assert filters_of(columns, 1.0) == [Filters()]


def test_no_filter_allows_the_share() -> None:
    """Where all films are of one year, no filter by year allows a tenth of them: an error."""
    columns = UnmergedColumns.of(
        FilterValues.of(Movie(id=number, title="x", year=1950)) for number in range(100)
    )
    with pytest.raises(InvalidInput, match=r"share of 0\.1"):
        filters_of(columns, 0.1)


class _Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.path.encode()
        self.send_response(503 if self.path == "/busy" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name there)
        """Say nothing."""


@pytest.fixture
def echo() -> Iterator[str]:
    """A server that answers with the path, and with 503 to /busy."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Echo) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_closed_loop(echo: str) -> None:
    """Every path is asked once, whatever the number of clients, and answers are whole."""

    async def ask() -> list[tuple[int, bytes]]:
        client = Client(echo)
        answers = await closed_loop(client, iter([f"/{n}" for n in range(20)] + ["/busy"]), 3)
        client.close()
        assert all(answer.seconds > 0 for answer in answers)
        return [(answer.status, answer.body) for answer in answers]

    expected = [(200, f"/{n}".encode()) for n in range(20)] + [(503, b"/busy")]
    assert sorted(in_own_loop(ask())) == sorted(expected)


def test_open_loop(echo: str) -> None:
    """A request is sent for each arrival, and each is answered."""

    async def ask() -> list[bytes]:
        client = Client(echo)
        paths = (f"/{n}" for n in range(100))
        answers = await open_loop(client, paths, [0.0, 0.0, 0.001, 0.002])
        client.close()
        return [answer.body for answer in answers]

    assert in_own_loop(ask()) == [b"/0", b"/1", b"/2", b"/3"]


def test_no_answer() -> None:
    """A request to a port where nobody listens has status 0: it counts as failed."""

    async def ask() -> list[int]:
        answers = await closed_loop(Client("http://127.0.0.1:9"), iter(["/"]), 1)
        return [answer.status for answer in answers]

    assert in_own_loop(ask()) == [0]


def test_only_this_machine() -> None:
    """Load is not put on another machine."""
    check_local("http://127.0.0.1:8000")
    with pytest.raises(click.UsageError):
        check_local("http://films.example:8000")


def test_memory_of_processes() -> None:
    """A process's own memory is part of its resident memory; a process is among its own tree."""
    own = memory(os.getpid())
    assert 0 < own.anonymous <= own.resident
    with subprocess.Popen(["sleep", "60"]) as child:
        try:
            assert {os.getpid(), child.pid} <= set(processes(os.getpid()))
        finally:
            child.kill()


def test_results_file(tmp_path: Path) -> None:
    """The file names machine and versions, and has dataclasses as objects."""
    file = tmp_path / "results" / "x.json"
    write_results(file, "x", machine(), {"times": [Percentiles(1, 2.0, 3.0, 4.0)]})
    content = json.loads(file.read_text("utf-8"))
    assert content["results"]["times"] == [{"number": 1, "p50": 2.0, "p95": 3.0, "p99": 4.0}]
    assert content["machine"]["cores"] >= 1
    assert content["versions"]["numpy"] == np.__version__


def test_marks_of_the_page() -> None:
    """Only what is between the marks of a name is replaced; a page without them is an error."""
    page = "before\n<!-- a -->\nold\n<!-- end of a -->\nafter\n"
    once = filled(page, "a", r"new \1")
    assert once == "before\n<!-- a -->\n\nnew \\1\n\n<!-- end of a -->\nafter\n"
    assert filled(once, "a", r"new \1") == once
    with pytest.raises(click.UsageError):
        filled(page, "b", "new")


def test_the_page_is_of_the_results() -> None:
    """docs/performance.md and its pictures are what the committed results give."""
    docs, found = performance_report.DOCS, performance_report.read(performance_report.FOLDER)
    page = (docs / "performance.md").read_text("utf-8")
    assert performance_report.page_of(page, found) == page
    for name, drawn in performance_report.pictures(found).items():
        assert drawn == (docs / name).read_text("utf-8")
        assert f"({name})" in page


def test_texts_end() -> None:
    """The texts end where there are no more pairs: nobody waits for ever."""
    assert list(islice(new_texts(["only"]), 5)) == []
