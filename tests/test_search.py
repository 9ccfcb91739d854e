"""HybridSearch: both sides, complete scores, filters, degradation."""

import json
from contextlib import closing
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from hybrid.cache import Cache
from hybrid.comparison.compare import compare
from hybrid.engines.deadline import Deadline
from hybrid.errors import EngineUnavailable, NotFound
from hybrid.fusion.preferences import Preferences
from hybrid.movie import Movie
from hybrid.query import FIELDS, Filters, Fusion, FusionMethod, Mode, Query, SearchQuery
from hybrid.query_language.film_words import FilmWords
from hybrid.query_language.language import conditions_of, read
from hybrid.retrieval.adjacency import GAIN
from hybrid.schemas.runs import parse_runs
from hybrid.schemas.search import SearchResponse
from hybrid.search import HybridSearch
from hybrid.vectors import QueryVector
from tests import corpus
from tests.fakes import FakeLexical, HashingEncoder
from tests.small import open_small

ACTED = Movie(id=9001, title="Lantern", year=1950, cast=("Greta Garbo", "Love Nyström"))
MOVIES = [*corpus.films(300), ACTED]
BY_ID = {movie.id: movie for movie in MOVIES}
WORDS = {movie.id: FilmWords.of(movie) for movie in MOVIES}


def meaning(text: str) -> QueryVector:
    """Return what the search asks the semantic side for `text`."""
    weights = (0.6, 0.2, 0.2) if len(text.split()) >= 7 else (1.0,)
    return QueryVector(HashingEncoder().encode([text])[0], weights)


def ask(search: HybridSearch, text: str, **fields: object) -> SearchResponse:
    """Ask with the whole window on one page."""
    return search.search(SearchQuery.model_validate({"query": text, "limit": 100} | fields))


def flat(filters: Filters) -> dict[str, object]:
    """Return the fields of a query that has these filters."""
    return {FIELDS.get(name, name): value for name, value in filters.model_dump().items()}


@pytest.fixture(autouse=True)
def _uncached(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compute every answer: tests of one search ask it the same queries."""
    monkeypatch.setattr(Cache, "get", lambda *_: None)


def test_scores_are_complete(search: HybridSearch, lexical: FakeLexical) -> None:
    """Every film of either list carries both true scores, whichever list it came from."""
    for text in corpus.queries(30):
        answer = ask(search, text)
        ids = np.array([hit.id for hit in answer.hits], np.int64)
        bm25 = lexical.score(text, ids)
        cosines = search.engines.semantic.score(meaning(text), ids)
        assert [hit.keyword.score for hit in answer.hits] == pytest.approx(bm25.tolist())
        for hit, cosine in zip(answer.hits, cosines.tolist(), strict=True):
            if BY_ID[hit.id].description is None:
                assert hit.semantic.score is None
                assert hit.semantic.sentence is None
            else:
                assert hit.semantic.score == pytest.approx(cosine)
        both = {bool(hit.keyword.rank) + 2 * bool(hit.semantic.rank) for hit in answer.hits}
        assert 0 not in both


def test_fused_score_is_what_its_parts_say(search: HybridSearch, lexical: FakeLexical) -> None:
    """The score of a hit is (1-alpha) * share + alpha * cosine, and hits are in its order."""
    for text in corpus.queries(30):
        answer = ask(search, text, alpha=0.3)
        attainable = lexical.attainable(text)
        for hit in answer.hits:
            assert hit.keyword.share is not None
            assert hit.keyword.share <= 1 + 1e-6
            bm25 = (hit.keyword.score or 0.0) / attainable
            together = search.explain(SearchQuery(query=text), hit.id).hit.why.keyword
            assert together
            words = 0.85 * min(bm25 * (1 + GAIN * together.together), 1)
            assert hit.keyword.share == pytest.approx(max(words, hit.keyword.title or 0.0))
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
            **flat(filters),
            mode=modes[n % 3],
            fusion=methods[n % 5],
        )
        matching = {m.id for m in MOVIES if filters.matches(m)}
        found = {hit.id for hit in answer.hits}
        assert found <= matching
        if modes[n % 3] == "hybrid" and len(matching) <= 30:
            assert found == matching


@pytest.mark.parametrize("method", get_args(FusionMethod))
def test_a_larger_page_never_changes_the_order(search: HybridSearch, method: FusionMethod) -> None:
    """The first ten are the same whether ten or a hundred are asked for."""
    for text in corpus.queries(20):
        few = ask(search, text, limit=10, fusion=method)
        many = ask(search, text, limit=100, fusion=method)
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
        fused = ask(search, text, alpha=alpha).hits
        assert fused[0].id == ask(search, text, mode=mode).hits[0].id


def test_a_title_is_found_first_however_it_is_typed(search: HybridSearch) -> None:
    """The film of a typed title is first, among namesakes the one of the year that is named."""
    titled = [movie for movie in MOVIES if len(set(movie.title.split())) == 3][:20]
    for movie in titled:
        found = ask(search, movie.title.lower(), mode="keyword").hits[0]
        assert found.movie.title == movie.title
        assert found.keyword.title == found.keyword.share == 1
        asked = ask(search, f"looking for {movie.title.lower()}", mode="keyword").hits[0]
        assert asked.movie.title == movie.title
        assert asked.keyword.title == 0.95
    dated = next(movie for movie in titled if movie.year)
    assert ask(search, f"{dated.title} {dated.year}", mode="keyword").hits[0].id == dated.id


def test_alpha_is_chosen_and_says_why(search: HybridSearch) -> None:
    """Auto counts words and meaning alike where words are found, else meaning more; a number is
    obeyed, and one side alone needs none."""
    found = ask(search, "captain mirror")
    assert (found.alpha, found.query.alpha) == (0.5, "auto")
    assert found.alpha_reason.endswith("words and meaning count alike")
    unheard = ask(search, "xyzzy qwertz asdf plugh frobnicate captain")
    assert unheard.alpha == 1.0
    assert "meaning alone" in unheard.alpha_reason
    asked = ask(search, "captain mirror", alpha=0.3)
    assert (asked.alpha, asked.alpha_reason) == (0.3, "as asked")
    assert ask(search, "captain", mode="keyword").alpha == 0.0
    assert ask(search, "captain", mode="semantic").alpha == 1.0


UNHEARD = "xyzzy qwertz asdf plugh frobnicate"
"""Words that no film has."""


@pytest.mark.parametrize(
    ("text", "alpha", "reason"),
    [
        (f"{UNHEARD} captain", 1.0, "meaning alone"),
        (f'{UNHEARD} "captain"', 0.5, "quoted"),
        (f"{UNHEARD} greta garbo's", 0.5, "'greta garbo's' is a name"),
        # "Love" only asks at the beginning of a query, and is a name before another.
        (f"movies with love nystrom {UNHEARD}", 0.5, "'love nystrom' is a name"),
        ("lantern", 0.2, "title, to the letter"),
        ('"lantern"', 0.2, "title, to the letter"),
    ],
)
def test_names_quotations_and_titles_choose_alpha(
    search: HybridSearch, text: str, alpha: float, reason: str
) -> None:
    """What a query quotes, whom it names and which title it is are looked at, and are said."""
    answer = ask(search, text)
    assert answer.alpha == alpha
    assert reason in answer.alpha_reason


def test_what_is_filtered_out_does_not_choose_alpha(search: HybridSearch) -> None:
    """The title of a film that may not be found is not a reason to count on words."""
    assert ask(search, "lantern", year_from=1951).alpha == 1.0


def test_unset_fusion_is_as_preferred(
    search: HybridSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A query without fusion and alpha is ranked, explained and echoed with the preferred ones."""
    monkeypatch.setattr(search, "preferences", Preferences(fusion="rrf", alpha=0.2))
    answer = ask(search, "captain mirror")
    explained = search.explain(SearchQuery(query="captain mirror"), answer.hits[0].id)
    for query, alpha in ((answer.query, answer.alpha), (explained.query, explained.alpha)):
        assert (query.fusion, query.alpha, alpha) == ("rrf", 0.2, 0.2)
    assert explained.hit.score == answer.hits[0].score
    assert answer.hits == ask(search, "captain mirror", fusion="rrf", alpha=0.2).hits


def test_answers_begin_with_the_query_and_end_alike(search: HybridSearch) -> None:
    """The keys of each kind of answer, in the order in which they are sent."""
    query = SearchQuery(query="captain mirror")
    answer = search.search(query)
    compared = compare(search, query, parse_runs(()))
    end = ["degraded", "warnings", "timings_ms", "generation"]
    for sent, middle in (
        (answer, ["hits", "total", "alpha", "alpha_reason", "confident", "next_cursor", "facets"]),
        (search.explain(query, answer.hits[0].id), ["hit", "alpha", "alpha_reason"]),
        (compared, ["runs", "pairs", "movies", "lists", "swaps"]),
    ):
        assert list(json.loads(sent.model_dump_json())) == ["query", "understood", *middle, *end]
    fields = list(Query.model_json_schema()["properties"])
    listed = ["sort", "order", "cursor", "facets"]
    assert list(compared.model_dump()["query"]) == fields
    assert list(answer.model_dump()["query"]) == [*fields, "mode", "fusion", "alpha", *listed]


@pytest.mark.parametrize("away", [False, True])
@pytest.mark.parametrize("mode", get_args(Mode))
def test_no_film_breaks_a_condition(mode: Mode, away: bool, tmp_path: Path) -> None:
    """In any mode, with the keyword engine or without it, what comes back meets all conditions;
    with it no film is missing that could be found."""
    if away and mode == "keyword":
        return
    lexical = FakeLexical(MOVIES)
    lexical.away = away
    found = 0
    with closing(open_small(tmp_path, MOVIES, lexical)) as search:
        for text in corpus.limited_queries(60):
            answer = ask(search, text, mode=mode)
            conditions = conditions_of(read(text).parts)
            allowed = [i for i in BY_ID if conditions.matches(BY_ID[i], WORDS[i])]
            assert {hit.id for hit in answer.hits} <= set(allowed), text
            assert answer.degraded == (("keyword",) if away and mode == "hybrid" else ())
            found += len(answer.hits)
            if mode == "semantic":
                described = [i for i in allowed if BY_ID[i].description]
                assert len(answer.hits) == min(len(described), 30)
    assert found > 300


def test_fields_limit_the_films_as_the_text_does(search: HybridSearch) -> None:
    """The fields of a request mean what the language means, and the response tells both."""
    text = ask(search, 'lantern person:"greta garbo" -title:mirror year:1950')
    fields = ask(
        search,
        "lantern",
        person="greta garbo",
        exclude="title:mirror",
        year_from=1950,
        year_to=1950,
    )
    assert [hit.id for hit in text.hits] == [hit.id for hit in fields.hits] == [ACTED.id]
    person, title = fields.understood.parts
    assert (person.field, person.value, person.excluded) == ("person", "greta garbo", False)
    assert (title.field, title.value, title.excluded) == ("title", "mirror", True)
    assert person.span is None
    assert person.without is None
    assert text.understood.text == "lantern greta garbo"
    assert [part.without for part in text.understood.parts] == [
        "lantern -title:mirror year:1950",
        'lantern person:"greta garbo" year:1950',
        'lantern person:"greta garbo" -title:mirror',
    ]


def test_a_film_that_a_condition_leaves_out_is_explained(search: HybridSearch) -> None:
    """It says so, and the film has no rank; one that meets the condition has one."""
    for text, left_out in (("lantern -garbo", True), ("lantern person:garbo", False)):
        hit = search.explain(SearchQuery(query=text), ACTED.id).hit
        assert hit.why.summary.startswith("is left out by the filters") is left_out
        assert (hit.rank is None) is left_out


def test_a_query_may_only_limit(search: HybridSearch) -> None:
    """A query without plain text finds films by meaning and says that it lacks text."""
    answer = ask(search, "year:1950..1955 -genre:drama")
    assert answer.hits
    assert all(
        1950 <= (hit.movie.year or 0) <= 1955 and "Drama" not in hit.movie.genres
        for hit in answer.hits
    )
    assert answer.warnings == ("the query only limits the films: add what they are about",)
    assert ask(search, "year:1950..1955", mode="keyword").hits == ()


def test_an_unknown_genre_in_the_text_is_noted(search: HybridSearch) -> None:
    """`genre:` warns as the field does."""
    (warning,) = ask(search, "captain genre:dramma").warnings
    assert warning == "no film has the genre 'dramma'; near it: drama"


def test_fusing_again_is_searching_again(search: HybridSearch) -> None:
    """Candidates retrieved once give every mode and fusion the ranking that a search gives."""
    for text, filters in zip(corpus.queries(10), corpus.filters(10), strict=True):
        candidates = search.retrieve(SearchQuery.filtered(text, filters))
        for mode in get_args(Mode):
            for method in get_args(FusionMethod):
                again = search.fuse(candidates, mode, Fusion(method=method)).ranking
                answer = ask(search, text, **flat(filters), mode=mode, fusion=method)
                assert [hit.id for hit in answer.hits] == again.ids[:100].tolist()


def test_sentence_is_the_film_s_own(search: HybridSearch) -> None:
    """The sentence shown stands in the film's description."""
    for hit in ask(search, "boxer train violin").hits:
        if hit.semantic.sentence:
            assert hit.semantic.sentence in (hit.movie.description or "")
            assert hit.semantic.sentence == hit.semantic.sentence.strip()


def answers_without_words(answer: SearchResponse, meant: SearchResponse) -> None:
    """Hold `answer` to what titles and meaning give; `meant` is what meaning alone gives."""
    assert answer.degraded == ("keyword",)
    assert answer.alpha is not None
    assert {hit.id for hit in meant.hits} <= {hit.id for hit in answer.hits}
    for hit in answer.hits:
        assert hit.keyword.score is None
        assert hit.keyword.share == hit.keyword.title
        cosine = hit.semantic.score or 0.0
        shares = (1 - answer.alpha) * (hit.keyword.share or 0.0) + answer.alpha * cosine
        assert hit.score == pytest.approx(shares)


def test_keyword_engine_away(search: HybridSearch, lexical: FakeLexical) -> None:
    """Hybrid answers by titles and meaning and says so; keyword mode fails; semantic never
    notices."""
    lexical.away = True
    try:
        answer = ask(search, "captain mirror")
        answers_without_words(answer, ask(search, "captain mirror", mode="semantic"))
        assert ask(search, "captain mirror", mode="semantic").degraded == ()
        with pytest.raises(EngineUnavailable):
            ask(search, "captain mirror", mode="keyword")
    finally:
        lexical.away = False


@pytest.mark.parametrize("step", ["search", "attainable", "score"])
def test_keyword_engine_lost_on_the_way(
    search: HybridSearch, lexical: FakeLexical, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At whichever step the keyword engine fails, hybrid answers whole by titles and meaning."""

    def lost(*_: object) -> None:
        raise EngineUnavailable("lost")

    assert ask(search, "captain mirror").degraded == ()
    alone = ask(search, "captain mirror", mode="semantic")
    monkeypatch.setattr(lexical, step, lost)
    answers_without_words(ask(search, "captain mirror"), alone)


@pytest.mark.parametrize("step", ["encode", "search"])
def test_semantic_engine_lost(
    search: HybridSearch,
    lexical: FakeLexical,
    step: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Hybrid answers by words and says so, with sentences of none; the log has what was raised;
    semantic mode fails, and so does a query without either engine."""

    def lost(*_: object) -> None:
        raise RuntimeError("faiss: assertion failed")

    engine = search.engines.encoder if step == "encode" else search.engines.semantic
    monkeypatch.setattr(engine, step, lost)
    for fusion in get_args(FusionMethod):
        answer = ask(search, "captain mirror", fusion=fusion, alpha=1, explain="full")
        worded = ask(search, "captain mirror", mode="keyword")
        assert answer.degraded == ("semantic",)
        assert answer.alpha == 0
        assert [hit.id for hit in answer.hits] == [hit.id for hit in worded.hits]
        semantic = {(hit.semantic.score, hit.semantic.sentence) for hit in answer.hits}
        assert semantic == {(None, None)}
    assert "faiss: assertion failed" in caplog.text
    with pytest.raises(EngineUnavailable, match="semantic engine failed"):
        ask(search, "captain mirror", mode="semantic")
    monkeypatch.setattr(lexical, "away", True)
    with pytest.raises(EngineUnavailable):
        ask(search, "captain mirror")


def test_no_time_is_left(search: HybridSearch) -> None:
    """After the deadline no engine is asked, in any mode."""
    for mode in get_args(Mode):
        query = SearchQuery(query="captain mirror", mode=mode)
        with pytest.raises(EngineUnavailable):
            search.search(query, Deadline(0))
        with pytest.raises(EngineUnavailable):
            search.explain(query, MOVIES[0].id, Deadline(0))


@pytest.mark.parametrize("engine", ["keyword", "semantic"])
def test_both_engines_may_be_required(
    search: HybridSearch, lexical: FakeLexical, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then a missing one is an error, which says what else could be asked; in a mode that leaves
    it out nothing is missing."""
    both = {"text": "captain mirror", "require": "both"}
    assert ask(search, **both).degraded == ()
    if engine == "keyword":
        monkeypatch.setattr(lexical, "away", True)
    else:
        monkeypatch.setattr(search.engines.encoder, "encode", lambda *_: ())
    with pytest.raises(EngineUnavailable, match="requires both engines"):
        ask(search, **both)
    other = "semantic" if engine == "keyword" else "keyword"
    assert ask(search, **both, mode=other).hits


def test_warnings_tell_what_went_unheard(search: HybridSearch) -> None:
    """A genre that no film has, and a query without a known word, are pointed out."""
    answer = ask(search, "xyzzy the", genre=("Horor", "drama"))
    assert answer.warnings == (
        "no film has the genre 'Horor'; near it: horror",
        "no film contains a word of the query, apart from stop words",
    )
    assert answer.hits
    assert ask(search, "captain").warnings == ()
    assert ask(search, BY_ID[1].title).warnings == ()
    long = ask(search, "train " * 165)
    assert long.warnings == ("only the first 160 words of the query count",)
    assert long.hits == ask(search, "train " * 160).hits


def test_no_candidate_is_no_error(search: HybridSearch) -> None:
    """A filter that nothing passes gives an empty answer in every fusion."""
    for method in get_args(FusionMethod):
        answer = ask(search, "captain", year_from=2090, year_to=2090, fusion=method)
        assert answer.hits == ()
        assert answer.total.value == 0


def test_movie_by_id(search: HybridSearch) -> None:
    """A film is found by its id; any other number, however large, is not found."""
    assert search.movie(1) == BY_ID[1]
    for unknown in (0, -1, 2**63 - 1, 2**63, 10**30):
        with pytest.raises(NotFound):
            search.movie(unknown)
