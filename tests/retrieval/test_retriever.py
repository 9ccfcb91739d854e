"""Retrieval: what is in the two lists, and what is asked of the engines."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Event, get_ident
from typing import Any
from unittest.mock import Mock, patch

import numpy as np
import pytest

from hybrid.engines.breaker import FAILURES
from hybrid.engines.deadline import NEVER, Deadline
from hybrid.errors import EngineUnavailable
from hybrid.monitoring.stopwatch import Stopwatch
from hybrid.movie import Movie
from hybrid.query import Filters, SearchQuery, SimilarQuery
from hybrid.query_language.conditions import NO_CONDITIONS, Condition, Conditions, Phrase
from hybrid.ranking import Ids, Ranking, Scores
from hybrid.search import HybridSearch
from hybrid.vectors import Vectors
from tests.eventually import eventually
from tests.fakes import FakeLexical, HashingEncoder
from tests.small import open_small

FILMS = [
    Movie(id=2, title="Lantern of the Northern Shore", year=1950),
    Movie(id=3, title="Lantern Bay", year=1960),
    Movie(id=5, title="Lantern Street", year=1970),
    Movie(id=7, title="Lantern", year=1980),
    Movie(id=11, title="Lantern Bay", year=1990),
    Movie(id=13, title="Something Else", year=1990, description="A lantern. A boat. A shore."),
]
ASKING = Movie(id=17, title="Other", year=1950, description="Two sisters are looking for a boat.")
UNKNOWN = Movie(id=4, title="Lantern", description="A lantern of a generation to come.")


@pytest.fixture
def titled(tmp_path: Path) -> Iterator[HybridSearch]:
    """Give a search of depth 3 whose keyword engine finds nothing: titles are all there is."""
    search = open_small(tmp_path, FILMS, FakeLexical(), depth=3)
    yield search
    search.close()


@pytest.fixture
def worded(tmp_path: Path) -> Iterator[HybridSearch]:
    """Give a search whose keyword engine knows a film more than the catalogue."""
    films = [*FILMS, ASKING]
    search = open_small(tmp_path, films, FakeLexical([*films, UNKNOWN]))
    yield search
    search.close()


@pytest.mark.parametrize(
    ("filters", "listed"),
    [
        (Filters(), [3, 7, 11]),
        (Filters(year_to=1975), [2, 3, 5]),
        (Filters(year_from=1985), [11]),
        (Filters(year_from=1991), []),
    ],
)
def test_the_title_list_has_the_nearest_that_the_filters_allow(
    titled: HybridSearch, filters: Filters, listed: list[int]
) -> None:
    """As many as the depth says, chosen after the filters; a title that is far is in no list."""
    query = SearchQuery.filtered("lantern", filters, "keyword")
    candidates = titled.retrieve(query)
    assert candidates.ids[candidates.in_keyword_list].tolist() == listed
    assert (candidates.title_shares[candidates.in_keyword_list] > 0).all()


def test_films_that_the_catalogue_lacks_are_left_out(worded: HybridSearch) -> None:
    """Elasticsearch may hold films of another generation: they are no candidates."""
    candidates = worded.retrieve(SearchQuery(query="lantern", mode="keyword"))
    assert candidates.ids.tolist() == [2, 3, 5, 7, 11, 13]
    assert candidates.in_keyword_list.all()
    assert (candidates.keyword.bm25 > 0).all()


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        ("one two three four five six", (1.0,)),
        ("one two three four five six seven", (0.6, 0.2, 0.2)),
    ],
)
def test_seven_words_tell_a_plot(
    worded: HybridSearch, text: str, weights: tuple[float, ...]
) -> None:
    """From seven words on three sentences count, below the best alone."""
    meaning = worded.retrieve(SearchQuery(query=text)).query_vector
    assert meaning
    assert meaning.weights == weights


def test_the_keyword_engine_is_asked_for_the_wording(worded: HybridSearch) -> None:
    """Words that only ask find no film and give none a score; what is left may be a title."""
    query = SearchQuery(query="looking for lantern", mode="keyword")
    asked = worded.retrieve(query)
    alone = worded.retrieve(SearchQuery(query="lantern", mode="keyword"))
    assert asked.ids.tolist() == alone.ids.tolist()
    assert worded.explain(query, ASKING.id).hit.keyword.score == 0
    assert asked.keyword.bm25.tolist() == alone.keyword.bm25.tolist()
    assert asked.keyword.shares.tolist() == alone.keyword.shares.tolist()
    assert asked.title_shares[asked.ids == 7] == 0.95


@pytest.mark.parametrize("known", [True, False])
def test_whether_any_film_holds_a_word_is_known(worded: HybridSearch, known: bool) -> None:
    """A word in any film is known, whether the filters allow that film or not."""
    text = "boat" if known else "xyzzy"
    query = SearchQuery(query=text, year_to=1960)
    assert worded.retrieve(query).keyword.any_match is known


def test_each_field_makes_another_query(worded: HybridSearch) -> None:
    """What was found for a text is not the answer to the same text under other conditions."""
    found = [
        worded.retrieve(
            SearchQuery.model_validate({"query": "lantern", "mode": "keyword"} | fields)
        )
        for fields in ({}, {"exclude": "boat"}, {"title": "lantern"}, {"phrase": "xyzzy"}, {})
    ]
    free, without_boat, titled, none, again = (candidates.ids.tolist() for candidates in found)
    assert free == again != without_boat
    assert none == []
    assert set(titled) < set(free)


def test_the_meaning_is_that_of_the_whole_query(worded: HybridSearch) -> None:
    """Words that only ask are left out on the keyword side alone."""
    text = "looking for lantern and boat by the shore"
    meaning = worded.retrieve(SearchQuery(query=text)).query_vector
    assert meaning
    assert np.array_equal(meaning.vector, HashingEncoder().encode([text])[0])
    assert meaning.weights == (0.6, 0.2, 0.2)


def test_a_film_that_is_looked_at_has_its_score(worded: HybridSearch) -> None:
    """Also where the list holds every film that the filters allow, and this one is not among
    them."""
    query = SearchQuery(query="lantern", year_to=1955)
    hit = worded.explain(query, 13).hit
    assert hit.rank is None
    assert hit.keyword.score
    assert hit.keyword.score > 0


class Timed(FakeLexical):
    """A keyword engine whose answers take two seconds of the clock that the test sets."""

    def __init__(self) -> None:
        super().__init__(FILMS)
        self.now = 0.0
        self.until: list[float] = []

    def _pass(self, deadline: Deadline) -> None:
        self.until.append(deadline.at)
        self.now += 2

    def search(
        self,
        text: str,
        filters: Filters,
        depth: int,
        deadline: Deadline = NEVER,
        conditions: Conditions = NO_CONDITIONS,
    ) -> Ranking:
        """Search slowly."""
        self._pass(deadline)
        return super().search(text, filters, depth, conditions=conditions)

    def score(self, text: str, ids: Ids, deadline: Deadline = NEVER) -> Scores:
        """Score slowly, unless it is part of a search."""
        if deadline != NEVER:
            self._pass(deadline)
        return super().score(text, ids)


def test_the_time_is_divided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The keyword engine has three quarters of what is left whenever it is asked: of ten seconds
    7.5 for its list, which takes 2, and of the 8 that are left then 6 for the other scores."""
    lexical = Timed()
    monkeypatch.setattr("hybrid.engines.deadline.monotonic", lambda: lexical.now)
    search = open_small(tmp_path, FILMS, lexical, depth=1)
    candidates = search.retrieve(SearchQuery(query="lantern boat"), deadline=Deadline(10.0))
    assert candidates.degraded == ()
    assert lexical.until == [7.5, 8.0]
    search.close()


def counted(search: HybridSearch, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the engines that are asked from now on, as they are."""
    asked: list[str] = []
    for name, engine in (
        ("keyword", search.engines.lexical),
        ("semantic", search.engines.semantic),
    ):
        find = engine.search

        def ask(*args: Any, find: Any = find, name: str = name) -> Ranking:
            asked.append(name)
            ranking: Ranking = find(*args)
            return ranking

        monkeypatch.setattr(engine, "search", ask)
    return asked


def test_candidates_are_retrieved_once(
    worded: HybridSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A query that differs only in what is done with the candidates asks no engine again, and
    has its own fields; one of another text, filter or mode asks."""
    asked = counted(worded, monkeypatch)
    first = worded.retrieve(SearchQuery(query="lantern boat"))
    assert sorted(asked) == ["keyword", "semantic"]
    again = worded.retrieve(SearchQuery(query="lantern boat", limit=3, alpha=0.1, highlight=True))
    assert len(asked) == 2
    assert (again.query.limit, again.query.alpha, again.query.highlight) == (3, 0.1, True)
    assert again.ids is first.ids
    others = ({"query": "lantern"}, {"year_from": 1955}, {"genre": "Drama"}, {"mode": "keyword"})
    for other in others:
        before = len(asked)
        worded.retrieve(SearchQuery.model_validate({"query": "lantern boat"} | other))
        assert len(asked) > before


def test_degraded_candidates_are_not_cached(tmp_path: Path) -> None:
    """Once the keyword engine answers again, so does a query that was answered without it."""
    lexical = FakeLexical(FILMS)
    search = open_small(tmp_path, FILMS, lexical)
    lexical.away = True
    assert search.retrieve(SearchQuery(query="lantern boat")).degraded == ("keyword",)
    lexical.away = False
    assert search.retrieve(SearchQuery(query="lantern boat")).degraded == ()
    search.close()


def test_a_film_that_is_explained_is_not_cached_as_a_candidate(worded: HybridSearch) -> None:
    """It would otherwise be among the candidates of the next search."""
    query = SearchQuery(query="lantern", year_from=1985)
    worded.explain(query, 2)
    assert 2 not in worded.retrieve(query).ids


def test_similar_titles_are_found_alone(titled: HybridSearch) -> None:
    """For a text of which nothing else is known."""
    found = titled.retriever.similar_titles("lantern bay")
    best = found.rows[found.shares == 1.0]
    assert titled.catalogue.columns.ids[best].tolist() == [3, 11]


def test_all_films_that_match_are_found(
    worded: HybridSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many; years are in memory, for words the keyword engine is asked, once."""
    asked: list[Phrase] = []
    films_with = FakeLexical.films_with

    def counting(self: FakeLexical, phrase: Phrase, deadline: Deadline) -> Ids:
        asked.append(phrase)
        assert deadline.left < 100
        return films_with(self, phrase, deadline)

    monkeypatch.setattr(FakeLexical, "films_with", counting)
    phrase, eighties = Phrase(("lantern",)), Filters(year_from=1980)

    def ids(*required: Condition, excluded: tuple[Condition, ...] = ()) -> list[int]:
        conditions = Conditions(required, excluded)
        found: list[int] = worded.retriever.films_matching(
            conditions, Deadline.after(99)
        ).ids.tolist()
        return found

    assert ids(eighties) == [7, 11, 13]
    assert asked == []
    for _ in range(2):
        assert ids(eighties, phrase) == [7, 11, 13]
        assert ids(phrase) == [2, 3, 5, 7, 11, 13]
        assert ids(eighties, excluded=(phrase,)) == []
    assert set(asked) == {phrase}
    assert len(asked) <= 3


def test_words_that_nobody_can_look_up_are_an_error(tmp_path: Path) -> None:
    """Without the keyword engine nothing is known of the words of all films."""
    lexical = FakeLexical(FILMS)
    search = open_small(tmp_path, FILMS, lexical)
    lexical.away = True
    years = Conditions((Filters(year_from=1980),))
    assert search.retriever.films_matching(years, NEVER).ids.tolist() == [7, 11, 13]
    with pytest.raises(EngineUnavailable, match="away"):
        search.retriever.films_matching(Conditions((Phrase(("lantern",)),)), NEVER)
    search.close()


def test_a_film_set_is_found_once(worded: HybridSearch, monkeypatch: pytest.MonkeyPatch) -> None:
    """The films that meet a condition are known to the next query that has it."""
    asked: list[Phrase] = []
    films_with = FakeLexical.films_with

    def counting(self: FakeLexical, phrase: Phrase, deadline: Deadline) -> Ids:
        asked.append(phrase)
        return films_with(self, phrase, deadline)

    monkeypatch.setattr(FakeLexical, "films_with", counting)
    for text in ("boat", "shore", "street"):
        candidates = worded.retrieve(
            SearchQuery.model_validate({"query": text, "title": "lantern"})
        )
        assert set(candidates.ids.tolist()) <= {2, 3, 5, 7, 11}
    assert len(asked) == 1


@pytest.mark.parametrize("remote", [True, False])
def test_an_engine_of_this_process_computes_in_the_thread_of_the_search(
    tmp_path: Path, remote: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scores of other films are computed there; a remote engine is waited for by another thread,
    as is every list, beside which the query is encoded."""
    threads: dict[str, int] = {}
    monkeypatch.setattr(FakeLexical, "is_remote", remote)
    for name in ("search_with_phrases", "score"):
        monkeypatch.setattr(FakeLexical, name, noting(getattr(FakeLexical, name), threads))
    search = open_small(tmp_path, FILMS, FakeLexical(FILMS), depth=1)
    search.retrieve(SearchQuery(query="lantern boat"))
    search.close()
    assert threads["search_with_phrases"] != get_ident()
    assert (threads["score"] == get_ident()) is not remote


def noting(method: Callable[..., Any], threads: dict[str, int]) -> Callable[..., Any]:
    """Return `method`, which notes the thread of its last call."""

    def noted(*arguments: Any, **named: Any) -> Any:
        threads[method.__name__] = get_ident()
        return method(*arguments, **named)

    return noted


class Tiring(FakeLexical):
    """A keyword engine that searches, and fails when it is asked for the scores of more films."""

    def score(self, text: str, ids: Ids, deadline: Deadline = NEVER) -> Scores:
        """Fail, but for what a search asks of itself."""
        if deadline is not NEVER:
            raise EngineUnavailable("the fake is tired")
        return super().score(text, ids)


def test_an_engine_that_fails_in_between_is_left_out(tmp_path: Path) -> None:
    """Films that it alone found are dropped, as not all can be scored; the others are as if it had
    not answered at all."""
    by_words = Movie(id=19, title="Other", cast=("Lantern Shore", "Shore Lantern"))
    films = [*FILMS, ASKING, by_words]
    tiring, away = Tiring(films), FakeLexical(films)
    away.away = True
    query = SearchQuery(query="lantern shore")
    found = []
    for number, lexical in enumerate((tiring, away)):
        (tmp_path / str(number)).mkdir()
        search = open_small(tmp_path / str(number), films, lexical, depth=2)
        candidates = search.retrieve(query, deadline=Deadline.after(60))
        assert candidates.degraded == ("keyword",)
        assert np.isnan(candidates.keyword.bm25).all()
        assert by_words.id not in candidates.ids
        assert not candidates.keyword.adjacency.any()
        found.append((candidates.ids, candidates.cosines, candidates.sentences, candidates.meets))
        with pytest.raises(EngineUnavailable):
            search.retrieve(query.model_copy(update={"require": "both"}))
        search.close()
    for one, other in zip(*found, strict=True):
        assert np.array_equal(one, other, equal_nan=True)


def test_names_are_compared_beside_encoding(
    worded: HybridSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Titles and people are there before the query vector is, and are looked up once."""
    looked_up, compared = Mock(wraps=worded.catalogue.person_in), Event()

    def person_in(text: str) -> str | None:
        person: str | None = looked_up(text)
        compared.set()
        return person

    def encode(_: HashingEncoder, texts: Sequence[str]) -> Vectors:
        assert compared.wait(60)
        return encoded(HashingEncoder(), texts)

    encoded = HashingEncoder.encode
    monkeypatch.setattr(worded.catalogue, "person_in", person_in)
    monkeypatch.setattr(HashingEncoder, "encode", encode)
    candidates = worded.retrieve(SearchQuery(query="lantern bay"))
    assert candidates.title_shares[np.isin(candidates.ids, [3, 11])].tolist() == [1.0, 1.0]
    assert looked_up.call_count == 1


def test_titles_are_found_while_words_are_not(tmp_path: Path) -> None:
    """An engine that fails or hangs until the search ends keeps back neither titles nor people."""
    lexical, over = FakeLexical(FILMS), Event()
    search = open_small(tmp_path, FILMS, lexical, seconds=0.5)
    with patch.object(lexical, "search", lambda *_: over.wait(60)):
        hits = search.search(SearchQuery(query="lantern bay")).hits
    over.set()
    assert {hit.id for hit in hits if hit.keyword.title == 1} == {3, 11}
    search.close()


def test_meaning_alone_compares_no_titles(worded: HybridSearch) -> None:
    """The other side is not asked at all: nothing is known of words, titles and people."""
    candidates = worded.retrieve(SearchQuery(query="lantern bay", mode="semantic"))
    assert not candidates.title_shares.any()
    assert not candidates.in_keyword_list.any()
    assert np.isnan(candidates.keyword.bm25).all()
    assert candidates.person is None
    assert len(candidates.semantic_list)


def test_an_engine_that_is_back_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it is, is asked by a search like those of queries, not by one of them."""
    lexical = FakeLexical(FILMS)
    asked = Mock(wraps=lexical.search)
    monkeypatch.setattr(lexical, "search", asked)
    search = open_small(tmp_path, FILMS, lexical, depth=7)
    search.retriever.keyword.breaker._probe()
    asked.assert_called_once()
    text, _, depth, deadline = asked.call_args.args
    assert text
    assert depth == 7
    assert 0 < deadline.left < 100
    lexical.away = True
    with pytest.raises(EngineUnavailable, match="away"):
        search.retriever.keyword.breaker._probe()
    query = SearchQuery(query="lantern")
    for _ in range(FAILURES):
        assert search.retrieve(query).degraded == ("keyword",)
    lexical.away = False
    eventually(lambda: search.retrieve(query).degraded == ())
    search.close()


@pytest.mark.parametrize(
    ("fields", "stages"),
    [
        ({}, {"understand", "keyword", "titles", "encode", "semantic", "complete"}),
        ({"title": "lantern"}, {"conditions"}),
    ],
)
def test_each_step_has_its_time(
    worded: HybridSearch, fields: dict[str, str], stages: set[str]
) -> None:
    """By the names that the response has."""
    watch = Stopwatch()
    worded.retrieve(SearchQuery.model_validate({"query": "lantern boat"} | fields), watch)
    assert watch.seconds.keys() >= stages
    assert watch.seconds.keys() <= stages | set(
        "understand keyword titles encode semantic complete conditions".split()
    )


def test_films_like_one_are_as_many_as_the_depth(tmp_path: Path) -> None:
    """The film itself, which is nearest, and what is the same takes no place in either list."""
    plot = "A lantern shines. A boat sails to the shore."
    films = [
        Movie(id=number, title=f"Film {number % 7}", year=1950, description=plot)
        for number in range(20, 32)
    ]
    search = open_small(tmp_path, films, FakeLexical(films), depth=4)
    likeness = search.retriever.likeness_of(20)
    assert likeness.excluded.tolist() == [20, 27]
    query = SimilarQuery(id=20)
    found = search.retriever.retrieve_similar(query, likeness, Stopwatch())
    assert found.in_keyword_list.sum() == 4
    assert found.semantic_list.ids.tolist() == [21, 22, 23, 24]
    assert not np.isin(found.ids, [20, 27]).any()
    search.close()
