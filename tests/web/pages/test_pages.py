"""The pages as they come over HTTP: what they say without any script, and their headers."""

import json
import re
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid.movie import Movie
from hybrid.schemas.requests import CompareURL
from hybrid.storage.manifest import MatchThreshold
from hybrid.web.app import create_app
from hybrid.web.overload import Overload
from hybrid.web.pages.excerpts import passage, pieces
from hybrid.web.tiles.motifs import MOTIFS
from hybrid.web.tiles.tile import tile
from tests.fakes import FakeLexical
from tests.small import open_small
from tests.web.hostile import PAYLOADS
from tests.web.http import Service, serving

STATIC = Path(__file__).parents[3] / "hybrid" / "web" / "static"

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)


def test_the_comparison_sends_every_field_of_a_query() -> None:
    """The script of the page knows all parameters of /compare but those that it sets itself."""
    script = (STATIC / "shared" / "url.js").read_text("utf-8")
    (listed,) = re.findall(r"^const QUERY_FIELDS = \[(.*?)\];", script, re.MULTILINE | re.DOTALL)
    fields = {field.alias or name for name, field in CompareURL.model_fields.items()}
    assert set(re.findall(r'"(\w+)"', listed)) == fields - {"run", "highlight", "explain"}


def test_a_form_without_script_finds_films(site: Service) -> None:
    """The search is a plain form: its fields, the empty ones too, get the films of the service."""
    status, text, _ = site.page("/")
    assert status == 200
    assert 'name="q"' in text
    form = {"q": "captain mirror", "year_from": "1955", "year_to": "", "genre": "Drama"}
    status, text, _ = site.page("/", **form, mode="hybrid")
    assert status == 200
    _, answer = site.get("/search", q="captain mirror", year_from=1955, genre="Drama", limit=20)
    assert answer["hits"]
    titles = re.findall(r"<h2><a(.*?)</h2>", text, re.DOTALL)
    plain = [" ".join(re.sub(r"^.*?>|<[^>]*>", "", title).split()) for title in titles]
    assert plain == [f"{hit['movie']['title']} {hit['movie']['year']}" for hit in answer["hits"]]
    assert 'value="Drama" checked' in text
    assert "<mark>Captain</mark>" in text


def test_the_page_of_similar_films(site: Service) -> None:
    """Each hit leads to the films like it, which are those of the service, with why they are."""
    _, text, _ = site.page("/", q="captain mirror")
    path = re.findall(r'href="(/similar/\d+)"', text)[0]
    status, text, _ = site.page(path)
    assert status == 200
    film = path.removeprefix("/similar/")
    _, answer = site.get(f"/movies/{film}/similar", limit=20)
    shown = re.findall(r'href="/similar/(\d+)"', text)
    assert shown == [str(hit["id"]) for hit in answer["hits"]]
    assert "ranks first" in text
    assert "side-by-side?film" not in text
    assert site.page("/similar/77777777")[0] == 404
    status, text, _ = site.page(path, genre="Unheard")
    assert (status, "No similar films found" in text) == (200, True)
    assert site.page(path, year_from="20x1")[0] == 422


def test_what_the_page_says_of_nonsense_and_of_duplicates(tmp_path: Path) -> None:
    """Above films that are merely the nearest the page says so, and only there; a film that the
    source has twice is there once, and leads to the other."""
    heist = "A safecracker plans a burglary in the rain, and his accomplice betrays him at dawn."
    films = [
        Movie(id=1, title="Vault", year=1955, description=heist),
        Movie(id=2, title="Vault", year=1956, description=heist),
    ]
    search = open_small(tmp_path, films, FakeLexical(films))
    search.match = (MatchThreshold(words=9, strength=0.8, lead=0.0),)
    with serving(create_app(search)) as service:
        _, text, _ = service.page("/", q="safecracker burglary")
        assert "No film really matches" not in text
        assert "Listed twice" in text
        assert len(re.findall(r"<article", text)) == 1
        shown = re.findall(r'href="/similar/(\d)"', text)
        others = re.findall(r'<li><a href="/films/(\d)\?', text)
        assert sorted(shown + others) == ["1", "2"]
        _, text, _ = service.page("/", q="kubernetes certificates")
        assert "No film really matches" in text
        assert "<article" in text
    search.close()


def test_genres_are_as_films_spell_them(site: Service) -> None:
    """Chips have the genres of the index, the most frequent first, the rare behind "more"."""
    _, text, _ = site.page("/", q="captain", genre="hostile")
    chips = re.findall(r'name="genre" value="([^"]*)"( checked)?', text)
    assert {"Drama", "Film-Noir", "Komödie", "ΔΡΆΜΑ", "Straße"} <= {name for name, _ in chips}
    assert [name for name, checked in chips if checked] == ["Hostile"]
    assert "more</summary>" in text


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/?q=heist&year_from=1999&year_to=1990", 422, "swap them"),
        ("/?q=" + "x" * 1001, 422, "1,001 characters"),
        ("/side-by-side?q=heist&alpha=2", 422, "from 0 to 1"),
        ("/nothing-here", 404, "Not found"),
        ("/tiles/77777777", 404, "Not found"),
        ("/tiles/" + "9" * 30, 404, "Not found"),
    ],
)
def test_errors_for_people_and_for_programs(
    site: Service, path: str, status: int, said: str
) -> None:
    """An error is a page where a page was requested."""
    found, text, headers = site.page(path)
    assert found == status
    assert said in text
    assert headers["Content-Type"].startswith("text/html")
    assert "Accept" in headers["Vary"]


BROWSER = b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("method", "path", "accept", "is_page"),
    [
        ("GET", "/", BROWSER, True),
        ("GET", "/films/7", BROWSER, True),
        ("GET", "/films/7", b"*/*", False),
        ("GET", "/search", BROWSER, False),
        ("POST", "/", BROWSER, False),
        ("GET", "/nothing-here", BROWSER, False),
    ],
)
def test_what_a_refused_request_gets(
    tmp_path: Path, method: str, path: str, accept: bytes, is_page: bool
) -> None:
    """A browser that requests a page while there are too many requests gets a page with a way to
    try again; programs get the error in its shape."""
    films = [Movie(id=1, title="Heist")]
    search = open_small(tmp_path, films, FakeLexical(films))
    scope = {"method": method, "path": path, "headers": [(b"accept", accept)]}
    refusal = Overload(create_app(search))(scope)
    search.close()
    headers, text = dict(refusal.headers), refusal.body.decode()
    assert headers[b"Content-Length"] == str(len(refusal.body)).encode()
    assert headers[b"Content-Security-Policy"].decode() == POLICY
    if is_page:
        assert headers[b"Content-Type"].startswith(b"text/html")
        assert "Please try again in a few seconds." in text
        assert '<a class="button" href="">Try again</a>' in text
    else:
        assert json.loads(text)["error"]["code"] == "overloaded"


def test_programs_get_errors_in_their_shape(site: Service) -> None:
    """Addresses for programs answer a browser in JSON too, and no others do by default."""
    status, text, _ = site.page("/search", q="heist", limit=0)
    assert status == 422
    assert text.startswith('{"error"')
    assert site.get("/nothing-here")[1]["error"]["code"] == "not_found"


@pytest.mark.parametrize("path", ["/?q=captain", "/side-by-side?q=captain", "/?", "/side-by-side?"])
@pytest.mark.parametrize(
    "name",
    "endpoint _method _anchor _scheme _external values self changes film filename %00 a[]".split(),
)
def test_links_lead_nowhere_but_to_the_pages(site: Service, path: str, name: str) -> None:
    """Whatever a parameter is called and says, it stays a parameter: no page fails, and no link is
    made of the Host header."""
    for value in ("https", "//elsewhere.example", "%0d%0aX: 1", "%ff"):
        answer = site.raw("GET", f"{path}&{name}={value}", Host="localhost")
        assert answer.status == 200
        links = re.findall(r'\s(?:href|src|action)="([^"]*)"', answer.data.decode())
        assert links
        assert [link for link in links if not re.match(r"/(?!/)|#", link)] == []


def test_links_keep_the_query(site: Service) -> None:
    """A link of a page has the parameters of the page, blanks and signs as they were typed."""
    _, text, _ = site.page("/", q="rock & roll = 100%?", genre=["Drama", "Sci-Fi"], endpoint="x#y")
    link = re.findall(r'href="(/side-by-side\?[^"]*)"', text)[0]
    assert parse_qs(urlsplit(unescape(link)).query) == {
        "q": ["rock & roll = 100%?"],
        "genre": ["Drama", "Sci-Fi"],
        "endpoint": ["x#y"],
    }


def test_two_slashes_are_not_redirected(site: Service) -> None:
    """The redirect would lead to whatever host the request names."""
    for path in (
        "/side-by-side//",
        "/movies//1",
        "/static//shared/base.css",
        "/x//elsewhere.example",
    ):
        assert site.raw("GET", path, Host="localhost").status == 404


@pytest.mark.parametrize("path", ["/", "/?q=captain", "/side-by-side", "/x", "/search", "/tiles/1"])
def test_every_answer_has_the_headers(site: Service, path: str) -> None:
    """Whatever it is, a browser may load nothing from elsewhere."""
    _, _, headers = site.page(path)
    assert headers["Content-Security-Policy"] == POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_pages_have_no_script_or_style_inside(site: Service) -> None:
    """The policy would block them; there are none to block."""
    for path in ("/", "/?q=hostile", "/side-by-side?q=hostile", "/nothing"):
        _, text, _ = site.page(path)
        assert not re.search(r"<style|<script(?! type=\"module\" src=)|\sstyle=", text)


def test_hostile_texts_are_escaped(site: Service) -> None:
    """No text of a film or query comes out as markup."""
    _, harmless, _ = site.page("/", q="captain mirror Heist -xyzzy", year_to=1960)
    tags = set(re.findall(r"<(\w+)", harmless))
    _, films, _ = site.page("/", q="hostile", genre="hostile", limit=100)
    assert films.count("<article") == len(PAYLOADS)
    queries = [site.page("/", q=text, limit=1)[1] for text in PAYLOADS]
    for page in (films, *queries):
        assert set(re.findall(r"<(\w+)", page)) <= tags


def test_a_page_says_when_to_try_again(tmp_path: Path) -> None:
    """If the only engine of the mode is down, the page is a 503 with Retry-After."""
    films = [Movie(id=1, title="Heist")]
    lexical = FakeLexical(films)
    search = open_small(tmp_path, films, lexical)
    lexical.away = True
    with serving(create_app(search)) as service:
        status, _, headers = service.page("/", q="heist", mode="keyword")
        assert (status, headers.get("Retry-After")) == (503, "5")
        status, _, headers = service.page("/", q="heist")
        assert (status, headers.get("Retry-After")) == (200, None)
    search.close()


def test_posters_come_from_the_one_host_that_is_set(tmp_path: Path) -> None:
    """A poster of that host is shown, over https; all else is drawn, as is what `drawn` asks."""
    addresses = {
        1: "https://posters.example/1.jpg",
        2: "https://elsewhere.example/2.jpg",
        3: "http://posters.example/3.jpg",
        4: "https://posters.example@elsewhere.example/4.jpg",
        5: "https://posters.example.elsewhere.example/5.jpg",
        6: "https://[posters.example/6.jpg",
        7: "javascript:alert(1)",
        8: "https://posters.example/8\r\nSet-Cookie: poster=1",
    }
    films = [Movie(id=n, title=f"Film {n}", thumbnail=at) for n, at in addresses.items()]
    search = open_small(tmp_path, films, FakeLexical(films))
    with serving(create_app(search, "posters.example")) as service:
        status, _, headers = service.page("/tiles/1")
        assert (status, headers["Location"]) == (302, addresses[1])
        policy = headers["Content-Security-Policy"]
        assert "img-src 'self' https://posters.example;" in policy
        assert service.page("/tiles/1", drawn="")[0] == 200
        for film in range(2, 9):
            status, text, _ = service.page(f"/tiles/{film}")
            assert status == 200
            assert text.startswith("<svg")
    with serving(create_app(search)) as service:
        assert service.page("/tiles/1")[0] == 200
    search.close()


@given(
    st.text(min_size=1),
    st.none() | st.integers(1870, 2100),
    st.lists(st.sampled_from([*MOTIFS, "Unheard-of"]), max_size=3),
)
def test_a_tile_is_a_drawing_and_always_the_same(
    title: str, year: int | None, genres: list[str]
) -> None:
    """Every film has a tile, well-formed, its title as shapes only, the same at every drawing."""
    movie = Movie(id=1, title=title, year=year, genres=tuple(genres))
    drawn = tile(movie)
    assert ElementTree.fromstring(drawn).tag == "{http://www.w3.org/2000/svg}svg"
    assert tile(movie) == drawn
    assert not re.search("<(script|image|text|style|use)", drawn)


def test_tiles_differ_by_title_decade_and_genre() -> None:
    """Each of the three shows."""
    of = {
        tile(Movie(id=1, title=title, year=year, genres=(genre,)))
        for title in ("Alien", "Heat")
        for year in (1925, 1957, 1986, 2020)
        for genre in ("Horror", "Western", "Comedy")
    }
    assert len(of) == 24


@given(st.text(), st.lists(st.integers(0, 60), max_size=8, unique=True))
def test_pieces_are_the_text(text: str, cuts: list[int]) -> None:
    """Pieces put together are the text, and the marked ones are the ranges."""
    inside = sorted(cut for cut in cuts if cut <= len(text))
    ranges = list(zip(inside[::2], inside[1::2], strict=False))
    found = pieces(text, ranges)
    assert "".join(piece.text for piece in found) == text
    marked = [text[start:end] for start, end in ranges]
    assert [piece.text for piece in found if piece.marked] == marked


def test_a_passage_is_the_sentence_or_what_is_around_a_word() -> None:
    """The whole description is there in three parts, cut at the sentence or between words."""
    text = "One thing happens. Then a heist goes wrong. " + "So they run and run. " * 40
    found = passage(text, "Then a heist goes wrong.", ((26, 31),))
    assert "".join(piece.text for piece in found.sentence) == "Then a heist goes wrong."
    assert [piece.text for piece in found.sentence if piece.marked] == ["heist"]
    at = text.rindex("run.")
    for ranges in ((), ((26, 31),), ((at, at + 3),)):
        around = passage(text, None, ranges)
        joined = "".join(piece.text for part in around for piece in part)
        assert joined == text
        shown = "".join(piece.text for piece in around.sentence)
        assert len(shown) <= 300
        assert any(piece.marked for piece in around.sentence) == bool(ranges)


@pytest.mark.parametrize(
    "more", ["explain=none", "highlight=false", "utm_source=x", "explain=full"]
)
def test_what_a_page_needs_is_no_field_of_its_address(site: Service, more: str) -> None:
    """A page always marks and explains, and is not disturbed by what others add to a link."""
    status, text, _ = site.page(f"/?q=captain&{more}")
    assert status == 200
    assert "<mark>" in text
    assert 'class="why"' in text


def test_forms_pass_on_what_they_have_no_control_for(site: Service) -> None:
    """A field of the query that a form does not show survives the next submission; what is not a
    field of the query does not."""
    fields = {"genre": "Drama", "fusion": "rrf", "alpha": ".3", "limit": "5", "utm_source": "x"}
    hidden = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')
    for path, query, kept in (
        ("/", "", ["fusion", "alpha"]),
        ("/", "captain", ["fusion", "alpha"]),
        ("/side-by-side", "captain", ["limit", "fusion", "alpha"]),
    ):
        _, text, _ = site.page(path, q=query, **fields)
        assert hidden.findall(text) == [(name, fields[name]) for name in kept]
