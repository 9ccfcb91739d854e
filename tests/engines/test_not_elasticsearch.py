"""What answers where Elasticsearch should be, and is something else."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from hybrid.engines.lexical.elasticsearch import ElasticsearchEngine, connect
from hybrid.engines.lexical.elasticsearch_writer import ElasticsearchWriter
from hybrid.errors import EngineUnavailable, GenerationUnusable
from hybrid.query import Filters
from hybrid.storage.generation import open_current
from hybrid.web.app import create_app
from indexer.build import BuildOptions, build
from tests import corpus
from tests.fakes import HashingEncoder
from tests.small import open_small
from tests.stores import films_file
from tests.web.http import serving

FILMS = corpus.films(20)
IDS = np.array([1, 4], np.int64)

ASKED: dict[str, Callable[[ElasticsearchEngine], object]] = {
    "search": lambda engine: engine.search("captain", Filters(), 10),
    "score": lambda engine: engine.score("captain", IDS),
    "explain": lambda engine: engine.explain("captain", IDS),
    "attainable": lambda engine: engine.attainable("captain"),
    "count": lambda engine: engine.count(),
    "contents": lambda engine: engine.contents(),
    "check": lambda engine: engine.check(),
}
"""All that an engine is asked for."""


class Impostor(BaseHTTPRequestHandler):
    """Gives one answer to whatever it is asked, once as Elasticsearch if need be."""

    status, kind, product, content = 200, "application/json", "", b""

    def answer(self) -> None:
        """Say the same as ever."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(self.status)
        self.send_header("Content-Type", self.kind)
        if self.product:
            self.send_header("X-Elastic-Product", self.product)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(self.content)

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Log nothing."""


Start = Callable[..., ElasticsearchEngine]


@pytest.fixture
def start() -> Iterator[Start]:
    """Give what starts a server of one answer, and returns the engine that asks it."""
    with ExitStack() as opened:

        def started(**answer: object) -> ElasticsearchEngine:
            server = ThreadingHTTPServer(("127.0.0.1", 0), type("_", (Impostor,), answer))
            opened.callback(server.server_close)
            Thread(target=server.serve_forever, args=[0.01]).start()
            opened.callback(server.shutdown)
            client = connect(f"http://127.0.0.1:{server.server_port}", None, 10)
            opened.callback(client.close)
            return ElasticsearchEngine(client, "films")

        yield started


HTML = {"kind": "text/html", "content": b"<html>Welcome to nginx!</html>"}


@pytest.mark.parametrize(
    "answer",
    [
        {"content": b"{}"},
        {"content": b'{"hits": {"hits": []}, "count": 20, "tokens": []}'},
        {"content": b"{}", "product": "OpenSearch"},
        HTML,
        HTML | {"status": 404},
        HTML | {"status": 503},
        HTML | {"product": "Elasticsearch"},
        {"kind": "image/png", "content": b"\x89PNG"},
        {"content": b""},
        {"status": 302, "content": b"{}"},
        *(
            {"product": "Elasticsearch", "content": content}
            for content in (
                b"{",
                b"\xff",
                b"null",
                b"7",
                b"[]",
                b'"hits"',
                b"[" * 20_000,
                b"{}",
                b'{"hits": null, "tokens": null, "count": null}',
                b'{"hits": {"hits": 7}, "tokens": 7, "count": "many"}',
                b'{"hits": [], "tokens": [{}], "count": []}',
            )
        ),
    ],
)
def test_what_is_not_elasticsearchs_is_no_answer(start: Start, answer: dict[str, object]) -> None:
    """Whatever is asked for, an answer without the product's header, that is not JSON, or has not
    the keys that are read is reported in one line, and not taken for Elasticsearch's."""
    engine = start(**answer)
    for asked in ASKED.values():
        with pytest.raises(EngineUnavailable, match="is not Elasticsearch") as error:
            asked(engine)
        assert "\n" not in error.value.message


HIT = {"_id": "1", "_score": None, "sort": [1], "fields": {"content": "x"}}


def responses(*several: object) -> dict[str, object]:
    """Return the answer to several searches."""
    return {"responses": several}


def sorted_by(*values: object) -> dict[str, object]:
    """Return the response of a hit that is sorted by these values."""
    return {"hits": {"max_score": None, "hits": [{"sort": values}]}}


BEST = {"hits": {"max_score": 1.5}}


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("search", responses()),
        ("search", responses(sorted_by(1.5, 1))),
        ("search", responses(sorted_by(1.5, 1), BEST, BEST)),
        ("search", responses({}, BEST)),
        ("search", responses({"hits": {}}, BEST)),
        ("search", responses({"hits": {"max_score": None, "hits": [{}]}}, BEST)),
        ("search", responses(sorted_by(1.5), BEST)),
        ("search", responses(sorted_by(None, 1), BEST)),
        ("search", responses(sorted_by(1.5, "x"), BEST)),
        ("search", responses(sorted_by(1.5, 2**64), BEST)),
        ("search", responses(sorted_by(1.5, 1), {"hits": {}})),
        ("search", responses(sorted_by(1.5, 1), {"error": "no"})),
        ("score", responses(sorted_by("high", 1))),
        ("score", responses(sorted_by(1.5, 1), BEST)),
        ("explain", {"tokens": [], "hits": {"hits": [HIT]}}),
        ("explain", {"tokens": [], "hits": {"hits": [HIT | {"_explanation": {}}]}}),
        ("attainable", responses()),
        ("attainable", responses({"hits": {"max_score": "high"}})),
        ("contents", {"hits": {"hits": [HIT | {"fields": []}]}}),
    ],
)
def test_parts_that_are_not_elasticsearchs_are_no_answer(
    start: Start, asked: str, answer: dict[str, object]
) -> None:
    """What looks like an answer from outside, but whose hits do not, is not taken for one."""
    engine = start(product="Elasticsearch", content=json.dumps(answer).encode())
    with pytest.raises(EngineUnavailable, match="is not Elasticsearch"):
        ASKED[asked](engine)


@pytest.mark.parametrize("answer", [HTML, {"content": b"{}", "product": "Elasticsearch"}])
def test_the_service_goes_on_without_it(
    start: Start, tmp_path: Path, answer: dict[str, object]
) -> None:
    """Searches are answered by meaning, keyword mode is a 503, and /health/ready says why."""
    search = open_small(tmp_path, FILMS, start(**answer))
    with serving(create_app(search)) as service:
        status, found = service.get("/search", q="captain")
        assert (status, found["degraded"]) == (200, ["keyword"])
        assert found["hits"]
        status, refused = service.get("/search", q="captain", mode="keyword")
        assert (status, refused["error"]["code"]) == (503, "engine_unavailable")
        _, ready = service.get("/health/ready")
        assert ready["status"] == "degraded"
        assert "is not Elasticsearch" in ready["engines"]["keyword"]
    search.close()


@pytest.mark.parametrize(
    "answer",
    [
        HTML,
        {"content": b"{}"},
        {"content": b"{}", "product": "Elasticsearch"},
        {"content": b'{"count": 20, "items": []}', "product": "Elasticsearch"},
    ],
)
def test_a_build_publishes_nothing_there(
    start: Start, tmp_path: Path, answer: dict[str, object]
) -> None:
    """The error says what is wrong, and no generation comes of it."""
    client = start(**answer)._client
    source = films_file(tmp_path, FILMS)
    with pytest.raises(EngineUnavailable, match="is not Elasticsearch"):
        build(
            source,
            tmp_path / "data",
            "hashing",
            HashingEncoder(),
            lambda folder, deployment: ElasticsearchWriter(client, "films", "1-a", deployment, 1),
            BuildOptions(source.with_name("mapping.toml"), quiet=True),
        )
    with pytest.raises(GenerationUnusable, match="no index"):
        open_current(tmp_path / "data")
