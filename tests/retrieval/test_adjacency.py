"""Adjacency: neighbouring words of a query that stand together in a film."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from hybrid.engines.phrase_films import MAX_PHRASES
from hybrid.movie import Movie
from hybrid.query import SearchQuery
from hybrid.query_language.conditions import Phrase
from hybrid.retrieval.adjacency import GAIN, NAME_WEIGHT, adjacency, neighbours
from tests.fakes import FakeLexical
from tests.small import open_small

TOGETHER = Movie(id=3, title="Three", description="A film about star wars far away.")
APART = Movie(id=1, title="One", description="A film about wars that a star far sees.")
FILMS = [
    APART,
    TOGETHER,
    *(Movie(id=n, title="Other", description="Rain.") for n in (7, 9)),
    *(Movie(id=10 + n, title=word) for n, word in enumerate(("Star", "Wars", "Far"))),
]
"""The last ones score highest for a word each: no film of all three attains the maximum."""


def test_neighbours_hold_the_stop_words_between_them() -> None:
    """Stop words are no neighbours, but stand between them as typed; a pair counts once."""
    assert neighbours("The Lord of the Rings") == (Phrase(("lord", "of", "the", "rings")),)
    assert neighbours("star wars star wars") == (
        Phrase(("star", "wars")),
        Phrase(("wars", "star")),
    )
    assert neighbours("star") == neighbours("the of") == ()
    assert len(neighbours(" ".join(f"word{n}" for n in range(60)))) == MAX_PHRASES


@pytest.mark.parametrize(
    ("person", "shares"), [(None, [1.0, 1 / 2, 0.0, 1 / 2]), ("C D", [1.0, 1 / 3, 0.0, 2 / 3])]
)
def test_pairs_are_weighed(person: str | None, shares: list[float]) -> None:
    """A pair of a name counts twice, and a pair that no listed film has not at all."""
    pairs = neighbours("a1 b c d")
    assert [pair.text for pair in pairs] == ["a1 b", "b c", "c d"]
    have = np.array([[1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 1, 1]], np.bool_)
    listed = np.array([True, True, False, False])
    have[0, 1] = False
    assert adjacency(pairs, have, listed, person).tolist() == pytest.approx(shares)
    assert adjacency(pairs, have, ~np.ones(4, np.bool_), person).tolist() == [0, 0, 0, 0]
    assert adjacency((), have[:, :0], listed, person).tolist() == [0, 0, 0, 0]


def test_words_together_beat_the_same_words_apart(tmp_path: Path) -> None:
    """The share of the film where they stand together is raised; explanations add up to it."""
    with closing(open_small(tmp_path, FILMS, FakeLexical(FILMS))) as search:
        query = SearchQuery.model_validate(
            {"query": "star wars far", "mode": "keyword", "explain": "full"}
        )
        first, second = search.search(query).hits[:2]
        assert (first.id, second.id) == (TOGETHER.id, APART.id)
        for hit, together in ((first, 1.0), (second, 0.0)):
            assert hit.why
            assert hit.why.keyword
            assert hit.why.keyword.together == together
            assert hit.why.keyword.terms
            shares = sum(term.share for term in hit.why.keyword.terms)
            assert shares == pytest.approx(hit.why.keyword.text)
        candidates = search.retrieve(query)
        by_words = candidates.keyword.bm25 / search.engines.lexical.attainable("star wars far")
        raised = by_words * (1 + GAIN * candidates.keyword.adjacency)
        assert candidates.keyword.shares.tolist() == np.minimum(raised, 1.0).tolist()


@pytest.mark.parametrize("many", [1, 1000])
def test_a_name_that_films_gain_by_is_no_pair(
    tmp_path: Path, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the words of the query that stand together count, of a name as of others, also where
    many films have one."""
    monkeypatch.setattr("hybrid.engines.phrase_films.MANY_FILMS", many)
    films = [
        Movie(id=1, title="Night", description="A comet tail.", cast=("Ann Odell",)),
        Movie(id=2, title="Day", description="A comet tail."),
    ]
    with closing(open_small(tmp_path, films, FakeLexical(films))) as search:
        found = search.retrieve(SearchQuery(query="ann odell comet tail"))
        assert [part.value for part in found.parsed.preferred] == ["ann odell"]
        assert found.meets[:, 0].tolist() == [True, False]
        assert found.keyword.adjacency.tolist() == pytest.approx([1.0, 1 / (NAME_WEIGHT + 1)])


def test_pairs_that_many_films_have_count_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are looked for among the candidates then, also beside a list that has all films."""
    with closing(open_small(tmp_path, FILMS, FakeLexical(FILMS))) as search:
        query = SearchQuery(query="star wars far")
        few = search.retrieve(query).keyword.adjacency.tolist()
        assert any(few)
    (tmp_path / "again").mkdir()
    monkeypatch.setattr("hybrid.engines.phrase_films.MANY_FILMS", 1)
    with closing(open_small(tmp_path / "again", FILMS, FakeLexical(FILMS))) as search:
        assert search.retrieve(query).keyword.adjacency.tolist() == few
