"""The URLs of the service over HTTP, with stand-in engines: shapes, fields and errors."""

import random
from collections.abc import Iterator

import pytest

from hybrid.query import SearchQuery
from hybrid.query_language.film_words import FilmWords
from hybrid.query_language.language import conditions_of, read
from hybrid.search import HybridSearch
from hybrid.web.app import create_app
from tests import corpus
from tests.fakes import FakeLexical
from tests.web.http import Service, serving

MOVIES = corpus.films(200)

RESPONSE_KEYS = (
    "query understood hits total alpha alpha_reason confident next_cursor facets degraded warnings "
    "timings_ms generation".split()
)

HIT_KEYS = "id rank score movie keyword semantic highlight why duplicates".split()


@pytest.fixture(scope="module")
def service(search: HybridSearch) -> Iterator[Service]:
    """Give the service."""
    with serving(create_app(search)) as running:
        yield running


def test_twins_answer_alike(service: Service) -> None:
    """A URL and a body with the same fields get the same answer, defaults filled in."""
    fields = {"genre": ["drama", "Komödie"], "year_from": 1955, "limit": 5, "alpha": 0.3}
    status, by_url = service.get("/search", q="captain mirror", **fields)
    assert status == 200
    status, by_body = service.post("/search", {"query": "captain mirror"} | fields)
    assert status == 200
    assert list(by_url) == list(by_body) == RESPONSE_KEYS
    assert by_url["hits"] == by_body["hits"]
    assert by_url["query"] == by_body["query"]
    assert list(by_url["query"]) == ["query", *list(SearchQuery.model_fields)[1:]]
    expected = {
        "query": "captain mirror",
        "genre": ["drama", "Komödie"],
        "genre_match": "any",
        "year_from": 1955,
        "year_to": None,
        "mode": "hybrid",
        "fusion": "attainable",
        "alpha": 0.3,
        "limit": 5,
        "highlight": False,
        "explain": "none",
    }
    assert by_url["query"].items() >= expected.items()


def test_the_language_and_the_fields_over_http(service: Service) -> None:
    """500 random queries: no film breaks a condition, whether it is in the text or in a field."""
    words = {movie.id: FilmWords.of(movie) for movie in MOVIES}
    by_id = {movie.id: movie for movie in MOVIES}
    found = 0
    for number, text in enumerate(corpus.limited_queries(500, seed=23)):
        mode = ("hybrid", "keyword", "semantic")[number % 3]
        status, answer = service.post("/search", {"query": text, "mode": mode, "limit": 100})
        assert status == 200
        parts = read(text).parts
        conditions = conditions_of(parts)
        ids = [hit["id"] for hit in answer["hits"]]
        assert all(conditions.matches(by_id[i], words[i]) for i in ids), text
        assert [part["field"] for part in answer["understood"]["parts"]] == [
            part.field for part in parts
        ]
        found += len(ids)
    assert found > 2000
    fields = {"phrase": "river", "exclude": ["title:mirror", "year:1950..1959"], "person": "ruiz"}
    _, by_url = service.get("/search", q="captain", **fields)
    text = 'captain -title:mirror -year:1950..1959 "river" person:ruiz'
    conditions = conditions_of(read(text).parts)
    assert by_url["hits"]
    assert all(conditions.matches(by_id[hit["id"]]) for hit in by_url["hits"])
    assert {part["span"] for part in by_url["understood"]["parts"]} == {None}


@pytest.mark.parametrize("field", ["phrase", "exclude", "title", "person"])
def test_a_field_without_a_word_is_an_error(service: Service, field: str) -> None:
    """The error names the field and says what to do."""
    status, answer = service.post("/search", {"query": "captain", field: ["river", "!?"]})
    assert status == 422
    ((name, problem),) = answer["error"]["fields"].items()
    assert name.startswith(field)
    assert "name a word or a phrase" in problem


def test_one_genre_and_several_in_a_url(service: Service) -> None:
    """A genre named once is a list of one, and none of several is lost."""
    for genres in (["Drama"], ["Drama", "Horror"], ["Drama", "Horror", "Sci-Fi"]):
        _, answer = service.get("/search", q="captain", genre=genres, limit=100)
        assert answer["query"]["genre"] == genres
        assert answer["hits"]
        for hit in answer["hits"]:
            assert set(hit["movie"]["genres"]) & set(genres)


@pytest.mark.parametrize("mode", ["keyword", "semantic", "hybrid"])
def test_the_answer_has_always_the_same_keys(service: Service, mode: str) -> None:
    """Full, empty, by either side: no key comes or goes."""
    for text in ("captain mirror", "xyzzy"):
        status, answer = service.get("/search", q=text, mode=mode)
        assert status == 200
        assert list(answer) == RESPONSE_KEYS
        for hit in answer["hits"]:
            assert list(hit) == HIT_KEYS
            assert list(hit["keyword"]) == ["rank", "score", "title", "share"]
            assert list(hit["semantic"]) == ["rank", "score", "sentence"]
            assert hit["highlight"] is hit["why"] is None


def test_facets_are_asked_for_by_name(service: Service) -> None:
    """By commas or repeated in a URL, in a list in a body: the counts are the same, in the
    order asked for; each once."""
    _, expected = service.post("/search", {"query": "captain", "facets": ["decade", "genre"]})
    assert list(expected["facets"]) == ["filters", "candidates"]
    for scope in ("filters", "candidates"):
        assert list(expected["facets"][scope]) == ["decade", "genre"]
        assert [one["value"] for one in expected["facets"][scope]["decade"]] == [1950, 1960]
    assert expected["query"]["facets"] == ["decade", "genre"]
    for facets in ("decade,genre", "decade, genre", ["decade", "genre"], ["decade,genre", "genre"]):
        _, answer = service.get("/search", q="captain", facets=facets)
        assert answer["facets"] == expected["facets"]
    _, answer = service.get("/search", facets="genre", genre="Drama", director="ana ruiz")
    assert answer["facets"]["candidates"] is None
    counts = {one["value"]: one["count"] for one in answer["facets"]["filters"]["genre"]}
    assert counts["Drama"] == answer["total"]["value"]
    assert len(counts) > 1


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"sort": "length"}, "sort"),
        ({"order": "up"}, "order"),
        ({"q": "x" * 1001}, "q"),
        ({"q": ["a", "b"]}, "q"),
        ({"q": "x", "limit": 0}, "limit"),
        ({"q": "x", "limit": 101}, "limit"),
        ({"q": "x", "limit": "ten"}, "limit"),
        ({"q": "x", "alpha": "nan"}, "alpha"),
        ({"q": "x", "alpha": "1e999"}, "alpha"),
        ({"q": "x", "mode": "magic"}, "mode"),
        ({"q": "x", "fusion": "sum"}, "fusion"),
        ({"q": "x", "genre": " "}, "genre.0"),
        ({"q": "x", "genre": ["x"] * 51}, "genre"),
        ({"q": "x", "year_from": "199x"}, "year_from"),
        ({"q": "x", "year_to": 99999999999999999999}, "year_to"),
        ({"q": "x", "year_from": 0}, "year_from"),
        ({"q": "x", "year_from": 10_000}, "year_from"),
        ({"q": "x", "year_to": 10_000}, "year_to"),
        ({"q": "x", "year_to": 99_999}, "year_to"),
        ({"q": "x", "year_from": 2000, "year_to": 1999}, "year_from"),
        ({"q": "x", "colour": "red"}, "colour"),
        ({"q": "x", "query": "y"}, "query"),
        ({"q": "x", "cursor": "abc"}, "cursor"),
        ({"q": "x", "highlight": "maybe"}, "highlight"),
        ({"q": "x", "facets": "genre,colour"}, "facets.1"),
        ({"q": "x", "facets": " "}, "facets.0"),
        ({"q": "x", "rating_from": 11}, "rating_from"),
        ({"q": "x", "votes_from": 2, "votes_to": 1}, "votes_from"),
        ({"q": "x", "director": " "}, "director.0"),
        ({"q": "x", "explain": "all"}, "explain"),
    ],
)
def test_bad_fields_are_named(service: Service, fields: dict[str, object], field: str) -> None:
    """A field that cannot be understood is refused by its name, in the one shape of errors."""
    status, answer = service.get("/search", **fields)
    assert status == 422
    assert list(answer) == ["error"]
    assert list(answer["error"]) == ["code", "message", "fields"]
    assert answer["error"]["code"] == "invalid_input"
    assert list(answer["error"]["fields"]) == [field]
    assert field in answer["error"]["message"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"query=heist", 400),
        (b"\xff\xfe", 400),
        (b"[" * 60_000, 400),
        (b'{"a":' * 10_000, 400),
        (b'{"query": ' + b"9" * 5000 + b"}", 422),
        (b"x" * 70_000, 413),
        (b"[]", 422),
        (b'"heist"', 422),
        (b'{"query": 7}', 422),
        (b'{"query": "\\ud800"}', 422),
        (b'{"query": "x", "alpha": NaN}', 422),
        (b'{"query": "x", "alpha": true}', 422),
        (b'{"query": "x", "genre": {"a": 1}}', 422),
        (b'{"query": "x", "genre": [["a"]]}', 422),
        (b'{"query": "x", "limit": 1.5}', 422),
    ],
)
def test_bad_bodies_are_refused(service: Service, body: bytes, status: int) -> None:
    """No body, broken, deep, huge or of wrong types, reaches a stack trace."""
    found, answer = service.post("/search", body)
    assert found == status
    assert list(answer["error"]) == ["code", "message", "fields"]


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "'; DROP TABLE movies; --",
        'title:"x" AND (y OR z*~2) ^3',
        "\x00\x01",
        "\u202e\u0000\ufeff",
        "🧟‍♀️" * 50,
        "Ａｍéｌｉｅ",
        "%s%n%x {0} {{7*7}}",
        "the " * 200,
        "x" * 1000,
    ],
)
def test_hostile_text_is_only_text(service: Service, text: str) -> None:
    """Whatever a text holds, it is searched for and echoed, never interpreted."""
    status, answer = service.post("/search", {"query": text})
    assert status == 200
    assert set(answer) == set(RESPONSE_KEYS)


def test_random_garbage_never_breaks_the_service(service: Service) -> None:
    """300 requests of random fields and values get an answer or an error of the one shape."""
    choose = random.Random(3)
    names = ["query", "genre", "genre_match", "year_from", "alpha", "limit", "mode", "fusion", "x"]
    values: list[object] = [
        "",
        "x",
        None,
        0,
        -1,
        1e308,
        True,
        [],
        {},
        ["Drama"],
        [None],
        "é" * 300,
        1955,
        0.5,
    ]
    for _ in range(300):
        body = {choose.choice(names): choose.choice(values) for _ in range(choose.randint(0, 5))}
        status, answer = service.post("/search", body)
        assert status in (200, 422), body
        assert set(answer) == (set(RESPONSE_KEYS) if status == 200 else {"error"})


def test_movie_by_id(service: Service) -> None:
    """A film comes back whole; an unknown id is 404, and a malformed one is reported."""
    status, movie = service.get("/movies/1")
    assert status == 200
    assert movie["title"] == MOVIES[0].title
    assert service.get("/movies/0")[0] == 404
    assert service.get("/movies/9223372036854775808")[0] == 404
    assert service.get("/movies/" + "0" * 30 + "1")[1] == movie
    assert service.get("/movies/" + "9" * 25)[0] == 404
    for odd in ("abc", "-1", "1.5", "٣", "%00", "1.0"):
        status, answer = service.get(f"/movies/{odd}")
        assert status in (404, 422)
        assert list(answer["error"]["fields"]) == ["id"]


def test_unknown_urls_and_methods(service: Service) -> None:
    """What is not there is said in the one shape of errors."""
    for path in ("/serach", "/search/", "/movies/"):
        status, answer = service.get(path)
        assert status == 404
        assert answer["error"]["code"] == "not_found"
    status, answer = service.post("/movies/1", {})
    assert status == 405
    assert answer["error"]["code"] == "method_not_allowed"


def test_methods_that_are_allowed_are_listed(service: Service) -> None:
    """A wrong method gets the list of right ones, as does OPTIONS; HEAD never has a body."""
    for path, methods in (
        ("/search", {"GET", "POST", "HEAD", "OPTIONS"}),
        ("/movies/1", {"GET", "PUT", "DELETE", "HEAD", "OPTIONS"}),
        ("/", {"GET", "HEAD", "OPTIONS"}),
    ):
        for method, status in (("PATCH", 405), ("OPTIONS", 200)):
            answer = service.raw(method, path)
            assert answer.status == status
            assert set(answer.headers["Allow"].split(", ")) == methods
    for path, status in (("/search?q=captain", 200), ("/search?q=x&limit=0", 422), ("/x", 404)):
        answer = service.raw("HEAD", path)
        assert (answer.status, answer.data) == (status, b"")
        assert "Allow" not in answer.headers


def test_health_and_degradation(service: Service, lexical: FakeLexical) -> None:
    """Without the keyword engine the service is degraded and answers; keyword mode is 503."""
    assert service.get("/health/live") == (200, {"status": "alive"})
    status, ready = service.get("/health/ready")
    assert status == 200
    assert ready["status"] == "ready"
    assert ready["movies"] == len(MOVIES)
    lexical.away = True
    try:
        status, ready = service.get("/health/ready")
        assert (status, ready["status"]) == (200, "degraded")
        assert "away" in ready["engines"]["keyword"]
        status, answer = service.get("/search", q="captain lantern")
        assert status == 200
        assert answer["degraded"] == ["keyword"]
        assert answer["hits"]
        status, answer = service.get("/search", q="captain lantern", mode="keyword")
        assert (status, answer["error"]["code"]) == (503, "engine_unavailable")
        refused = service.raw("GET", "/search?q=captain+lantern&mode=keyword")
        assert refused.headers.get("Retry-After") == "5"
    finally:
        lexical.away = False


def test_a_fault_of_ours_shows_no_trace(
    search: HybridSearch, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unexpected error is a 500 in the one shape, and its text stays in the log."""

    def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(search, "movie", broken)
    status, answer = service.get("/movies/1")
    assert status == 500
    assert answer["error"]["code"] == "internal_error"
    assert "secret" not in str(answer)


def test_openapi_describes_what_there_is(service: Service) -> None:
    """The document names every URL, every field of a search, and the shape of errors."""
    status, document = service.get("/openapi.json")
    assert status == 200
    assert set(document["paths"]) == {
        "/search",
        "/compare",
        "/explain/{movie_id}",
        "/movies/{movie_id}",
        "/movies/{movie_id}/similar",
        "/similar",
        "/suggest",
        "/health/live",
        "/health/ready",
        "/metrics",
    }
    url = {p["name"] for p in document["paths"]["/search"]["get"]["parameters"]}
    body = set(document["components"]["schemas"]["SearchQuery"]["properties"])
    assert url - {"q"} == body - {"query"}
    assert document["components"]["schemas"]["Error"]["required"] == ["error"]


def test_hits_are_highlighted_on_request(service: Service) -> None:
    """The words of the query, as ranges of each field, and nothing else."""
    _, answer = service.get("/search", q="Captains of the mirror", highlight="true", limit=20)
    assert answer["query"]["highlight"] is True
    for hit in answer["hits"]:
        for field in ("title", "description"):
            for start, end in hit["highlight"][field]:
                assert hit["movie"][field][start:end].lower() in ("captain", "mirror")
    assert any(hit["highlight"]["description"] for hit in answer["hits"])


def test_a_film_is_explained_by_its_url(service: Service) -> None:
    """In full unless a summary is requested, with the keys of a hit; filters and mode count."""
    fields = {"q": "captain mirror", "fusion": "rrf", "alpha": 0.4}
    _, found = service.get("/search", explain="full", highlight="true", **fields)
    hit = found["hits"][0]
    status, answer = service.get(f"/explain/{hit['id']}", highlight="true", **fields)
    assert status == 200
    keys = "query understood hit alpha alpha_reason degraded warnings timings_ms generation".split()
    assert list(answer) == keys
    assert list(answer["hit"]) == HIT_KEYS
    assert answer["hit"] == hit
    assert answer["hit"]["why"]["semantic"]["words"]
    _, short = service.get(f"/explain/{hit['id']}", explain="summary", **fields)
    assert short["hit"]["why"]["semantic"]["words"] is None
    _, filtered = service.get(f"/explain/{hit['id']}", year_from=2050, **fields)
    assert filtered["hit"]["rank"] is None


def test_what_cannot_be_explained_is_reported(service: Service) -> None:
    """An unknown film, a text that is not an id, no query, and an unknown field."""
    assert service.get("/explain/0", q="captain")[0] == 404
    status, answer = service.get("/explain/abc", q="captain")
    assert (status, list(answer["error"]["fields"])) == (422, ["id"])
    status, answer = service.get("/explain/1")
    assert (status, list(answer["error"]["fields"])) == (422, ["q"])
    status, answer = service.get("/explain/1", q="captain", colour="red")
    assert (status, list(answer["error"]["fields"])) == (422, ["colour"])
