"""What the pages say in plain words: reasons, people, filters in force, examples, problems."""

import re
from html import unescape
from pathlib import Path
from unittest.mock import Mock
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest

from hybrid.errors import EngineUnavailable
from hybrid.movie import Movie
from hybrid.query import FILTER_FIELDS
from hybrid.schemas.explanation import (
    FusionWhy,
    KeywordWhy,
    RanksWhy,
    SemanticWhy,
    SentenceWhy,
    TermWhy,
    Why,
)
from hybrid.schemas.highlight import Highlight
from hybrid.web.app import create_app
from hybrid.web.pages.excerpts import foremost
from hybrid.web.pages.form import LIMITS
from hybrid.web.pages.reasons import likeness, reason
from tests.fakes import FakeLexical
from tests.small import open_small
from tests.web.http import Service, serving


def why(
    found: str = "",
    missing: str = "",
    keyword: float = 0.0,
    semantic: float = 0.0,
    title: float | None = None,
) -> Why:
    """Return an explanation with these words, and these parts of the score."""
    terms = tuple(
        TermWhy(word=word, term=word, field="text", frequency=1, idf=1.0, score=1.0, share=0.1)
        for word in found.split()
    )
    counts = "title" if title else "text" if terms else None
    sentences = (SentenceWhy(sentence="It rains.", cosine=0.5, weight=1.0),) if semantic else ()
    return Why(
        summary="",
        keyword=KeywordWhy(
            counts=counts,
            title=title,
            text=0.1,
            terms=terms,
            together=0.0,
            not_found=tuple(missing.split()),
        ),
        semantic=SemanticWhy(sentences=sentences, words=None),
        preferred=(),
        fusion=FusionWhy(formula="", keyword=keyword, semantic=semantic, prior=0.0, preferred=0.0),
        ranks=RanksWhy(hybrid=1, keyword_only=None, semantic_only=None),
    )


@pytest.mark.parametrize(
    ("explanation", "said"),
    [
        (why(missing="sea rain", semantic=0.4), "Matched by plot; none of your words occur"),
        (why("sea", "rain", 0.1, 0.4), "Matched by plot; “sea” occurs"),
        (why("sea rain", "", 0.4, 0.1), "Matched by words; both of your words occur"),
        (why("a b c", "d", 0.4, 0.1), "Matched by words; “a”, “b” and “c” occur"),
        (why("a b c e f", "d", 0.4, 0.1), "Matched by words; “a”, “b”, “c” and 2 more occur"),
        (why("sea", "", 1.0, title=1.0), "The title is what you typed; your word occurs"),
        (why("sea", "", 0.9, title=0.8), "The title is close to what you typed; your word occurs"),
        (why(missing="sea"), "Not a close match; your word does not occur"),
    ],
)
def test_reasons(explanation: Why, said: str) -> None:
    """What matched goes first, then the words that occur; nothing is said that is not so."""
    assert reason(explanation) == said


def test_likeness() -> None:
    """Films are alike by their plots or by the words that both have."""
    assert likeness(why("whale captain", "", 0.1, 0.4)) == (
        "Alike by plot; both have “whale” and “captain”"
    )
    assert likeness(why("whale", "", 0.4, 0.1)) == "Both have “whale”"
    assert likeness(why(semantic=0.4)) == "Alike by plot"


def test_at_most_three_people_are_named() -> None:
    """Those that the query names come before others; each keeps its marks, and is there once."""
    movie = Movie(id=1, title="x", directors=("Ann Lee", "Bo"), cast=("Bo", "Cy", "Di", "Ed Roe"))
    nowhere = dict.fromkeys(Highlight.model_fields, ())
    people = foremost(movie, Highlight(**nowhere))
    assert [(person.text, person.directs) for person in people] == [
        ("Ann Lee", True),
        ("Bo", True),
        ("Cy", False),
    ]
    ed = len("Bo, Cy, Di, ")
    people = foremost(movie, Highlight(**nowhere | {"cast": ((ed + 3, ed + 6),)}))
    assert [person.text for person in people] == ["Ann Lee", "Bo", "Ed Roe"]
    assert [piece.text for piece in people[2].pieces if piece.marked] == ["Roe"]


def test_filters_stay_visible_without_a_query(site: Service) -> None:
    """Where the box is cleared the filters are still in force: the page says so and lets go of
    each."""
    fields = {"genre": ["Drama", "Western"], "year_from": "1950", "person": "Roe"}
    _, text, _ = site.page("/", q="", **fields)
    (listed,) = re.findall(r'<ul class="understood" aria-label="Filters">(.*?)</ul>', text, re.S)
    assert re.findall("<b>(.*?)</b>", listed) == ["Drama", "Western", "from 1950", "of Roe"]
    links = [urlsplit(unescape(link)).query for link in re.findall('href="([^"]*)"', listed)]
    rest = {"genre": ["Drama", "Western"], "year_from": ["1950"], "person": ["Roe"]}
    assert [parse_qs(link) for link in links] == [
        rest | {"genre": ["Western"]},
        rest | {"genre": ["Drama"]},
        {name: value for name, value in rest.items() if name != "year_from"},
        {name: value for name, value in rest.items() if name != "person"},
    ]


def test_every_filter_is_shown_in_force() -> None:
    """No field that limits the films is forgotten, but for how genres are combined."""
    fields = {*FILTER_FIELDS, "phrase", "exclude", "title", "person"} - {"genre_match"}
    assert set(LIMITS) == fields


def test_a_year_that_is_none_is_named_in_plain_words(site: Service) -> None:
    """No message of a parser reaches a person."""
    status, text, _ = site.page("/", q="captain", year_from="20x1")
    assert status == 422
    assert "The first year</b> is not a whole number" in text
    assert "parse" not in text


def test_no_word_where_the_years_exclude_it(site: Service) -> None:
    """The page does not claim of all films what is so of those that the filters allow."""
    query = {"q": "captain", "mode": "keyword"}
    _, text, _ = site.page("/", **query, year_from="2090", genre="Drama")
    assert "No film within these filters contains a word of the query" in text
    (link,) = re.findall(r'class="button" href="([^"]*)">Remove all filters', text)
    assert parse_qs(urlsplit(unescape(link)).query) == {n: [v] for n, v in query.items()}
    _, text, _ = site.page("/", q="xyzzy", mode="keyword")
    assert "No film contains a word of this query" in text


def test_examples_find_something(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page offers queries that find films in the index at hand, titles where no plot fits, and
    plays the first of them; it does so, too, if no engine answered the first time."""
    films = [
        Movie(id=n, title=f"Title {n}", year=1950 + n, description="A cook loses his spoon.")
        for n in range(30)
    ]
    search = open_small(tmp_path, films, FakeLexical(films))
    with serving(create_app(search)) as service:
        with monkeypatch.context() as down:
            down.setattr(search, "search", Mock(side_effect=EngineUnavailable("both are away")))
            assert 'class="examples"' not in service.page("/")[1]
        _, text, _ = service.page("/")
        (offered,) = re.findall(r'<p class="examples">(.*?)</p>', text, re.DOTALL)
        queries = [unescape(query) for query in re.findall(r"<a [^>]*>(.*?)</a>", offered)]
        assert len(queries) == 3
        for query in queries:
            assert service.get("/search", q=query)[1]["hits"]
        assert f'data-query="{queries[0]}"' in text
    search.close()


IMPORT = re.compile(r'from "(\.[^"]+)"')


def test_pages_are_light(site: Service) -> None:
    """Each page with its scripts, styles and typeface stays under 250 kB, images apart."""
    for path in ("/", "/?q=captain", "/side-by-side?q=captain"):
        _, text, _ = site.page(path)
        total = len(text.encode())
        files = re.findall(r'(?:href|src)="(/static/[^"]+)"', text)
        for file in files:  # which grows by what these import
            body = site.raw("GET", file).data
            total += len(body)
            if file.endswith(".js"):
                imports = [urljoin(file, name) for name in IMPORT.findall(body.decode())]
                files += [name for name in dict.fromkeys(imports) if name not in files]
        assert 30_000 < total < 250_000, path


def test_filters_have_the_numbers_of_what_they_would_show(site: Service) -> None:
    """Beside each genre is how many of the films found it would leave, whatever genre is chosen;
    the bars have the years."""
    fields = {"q": "captain", "year_from": "1960"}
    _, text, _ = site.page("/", **fields, genre="Drama")
    shown = {
        unescape(name): int(films.replace(",", ""))
        for name, films in re.findall(r'value="([^"]*)"[^>]*><span>.*?<small>([\d,]+)<', text)
    }
    _, answer = site.get("/search", **fields, genre="Drama", facets="genre,year")
    counted = answer["facets"]["candidates"]
    expected = {genre["value"]: genre["count"] for genre in counted["genre"]}
    assert len(set(expected.values())) > 2
    assert {name: shown[name] for name in expected if name in shown} == {
        name: films for name, films in expected.items() if name in shown
    }
    assert len(shown) >= 9
    bars = text[text.index('class="histogram"') :].partition("</svg>")[0]
    assert bars.count("<rect x") == len(counted["year"])
