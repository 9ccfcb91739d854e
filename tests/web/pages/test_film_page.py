"""The page of a film: what it says without any script."""

import re
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from hybrid.movie import Movie
from hybrid.web.app import create_app
from hybrid.web.pages.film_facts import IMDB, TMDB, WIKIPEDIA, facts_of, search_for, source_of
from indexer.sources import FORMATS
from tests.fakes import FakeLexical
from tests.small import open_small
from tests.web.http import Service, serving


def test_results_lead_to_the_film_and_it_leads_back(site: Service) -> None:
    """The link of a hit opens the film's page, which marks the sentence that the query found, says
    why, lists the films like it that the service finds, and leads back to the same results."""
    query = {"q": "captain mirror", "genre": "Drama"}
    _, results, _ = site.page("/", **query)
    link = unescape(re.findall(r'<h2>.*?<a href="(/films/[^"]+)"', results, re.DOTALL)[0])
    status, text, _ = site.page(link)
    assert status == 200
    film = int(urlsplit(link).path.removeprefix("/films/"))
    _, found = site.get(f"/explain/{film}", **query)
    _, movie = site.get(f"/movies/{film}")
    plain = unescape(re.sub(r"<[^>]*>", "", text))
    assert movie["title"] in plain
    assert movie["description"] in plain
    (here,) = re.findall(r'class="here">(.*?)</span>', text, re.DOTALL)
    assert unescape(re.sub(r"<[^>]*>", "", here)) == found["hit"]["semantic"]["sentence"]
    assert f"Number {found['hit']['rank']} for captain mirror. Matched by" in plain
    back = unescape(re.findall(r'class="back"><a href="/\?([^"]*)"', text)[0])
    assert parse_qs(back) == {name: [value] for name, value in query.items()}
    _, like = site.get(f"/movies/{film}/similar", limit=8)
    assert re.findall(r'<li><a href="/films/(\d+)"', text) == [
        str(hit["id"]) for hit in like["hits"]
    ]


def test_people_and_genres_lead_to_their_films(site: Service) -> None:
    """Each name and genre is a link to a search that finds this film."""
    _, found = site.get("/search", q="captain", limit=1)
    movie = found["hits"][0]["movie"]
    _, text, _ = site.page(f"/films/{movie['id']}")
    links = [parse_qs(unescape(query)) for query in re.findall(r'href="/\?([^"]*)"', text)]
    named = [*movie["cast"], *movie["directors"], *movie["writers"], *movie["genres"]]
    assert named
    wanted = {next(iter(link.items())) for link in map(_single, links) if link}
    assert len(wanted) == len(set(named))
    for query in wanted:
        _, answer = site.get("/search", **dict([query]), title=movie["title"], limit=100)
        assert movie["id"] in [hit["id"] for hit in answer["hits"]]


def _single(link: dict[str, list[str]]) -> dict[str, str]:
    """Return the field of a link to the films of one value."""
    return {name: values[0] for name, values in link.items()}


def test_a_film_alone(site: Service) -> None:
    """Without a query nothing is marked and nothing is explained; a wrong field is named."""
    _, found = site.get("/search", q="captain", limit=1)
    path = f"/films/{found['hits'][0]['id']}"
    status, text, _ = site.page(path)
    assert (status, 'class="here"' in text, 'class="reason"' in text) == (200, False, False)
    status, text, _ = site.page(path, q="captain", year_from="1999", year_to="1990")
    assert status == 422
    assert "swap them" in text
    assert found["hits"][0]["movie"]["title"] in unescape(text)


@pytest.mark.parametrize("film", ["77777777", "9" * 30, "x"])
def test_no_such_film(site: Service, film: str) -> None:
    """It is a page like the others, which leads to the search; programs have /movies."""
    status, text, headers = site.page(f"/films/{film}")
    assert status == 404
    assert headers["Content-Type"].startswith("text/html")
    assert "Search films" in text
    if film == "77777777":
        assert "There is no film with the id 77777777." in text


def test_without_engines_there_is_still_the_film(tmp_path: Path) -> None:
    """What the catalogue knows of a film needs no engine."""
    films = [Movie(id=1, title="Heist", cast=("A", "A"), rating=7.5, votes=1200)]
    lexical = FakeLexical(films)
    search = open_small(tmp_path, films, lexical)
    lexical.away = True
    with serving(create_app(search)) as service:
        status, text, _ = service.page("/films/1", q="heist", mode="keyword")
    assert status == 200
    assert "7.5 of 10 from 1,200 votes" in text
    assert text.count(">A</a>") == 1
    search.close()


@pytest.mark.parametrize(
    ("released", "said"),
    [("1997-12-19", "19 December 1997"), ("1894", "1894"), ("1997-13-40", "1997-13-40")],
)
def test_a_date_as_it_is_read(released: str, said: str) -> None:
    """The day of a release is written out; what is no date is shown as the source has it."""
    assert facts_of(Movie(id=1, title="Heist", released=released)) == [("Released", said)]


def test_where_more_is_said_of_a_film() -> None:
    """The page at the source of a format whose ids or names are those of that source; a whole URL
    is a link only if it is one of the web."""
    assert {WIKIPEDIA, IMDB, TMDB} <= {form.name for form in FORMATS}
    movie = Movie(id=111161, title="Heat", href="Heat_(1995)?x")
    assert [str(source and source.url) for source in map(source_of, [movie] * 4, _FORMATS)] == [
        "https://en.wikipedia.org/wiki/Heat_%281995%29%3Fx",
        "https://www.imdb.com/title/tt0111161/",
        "https://www.themoviedb.org/movie/111161",
        "None",
    ]
    hrefs = (
        "javascript:alert(1)",
        "//x.example/",
        "https://[x",
        "https:///x",
        "https://x.example/",
    )
    linked = [source_of(movie.model_copy(update={"href": href}), "other") for href in hrefs]
    assert [source and source.name for source in linked] == [None, None, None, None, "x.example"]


_FORMATS = (WIKIPEDIA, IMDB, TMDB, "other")


def test_signs_of_the_language_in_names_are_no_part_of_it() -> None:
    """A quotation mark in a name does not end the condition."""
    assert search_for("person", 'Dwayne "The Rock" Johnson') == 'person:"Dwayne The Rock Johnson"'
