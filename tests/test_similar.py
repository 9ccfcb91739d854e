"""Films like another one, or like a text."""

from collections.abc import Iterator
from typing import get_args

import numpy as np
import pytest

from hybrid.comparison.compare import compare
from hybrid.errors import EngineUnavailable, InvalidInput, NotFound
from hybrid.fusion.alpha import LIKENESS_ALPHA
from hybrid.movie import Movie
from hybrid.query import FIELDS, FusionMethod, Mode, Query, SearchQuery, SimilarQuery
from hybrid.schemas.runs import parse_runs
from hybrid.schemas.search import SimilarResponse
from hybrid.search import HybridSearch
from hybrid.similar import similar
from tests import corpus
from tests.fakes import FakeLexical
from tests.small import open_small_embedded

HEIST = "A safecracker plans a burglary. The vault floods. His accomplice betrays him at dawn."
MOVIES = [
    *corpus.films(250),
    Movie(id=5001, title="Vault", year=1955, description=HEIST, cast=("Ida Lupino",)),
    Movie(id=5002, title="The Vault", year=1990, description=HEIST),
    Movie(id=5003, title="Vault", year=1956, description=HEIST, cast=("Ida Lupino",)),
    Movie(
        id=5004,
        title="Dawn Patrol",
        year=1960,
        genres=("Crime",),
        description="A safecracker betrays his accomplice. The vault is empty.",
    ),
    Movie(id=5005, title="Ladies of the Stage", year=1956, cast=("Ida Lupino",)),
    Movie(id=5006, title="Zzyzx"),
]
BY_ID = {movie.id: movie for movie in MOVIES}


def like(search: HybridSearch, **fields: object) -> SimilarResponse:
    """Return what is like the film of this id, or this text, on one page."""
    return similar(search, SimilarQuery.model_validate({"limit": 100} | fields))


def ids(answer: SimilarResponse) -> list[int]:
    """Return the ids of the films found, from the best on."""
    return [hit.id for hit in answer.hits]


@pytest.mark.parametrize("mode", get_args(Mode))
def test_never_itself_nor_its_duplicates(search: HybridSearch, mode: Mode) -> None:
    """A film and what the source has of it twice are never like it, nor is any film there twice;
    the film that is most like it is first."""
    assert search.duplicates.groups == {5001: (5001, 5003), 5003: (5001, 5003)}
    for film in (5001, 5003):
        found = ids(like(search, id=film, mode=mode))
        assert not {5001, 5003} & set(found)
        assert found[0] == 5002
    found = ids(like(search, id=5002, mode=mode))
    assert 5002 not in found
    assert len({5001, 5003} & set(found)) == 1
    for movie in MOVIES[:40]:
        assert movie.id not in ids(like(search, id=movie.id, mode=mode))


def test_the_list_is_as_long_without_the_film(search: HybridSearch) -> None:
    """Excluded films take no place in the lists: of depth 30 are found as many."""
    for movie in MOVIES[:30]:
        if movie.description:
            answer = like(search, id=movie.id, mode="semantic")
            assert len(answer.hits) == 30
            assert [hit.semantic.rank for hit in answer.hits] == list(range(1, 31))


def test_words_are_those_that_tell_most(search: HybridSearch, lexical: FakeLexical) -> None:
    """By words a film is like those that share its rarest words; one nobody shares is not sought,
    or it would lower every share."""
    answer = like(search, id=5001, mode="keyword", explain="full")
    assert ids(answer)[:3] == [5002, 5004, 5005]
    why = answer.hits[0].why
    assert why is not None
    assert why.keyword is not None
    assert why.keyword.terms is not None
    words = {term.word for term in why.keyword.terms} | set(why.keyword.not_found)
    assert {"safecracker", "burglary", "Ida", "Lupino"} <= words
    assert like(search, id=5006, mode="keyword").hits == ()
    scores = lexical.score(" ".join(words), np.array(ids(answer), np.int64))
    assert [hit.keyword.score for hit in answer.hits] == pytest.approx(scores.tolist())


def test_meaning_is_the_mean_of_the_sentences(search: HybridSearch) -> None:
    """By meaning a film is scored with the mean of the sentence vectors, at length 1."""
    own = search.engines.semantic.vectors_of(5001).sum(axis=0)
    own /= np.linalg.norm(own)
    for hit in like(search, id=5001, mode="semantic").hits:
        cosines = sorted(search.engines.semantic.vectors_of(hit.id) @ own, reverse=True)
        expected = sum(w * c for w, c in zip((0.6, 0.2, 0.2), cosines, strict=False))
        assert hit.semantic.score == pytest.approx(expected, abs=1e-5)


def test_a_text_finds_what_the_same_film_would(search: HybridSearch) -> None:
    """The text of a film is like the film itself most of all; a line break or two do not matter."""
    for mode in get_args(Mode):
        text = HEIST.replace(". ", ".\n\n ")
        found = like(search, query=text, mode=mode)
        assert set(ids(found)[:2]) == {5001, 5002}
        assert found.query.text == text
        assert found.query.id is None


def test_filters_hold_and_fusions_weigh(search: HybridSearch) -> None:
    """Films that do not pass are not found; the score is what alpha and both sides say; a larger
    page never changes the order."""
    for n, filters in enumerate(corpus.filters(40)):
        method = get_args(FusionMethod)[n % 5]
        fields = {FIELDS.get(name, name): value for name, value in filters.model_dump().items()}
        answer = like(search, id=MOVIES[n].id, fusion=method, **fields)
        allowed = {m.id for m in MOVIES if filters.matches(m)} - {MOVIES[n].id}
        assert set(ids(answer)) <= allowed
        few = like(search, id=MOVIES[n].id, fusion=method, **fields | {"limit": 3})
        assert ids(few) == ids(answer)[:3]
    for alpha in ("auto", 0.2):
        answer = like(search, id=5001, alpha=alpha)
        assert answer.alpha == (LIKENESS_ALPHA if alpha == "auto" else alpha)
        for hit in answer.hits:
            share, cosine = hit.keyword.share or 0.0, hit.semantic.score or 0.0
            assert hit.score == pytest.approx((1 - answer.alpha) * share + answer.alpha * cosine)


def test_a_film_without_a_description(search: HybridSearch) -> None:
    """It is found by its words alone, and the answer says so; by meaning nothing is like it."""
    answer = like(search, id=5005)
    assert set(ids(answer)) & {5001, 5003}
    assert answer.alpha == 0
    assert "no description" in answer.alpha_reason
    assert like(search, id=5005, mode="semantic").hits == ()


def test_without_the_keyword_engine(search: HybridSearch, lexical: FakeLexical) -> None:
    """What an engine that is away would have found is left out, unless it is required."""
    lexical.away = True
    try:
        answer = like(search, id=5001)
        assert answer.degraded == ("keyword",)
        assert ids(answer)[0] == 5002
        for fields in ({"mode": "keyword"}, {"require": "both"}):
            with pytest.raises(EngineUnavailable):
                like(search, id=5001, **fields)
    finally:
        lexical.away = False


@pytest.mark.parametrize("fields", [{}, {"id": 1, "query": "a heist"}, {"query": " "}])
def test_a_request_names_one_film_or_one_text(fields: dict[str, object]) -> None:
    """Neither or both of them, or an empty text, is an error that names the field."""
    with pytest.raises((InvalidInput, ValueError), match="query"):
        SimilarQuery.model_validate(fields)


def test_an_unknown_film(search: HybridSearch) -> None:
    """A film that is not there is an error."""
    with pytest.raises(NotFound):
        like(search, id=77)


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HybridSearch]:
    """Give the same films on the embedded keyword engine."""
    search = open_small_embedded(tmp_path_factory.mktemp("embedded"), MOVIES)
    yield search
    search.close()


def test_on_the_embedded_engine(embedded: HybridSearch) -> None:
    """The real engine finds the same films as the fake."""
    for mode in get_args(Mode):
        assert ids(like(embedded, id=5001, mode=mode))[0] == 5002
        assert set(ids(like(embedded, query=HEIST, mode=mode))[:2]) == {5001, 5002}
    answer = like(embedded, id=5001, highlight=True, explain="summary")
    assert answer.hits[0].highlight is not None
    assert answer.hits[0].why is not None


def test_a_search_has_each_film_once(search: HybridSearch) -> None:
    """A search lists the best of the same films, in ranks without gaps, and names the others; any
    of them is explained in its place; a comparison ranks both."""
    query = SearchQuery(query="vault safecracker burglary", limit=100)
    answer = search.search(query)
    assert [hit.rank for hit in answer.hits] == list(range(1, len(answer.hits) + 1))
    assert answer.total.value == len(answer.hits)
    (found,) = [hit for hit in answer.hits if hit.id in {5001, 5003}]
    (other,) = found.duplicates
    assert {found.id, other.id} == {5001, 5003}
    assert (other.title, other.year) == ("Vault", BY_ID[other.id].year)
    assert all(hit.duplicates == () for hit in answer.hits if hit != found)
    for film in (5001, 5003):
        explained = search.explain(query, film).hit
        assert explained.rank == found.rank
        assert [twin.id for twin in explained.duplicates] == [{5001, 5003}.difference({film}).pop()]
    compared = compare(search, Query(query=query.text, limit=100), parse_runs(()))
    assert {5001, 5003} <= {hit.id for hit in compared.runs["hybrid"].hits}
