"""Headers that every response needs: compression, caching, isolation, allowed methods."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hybrid.movie import Movie
from hybrid.web.app import create_app
from hybrid.web.compression import MIN_BYTES
from tests import corpus
from tests.fakes import FakeLexical
from tests.small import open_small

LONG = Movie(id=7_000_001, title="Long", description="A very long story. " * 200)

FILMS = [*corpus.films(30), LONG]

COMPRESSED = ("/search?q=captain&limit=30", "/?q=captain", "/static/shared/base.css", "/metrics")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    """Give the service without a socket."""
    search = open_small(tmp_path, FILMS, FakeLexical(FILMS))
    yield create_app(search)
    search.close()


class Client(FlaskClient):
    """A client that reads every response to its end, which closes files."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """Return the whole response."""
        return super().open(*args, buffered=True, **kwargs)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Give a client of it."""
    app.test_client_class = Client
    return app.test_client()


@pytest.mark.parametrize("path", COMPRESSED)
def test_responses_are_compressed_for_those_who_accept_it(client: FlaskClient, path: str) -> None:
    """Unpacked it is the same body; caches know that it depends on the header."""
    plain = client.get(path)
    assert "Content-Encoding" not in plain.headers
    packed = client.get(path, headers={"Accept-Encoding": "br, gzip;q=0.5"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data)
    for response in (plain, packed):
        assert "Accept-Encoding" in response.vary
    unpacked = gzip.decompress(packed.data)
    if path.startswith("/static"):
        assert unpacked == plain.data
    else:
        assert unpacked[:20] == plain.data[:20]  # times differ


@pytest.mark.parametrize("accepted", ["", "br", "gzip;q=0", "identity", "*;q=0"])
def test_nothing_is_compressed_for_others(client: FlaskClient, accepted: str) -> None:
    """A client that refuses gzip, or does not name it, gets the body as it is."""
    response = client.get("/search?q=captain", headers={"Accept-Encoding": accepted})
    assert "Content-Encoding" not in response.headers
    assert response.get_json()["hits"]


def test_short_bodies_and_films_are_not_compressed(client: FlaskClient) -> None:
    """A short body gains nothing; the ETag of a film must be a strong one, for If-Match."""
    accepting = {"Accept-Encoding": "gzip"}
    short = client.get("/health/live", headers=accepting)
    film = client.get(f"/movies/{LONG.id}", headers=accepting)
    assert len(short.data) < MIN_BYTES < len(film.data)
    assert [response.content_encoding for response in (short, film)] == [None, None]


def test_scripts_are_asked_for_again_but_sent_once(client: FlaskClient) -> None:
    """A browser that has a file, packed or not, is told that it is still the same."""
    path = "/static/shared/base.css"
    for accepted in ("", "gzip"):
        headers = {"Accept-Encoding": accepted}
        first = client.get(path, headers=headers)
        assert "no-cache" in first.headers["Cache-Control"]
        # A strong ETag promises the same bytes, and these are other ones.
        assert first.headers["ETag"].startswith("W/") == (accepted == "gzip")
        again = client.get(path, headers=headers | {"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_tiles_are_kept_for_a_day(client: FlaskClient) -> None:
    """By the tag of their content they are asked for without being sent again."""
    first = client.get(f"/tiles/{LONG.id}")
    assert first.headers["Cache-Control"] == "max-age=86400"
    again = client.get(f"/tiles/{LONG.id}", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert first.headers["ETag"] != client.get(f"/tiles/{FILMS[0].id}").headers["ETag"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/search?q=captain", "no-store"),
        ("/search", "no-store"),
        ("/compare?q=captain", "no-store"),
        ("/health/ready", "no-store"),
        ("/metrics", "no-store"),
        ("/nothing", "no-store"),
        ("/tiles/999999", "no-store"),
        (f"/movies/{LONG.id}", "private, no-cache"),
        ("/?q=captain", "private, no-cache"),
        ("/side-by-side", "private, no-cache"),
    ],
)
def test_no_cache_keeps_what_the_next_generation_may_change(
    client: FlaskClient, path: str, expected: str
) -> None:
    """Searches are never kept, pages and films are asked for again, errors are forgotten."""
    assert client.get(path).headers["Cache-Control"] == expected


def test_pages_are_isolated_from_other_origins(client: FlaskClient) -> None:
    """Everywhere: no feature of the device, no window in common, nothing embedded elsewhere."""
    for path in ("/", "/search?q=captain", "/nothing", "/static/shared/base.css"):
        headers = client.get(path).headers
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"
        assert {"camera=()", "geolocation=()", "microphone=()"} <= set(
            headers["Permissions-Policy"].split(", ")
        )


def test_posters_of_the_allowed_host_may_be_embedded(tmp_path: Path) -> None:
    """Hosts of posters rarely send the header that require-corp asks for."""
    search = open_small(tmp_path, FILMS, FakeLexical(FILMS))
    client = create_app(search, "posters.example").test_client()
    assert client.get("/").headers["Cross-Origin-Embedder-Policy"] == "unsafe-none"
    search.close()


def test_every_url_names_the_methods_that_it_accepts(app: Flask, client: FlaskClient) -> None:
    """A method that a URL does not accept is 405, and Allow lists those of its rules."""
    by_path: dict[str, set[str]] = {}
    for rule in app.url_map.iter_rules():
        path = rule.rule.replace("<movie_id>", "1").replace("<int:film>", "1")
        by_path.setdefault(path.replace("<path:filename>", "x"), set()).update(rule.methods or ())
    assert len(by_path) >= 11
    for path, methods in by_path.items():
        response = client.open(path, method="PATCH")
        assert response.status_code == 405, path
        assert response.get_json()["error"]["code"] == "method_not_allowed"
        assert set(response.headers["Allow"].split(", ")) == methods


def test_no_redirect_names_this_host(app: Flask) -> None:
    """No rule ends in a slash, whose lack Flask would answer with an absolute URL of the Host."""
    assert [
        r.rule for r in app.url_map.iter_rules() if r.rule.endswith("/") and r.rule != "/"
    ] == []
