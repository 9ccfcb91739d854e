"""HybridSearch: both sides, complete scores, filters, degradation."""

from collections.abc import Iterator
from typing import get_args

import numpy as np
import pytest

from hybrid.engines.protocols import Meaning
from hybrid.errors import EngineUnavailable, NotFound
from hybrid.query import Filters, Fusion, FusionMethod, Mode, SearchQuery
from hybrid.ranking import SearchResponse
from hybrid.search import PLOT_WORDS, SECOND_SHARE, HybridSearch
from tests import corpus
from tests.fakes import FakeLexical, HashingEncoder
from tests.small import open_small

MOVIES = corpus.films(300)
BY_ID = {movie.id: movie for movie in MOVIES}


@pytest.fixture(scope="module")
def lexical() -> FakeLexical:
    """Give the keyword side."""
    return FakeLexical(MOVIES)


@pytest.fixture(scope="module")
def search(
    lexical: FakeLexical, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[HybridSearch]:
    """Give a search of depth 30."""
    found = open_small(tmp_path_factory.mktemp("small"), MOVIES, lexical)
    yield found
    found.close()


def meaning(text: str) -> Meaning:
    """Return what the search asks the semantic side for `text`."""
    second = SECOND_SHARE if len(text.split()) >= PLOT_WORDS else 0.0
    return Meaning(HashingEncoder().encode([text])[0], second)


def ask(search: HybridSearch, text: str, **fields: object) -> SearchResponse:
    """Ask with the whole window on one page."""
    return search.search(SearchQuery.model_validate({"text": text, "limit": 100} | fields))


def test_scores_are_complete(search: HybridSearch, lexical: FakeLexical) -> None:
    """Every film of either list carries both true scores, whichever list it came from."""
    for text in corpus.queries(30):
        answer = ask(search, text)
        ids = np.array([hit.id for hit in answer.hits], np.int64)
        bm25 = lexical.score(text, ids)
        cosines = search._semantic.score(meaning(text), ids)
        assert [hit.keyword.score for hit in answer.hits] == pytest.approx(bm25.tolist())
        for hit, cosine in zip(answer.hits, cosines.tolist(), strict=True):
            if BY_ID[hit.id].description is None:
                assert hit.semantic.score is None
                assert hit.semantic.sentence is None
            else:
                assert hit.semantic.score == pytest.approx(cosine)
        both = {bool(hit.keyword.rank) + 2 * bool(hit.semantic.rank) for hit in answer.hits}
        assert 0 not in both


def test_fused_score_is_what_its_parts_say(search: HybridSearch) -> None:
    """The score of a hit is (1-alpha) * share + alpha * cosine, and hits are in its order."""
    for text in corpus.queries(30):
        answer = ask(search, text, fusion=Fusion(alpha=0.3))
        for hit in answer.hits:
            assert hit.keyword.share is not None
            assert hit.keyword.share <= 1 + 1e-6
            expected = 0.7 * hit.keyword.share + 0.3 * (hit.semantic.score or 0.0)
            assert hit.score == pytest.approx(expected)
        assert [(hit.score, hit.id) for hit in answer.hits] == sorted(
            ((hit.score, hit.id) for hit in answer.hits), key=lambda pair: (-pair[0], pair[1])
        )
        assert [hit.rank for hit in answer.hits] == list(range(1, len(answer.hits) + 1))


def test_filters_hold_in_every_mode_and_fusion(search: HybridSearch) -> None:
    """Whatever is asked, only films that match come back, and all who could if few do."""
    modes, methods = get_args(Mode), get_args(FusionMethod)
    for n, filters in enumerate(corpus.filters(90)):
        answer = ask(
            search,
            " ".join(corpus.WORDS),
            filters=filters,
            mode=modes[n % 3],
            fusion=Fusion(method=methods[n % 5]),
        )
        matching = {m.id for m in MOVIES if filters.matches(m.year, m.genres)}
        found = {hit.id for hit in answer.hits}
        assert found <= matching
        if modes[n % 3] == "hybrid" and len(matching) <= 30:
            assert found == matching


@pytest.mark.parametrize("method", get_args(FusionMethod))
def test_a_larger_page_never_changes_the_order(search: HybridSearch, method: FusionMethod) -> None:
    """The first ten are the same whether ten or a hundred are asked for."""
    for text in corpus.queries(20):
        few = ask(search, text, limit=10, fusion=Fusion(method=method))
        many = ask(search, text, limit=100, fusion=Fusion(method=method))
        assert [hit.id for hit in many.hits][:10] == [hit.id for hit in few.hits]
        assert many.hits[:10] == few.hits


def test_one_side_alone(search: HybridSearch) -> None:
    """Keyword and semantic mode rank by their own score, and say null for the other side."""
    text = "captain mirror orchestra"
    worded = ask(search, text, mode="keyword")
    assert [hit.keyword.rank for hit in worded.hits] == [hit.rank for hit in worded.hits]
    assert all(hit.semantic.score is hit.semantic.rank is None for hit in worded.hits)
    meant = ask(search, text, mode="semantic")
    assert [hit.semantic.rank for hit in meant.hits] == [hit.rank for hit in meant.hits]
    assert all(hit.keyword.share is hit.keyword.rank is None for hit in meant.hits)
    assert meant.hits[0].score == pytest.approx(meant.hits[0].semantic.score)


def test_alpha_moves_from_one_side_to_the_other(search: HybridSearch) -> None:
    """At alpha 0 the first film is the keyword side's, at alpha 1 the semantic side's."""
    text = "widow carnival empire thief"
    for alpha, mode in ((0.0, "keyword"), (1.0, "semantic")):
        fused = ask(search, text, fusion=Fusion(alpha=alpha)).hits
        assert fused[0].id == ask(search, text, mode=mode).hits[0].id


def test_sentence_is_the_film_s_own(search: HybridSearch) -> None:
    """The sentence shown stands in the film's description."""
    for hit in ask(search, "boxer train violin").hits:
        if hit.semantic.sentence:
            assert hit.semantic.sentence in (hit.movie.description or "")
            assert hit.semantic.sentence == hit.semantic.sentence.strip()


def test_keyword_engine_away(search: HybridSearch, lexical: FakeLexical) -> None:
    """Hybrid answers by meaning alone and says so; keyword mode fails; semantic never notices."""
    lexical.away = True
    try:
        answer = ask(search, "captain mirror")
        assert answer.degraded == ("keyword",)
        assert [hit.id for hit in answer.hits] == [
            hit.id for hit in ask(search, "captain mirror", mode="semantic").hits
        ]
        assert all(hit.keyword.score is None for hit in answer.hits)
        assert ask(search, "captain mirror", mode="semantic").degraded == ()
        with pytest.raises(EngineUnavailable):
            ask(search, "captain mirror", mode="keyword")
    finally:
        lexical.away = False


@pytest.mark.parametrize("step", ["search", "attainable", "score"])
def test_keyword_engine_lost_on_the_way(
    search: HybridSearch, lexical: FakeLexical, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At whichever step the keyword engine fails, hybrid answers whole by meaning."""

    def lost(*_: object) -> None:
        raise EngineUnavailable("lost")

    alone = ask(search, "captain mirror", mode="semantic")
    monkeypatch.setattr(lexical, step, lost)
    answer = ask(search, "captain mirror")
    assert answer.degraded == ("keyword",)
    assert [hit.id for hit in answer.hits] == [hit.id for hit in alone.hits]


def test_warnings_tell_what_went_unheard(search: HybridSearch) -> None:
    """A genre that no film has, and a query without a known word, are pointed out."""
    answer = ask(search, "xyzzy the", filters=Filters(genres=("Horor", "drama")))
    assert answer.warnings == (
        "no film has the genre 'Horor'; near it: horror",
        "no film holds a word of the query, apart from stop words",
    )
    assert answer.hits
    assert ask(search, "captain").warnings == ()


def test_no_candidate_is_no_error(search: HybridSearch) -> None:
    """A filter that nothing passes gives an empty answer in every fusion."""
    for method in get_args(FusionMethod):
        nothing = Filters(year_from=2090, year_to=2090)
        answer = ask(search, "captain", filters=nothing, fusion=Fusion(method=method))
        assert answer.hits == ()
        assert answer.total.value == 0


def test_movie_by_id(search: HybridSearch) -> None:
    """A film is found by its id; any other number, however large, is not found."""
    assert search.movie(1) == BY_ID[1]
    for unknown in (0, -1, 2**63 - 1, 2**63, 10**30):
        with pytest.raises(NotFound):
            search.movie(unknown)
