"""Paging: every film of the list once, in one order, at any page size and whatever is published."""

import os
import random
import re
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from contextlib import closing
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid.cursor import MAX_FILMS, Window, read_window, write_window
from hybrid.errors import InvalidInput
from hybrid.movie import MAX_ID, Movie
from hybrid.query import MAX_CURSOR, SearchQuery
from hybrid.schemas.search import SearchResponse
from hybrid.search import HybridSearch
from hybrid.storage.generation import CURRENT, open_current
from hybrid.web.app import create_app
from tests import corpus
from tests.command import Index
from tests.eventually import eventually
from tests.stores import build_stores, open_stores, put, remove
from tests.web.http import Service, serving

MOVIES = corpus.films(300)
QUERIES = corpus.queries(40)

WALKS = int(os.environ.get("WALKS", "30"))
"""Random walks of each kind; 1,000 for a thorough run."""

limits = st.lists(st.integers(1, 40), min_size=1, max_size=5)


def walk(search: HybridSearch, limits: Sequence[int], **fields: Any) -> list[Any]:
    """Return rank, id and score of all films, page after page; the last size is that of others."""
    hits, cursor = [], None
    for limit in chain(limits, repeat(limits[-1])):
        query = SearchQuery.model_validate(fields | {"limit": limit, "cursor": cursor})
        answer = search.search(query)
        hits += [(hit.rank, hit.id, hit.score) for hit in answer.hits]
        cursor = answer.next_cursor
        if cursor is None:
            break
    return hits


@given(
    text=st.sampled_from(QUERIES),
    limits=limits,
    mode=st.sampled_from(["hybrid", "keyword", "semantic"]),
    fusion=st.sampled_from(["attainable", "min_max", "rrf"]),
)
@settings(max_examples=WALKS)
def test_walks_are_one_long_page(
    search: HybridSearch, text: str, limits: list[int], mode: str, fusion: str
) -> None:
    """Ranks, films and scores are the same at any page size; the ranks count up to the total."""
    fields = {"query": text, "mode": mode, "fusion": fusion}
    long_page = search.search(SearchQuery.model_validate(fields | {"limit": 100}))
    expected = [(hit.rank, hit.id, hit.score) for hit in long_page.hits]
    assert long_page.next_cursor is None
    assert walk(search, limits, **fields) == expected
    assert [rank for rank, *_ in expected] == list(range(1, long_page.total.value + 1))


def publish_something(data: Path, films: dict[int, Movie], choose: random.Random) -> None:
    """Publish films removed, changed in genre or text, and a new one; `films` follows."""
    some = choose.sample(sorted(films), 12)
    remove(data, *some[:4])
    changed = [films[film].model_copy(update={"genres": ("Western",)}) for film in some[4:8]]
    told = choose.choice(QUERIES)
    changed += [films[film].model_copy(update={"description": f"{told}."}) for film in some[8:]]
    changed.append(Movie(id=max(films) + 1, title=told[:50], genres=("Drama",)))
    put(data, *changed)
    for film in some[:4]:
        del films[film]
    films |= {movie.id: movie for movie in changed}


def test_walks_across_publications(tmp_path: Path) -> None:
    """Films that come, go and change meanwhile move no other film: what is left of the first list
    is shown in its order, nothing else, and a warning counts what is left out."""
    data = tmp_path / "data"
    choose, left_out = random.Random(WALKS), 0
    films: dict[int, Movie] = {}
    for _ in range(max(1, WALKS // 15)):
        if len(films) < 200:
            build_stores(data, MOVIES)
            films = {movie.id: movie for movie in MOVIES}
        query = SearchQuery(query=choose.choice(QUERIES), genre=("drama", "comedy"), limit=100)
        rest = [hit.id for hit in published_search(data, query).hits]
        total = len(rest)
        query = query.model_copy(update={"limit": choose.randint(8, 30)})
        answer = published_search(data, query)
        while True:
            shown: list[int] = []
            gone = 0
            while rest and len(shown) < query.limit:
                film = films.get(rest.pop(0))
                matches = film is not None and {"Drama", "Comedy"} & set(film.genres)
                shown += [film.id] if film and matches else []
                gone += not matches
            assert [hit.id for hit in answer.hits] == shown
            assert answer.total.value == total
            assert any(f"{gone} film" in warning for warning in answer.warnings) == (gone > 0)
            left_out += gone
            if answer.next_cursor is None:
                break
            publish_something(data, films, choose)
            update = {"limit": choose.randint(8, 30), "cursor": answer.next_cursor}
            query = query.model_copy(update=update)
            answer = published_search(data, query)
        assert not rest
    assert left_out


def published_search(data: Path, query: SearchQuery) -> SearchResponse:
    """Search what is published."""
    with closing(open_stores(open_current(data))) as opened:
        return opened.search(query)


@given(
    ids=st.lists(st.integers(0, MAX_ID), unique=True, min_size=1, max_size=50),
    place=st.integers(0, 10**4),
    text=st.text("ab é\u4e2d", min_size=1, max_size=9).filter(str.strip),
)
def test_a_cursor_is_read_as_it_was_written(ids: list[int], place: int, text: str) -> None:
    """Ids of any size in any order, by whatever the query shows of its films."""
    window, query = Window(tuple(ids), place), SearchQuery(query=text)
    cursor = write_window(window, query)
    shown = {"limit": 50, "highlight": True, "explain": "full", "require": "both"}
    assert read_window(query.model_copy(update=shown | {"cursor": cursor})) == window


def test_the_largest_cursor_may_be_sent() -> None:
    """As many ids as a window has, as far apart as they can be."""
    ids = tuple(n // 2 if n % 2 else MAX_ID - n // 2 for n in range(MAX_FILMS))
    query = SearchQuery(query="heist")
    cursor = write_window(Window(ids, 10), query)
    assert read_window(SearchQuery(query="heist", cursor=cursor)) == Window(ids, 10)


CURSOR = write_window(Window((3, 1, 2), 2), SearchQuery(query="heist"))


@given(cursor=st.text("Ab9-_=% é", max_size=60) | st.binary(max_size=60).map(bytes.hex))
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    """The error names the field and says what to do."""
    with pytest.raises(InvalidInput, match="damaged") as caught:
        read_window(SearchQuery(query="heist", cursor=cursor))
    assert list(caught.value.fields) == ["cursor"]


@given(place=st.integers(0, len(CURSOR) - 1), letter=st.sampled_from("AQgw-_90"))
def test_a_damaged_cursor_is_refused(place: int, letter: str) -> None:
    """Whichever letter is another or missing."""
    for damaged in (CURSOR[:place] + letter + CURSOR[place + 1 :], CURSOR[:place]):
        if damaged != CURSOR:
            with pytest.raises(InvalidInput, match="damaged"):
                read_window(SearchQuery(query="heist", cursor=damaged))


def forged_window(*numbers: int) -> bytes:
    """Return what a cursor says of a place and ids, whatever they are."""
    return zlib.compress(np.array(numbers, "<i8").view(np.uint8).reshape(-1, 8).T.tobytes())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80",  # not compressed
        zlib.compress(b""),
        zlib.compress(b"\0" * 15),  # one number and a part
        forged_window(0),
        forged_window(0, 1, 1),
        forged_window(0, -1),
        forged_window(-1, 1),
        forged_window(0, *range(MAX_FILMS + 1)),
        zlib.compress(bytes(10**7)),
    ],
    ids=range(10),
)
def test_a_forged_cursor_is_refused(content: bytes) -> None:
    """A checksum is no secret, so what it covers is checked as well."""
    start = urlsafe_b64decode(CURSOR + "==")[:7] + content
    forged = urlsafe_b64encode(start + zlib.crc32(start).to_bytes(4)).decode().rstrip("=")
    with pytest.raises(InvalidInput, match="damaged"):
        read_window(SearchQuery(query="heist", cursor=forged))


@pytest.mark.parametrize(
    "fields",
    [
        {"query": "heists"},
        {"genre": "War"},
        {"year_from": 1950},
        {"exclude": "train"},
        {"mode": "keyword"},
        {"alpha": 0.2},
        {"fusion": "rrf"},
    ],
)
def test_a_cursor_belongs_to_its_query(fields: dict[str, Any]) -> None:
    """Another text, filter or ranking is refused, in plain words."""
    query = SearchQuery.model_validate({"query": "heist", "cursor": CURSOR} | fields)
    with pytest.raises(InvalidInput, match="belongs to another query") as caught:
        read_window(query)
    assert "explain, facets, highlight, limit, require may change" in caught.value.fields["cursor"]


def test_ids_of_others_bring_no_film_that_breaks_the_filters(search: HybridSearch) -> None:
    """A cursor made by hand finds of its films those that the query allows."""
    query = SearchQuery(query="captain -river", genre=("drama",), limit=100).resolved(
        search.preferences.default
    )
    ids = [*(movie.id for movie in MOVIES), MAX_ID]
    cursor = write_window(Window(tuple(ids), 0), query)
    films: set[int] = set()
    while cursor:
        answer = search.search(query.model_copy(update={"cursor": cursor}))
        films |= {hit.id for hit in answer.hits}
        cursor = answer.next_cursor or ""
    expected = {
        movie.id
        for movie in MOVIES
        if "Drama" in movie.genres
        and "river" not in f"{movie.title} {movie.description}".lower().replace("rivers", "river")
    }
    assert films == expected


def test_over_http(index: Index, service: Service) -> None:
    """On both engines, in URL and body: pages of one film are the page of all, and the last one has
    no cursor. What is wrong with a cursor is an error of its field."""
    published = (index.data / CURRENT).read_text().split()[0]

    def served() -> set[str]:
        return {service.get("/search", q="film")[1]["generation"] for _ in range(8)}

    eventually(lambda: served() == {published}, 30)  # by all workers, whoever changed films before
    _, whole = service.get("/search", q="film", limit=100)
    assert len(whole["hits"]) == whole["total"]["value"] > 3
    assert whole["next_cursor"] is None
    ids: list[int] = []
    sent: dict[str, Any] = {"query": "film", "limit": 1}
    while True:
        asked = {"q" if name == "query" else name: value for name, value in sent.items()}
        status, answer = service.get("/search", **asked)
        assert status == 200
        assert service.post("/search", sent)[1]["hits"] == answer["hits"]
        ids += [hit["id"] for hit in answer["hits"]]
        if answer["next_cursor"] is None:
            break
        sent["cursor"] = answer["next_cursor"]
    assert ids == [hit["id"] for hit in whole["hits"]]
    for fields, problem in (
        ({"cursor": "x"}, "damaged"),
        ({"cursor": sent["cursor"], "mode": "keyword"}, "another query"),
        ({"cursor": "x" * (MAX_CURSOR + 1)}, "characters"),
    ):
        status, refused = service.post("/search", {"query": "film"} | fields)
        assert status == 422
        assert list(refused["error"]["fields"]) == ["cursor"]
        assert problem in refused["error"]["message"]
    status, answer = service.get("/explain/1", q="film", cursor=sent["cursor"])
    assert (status, answer["error"]["fields"]) == (422, {"cursor": "is unknown"})


def test_the_page_goes_on_without_a_script(search: HybridSearch) -> None:
    """Its link leads to the next films, until the page says that these are all; other links and the
    form begin anew."""
    with serving(create_app(search)) as service:
        _, whole = service.get("/search", q="captain river", limit=100)
        titles: list[str] = []
        path = "/?q=captain+river&limit=9"
        while True:
            status, text, _ = service.page(path)
            assert status == 200
            assert 'name="cursor"' not in text
            titles += re.findall(r'<li id="hit-(\d+)">', text)
            links = [link.replace("&amp;", "&") for link in re.findall(r'href="([^"]*)"', text)]
            following = [link for link in links if "cursor=" in link]
            if not following:
                break
            (path,) = following
        assert "These are all the films found" in text
        assert titles == [str(hit["rank"]) for hit in whole["hits"]]
