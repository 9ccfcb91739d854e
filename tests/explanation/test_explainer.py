"""Why films rank where they do: every number adds up to the answer that it explains."""

from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from hybrid.engines.deadline import Deadline
from hybrid.engines.protocols import TermScore
from hybrid.errors import EngineUnavailable, NotFound
from hybrid.explanation.summary import summary
from hybrid.fusion.preferences import Preferences
from hybrid.movie import Movie
from hybrid.query import FusionMethod, Mode, SearchQuery
from hybrid.ranking import Ids
from hybrid.schemas.explanation import FusionWhy, KeywordWhy, SemanticWhy, SentenceWhy, TermWhy, Why
from hybrid.schemas.search import Hit, SearchResponse
from hybrid.search import HybridSearch
from hybrid.vectors import QueryVector
from tests import corpus
from tests.fakes import FakeLexical, HashingEncoder
from tests.small import open_small

PLOTS = [
    Movie(
        id=9001,
        title="Sunset Inn",
        year=1950,
        genres=("Drama",),
        description="A forgotten diva shelters a scriptwriter. Wilder made it.",
        directors=("Billy Wilder",),
    ),
    Movie(id=9002, title="Silent Hours", description=None, cast=("Billy Quill",)),
]

MOVIES = [*corpus.films(300), *PLOTS]

TEXTS = [*corpus.queries(12), "a captain and a mirror on the winter river of an empire", "xyzzy"]


def ask(
    search: HybridSearch, text: str, explain: str = "summary", **fields: object
) -> SearchResponse:
    """Ask with explanations."""
    asked = {"query": text, "limit": 40, "explain": explain}
    return search.search(SearchQuery.model_validate(asked | fields))


def why(hit: Hit) -> Why:
    """Return the explanation, which is there."""
    assert hit.why
    return hit.why


def test_words_add_up_to_the_keyword_side(search: HybridSearch) -> None:
    """Scores of the terms to BM25, shares to the share by words; what counts is the larger of it
    and the title's."""
    for text in TEXTS:
        for hit in ask(search, text).hits:
            keyword = why(hit).keyword
            assert keyword
            assert keyword.terms is not None
            assert sum(t.score for t in keyword.terms) == pytest.approx(hit.keyword.score, rel=1e-4)
            assert sum(t.share for t in keyword.terms) == pytest.approx(keyword.text, rel=1e-4)
            counting = {"title": keyword.title, "text": keyword.text, None: 0.0}[keyword.counts]
            assert counting == pytest.approx(hit.keyword.share)
            assert (keyword.title is None) == (keyword.counts != "title")


def test_words_found_and_not_found_are_the_query_s(search: HybridSearch) -> None:
    """Each word but stop words is in one of the two, as typed; one of the title is marked."""
    (hit, *_) = ask(search, "The Wilder DIVA at the Sunset xyzzy").hits
    keyword = why(hit).keyword
    assert hit.id == 9001
    assert keyword
    found = [(term.word, term.field, term.frequency) for term in keyword.terms or ()]
    assert found == [("Wilder", "text", 2), ("DIVA", "text", 1), ("Sunset", "title", 1)]
    assert keyword.not_found == ("xyzzy",)


def test_sentences_add_up_to_the_semantic_side(search: HybridSearch) -> None:
    """Cosines times weights; three sentences for a plot, one for a few words, none without a
    description; the first is the hit's own."""
    for text in TEXTS:
        for hit in ask(search, text).hits:
            semantic = why(hit).semantic
            assert semantic
            assert semantic.words is None
            if hit.semantic.score is None:
                assert semantic.sentences == ()
                continue
            total = sum(part.weight * part.cosine for part in semantic.sentences)
            assert total == pytest.approx(hit.semantic.score, rel=1e-4, abs=1e-7)
            assert semantic.sentences[0].sentence == hit.semantic.sentence
            assert len(semantic.sentences) <= (3 if len(text.split()) >= 7 else 1)


def test_full_tells_which_words_carry_the_meaning(search: HybridSearch) -> None:
    """The drop is the score less that of the query without the word, in its spelling and order."""
    text = "The captain, a widow in a carnival and an Empire thief"
    answer = ask(search, text, "full")
    weights = (0.6, 0.2, 0.2)
    for hit in answer.hits[:10]:
        semantic = why(hit).semantic
        assert semantic
        if hit.semantic.score is None:
            assert semantic.words == ()
            continue
        words = [word.word for word in semantic.words or ()]
        assert words == ["captain", "widow", "carnival", "Empire", "thief"]
        without = "The captain, a widow in a and an Empire thief"
        meaning = QueryVector(HashingEncoder().encode([without])[0], weights)
        left = search.engines.semantic.score(meaning, np.array([hit.id]))[0]
        assert (semantic.words or ())[2].drop == pytest.approx(hit.semantic.score - left)


def test_full_is_bounded_and_encodes_once(search: HybridSearch) -> None:
    """Of sixty words 24 are left out in turn, in one batch; the only word carries everything."""
    encoder = search.engines.encoder
    assert isinstance(encoder, HashingEncoder)
    encoder.encoded.clear()
    ask(search, " ".join(corpus.WORDS * 3)[:900], "full")
    assert len(encoder.encoded) == 1 + 24
    (hit, *_) = ask(search, "the captain", "full", mode="semantic").hits
    semantic = why(hit).semantic
    assert semantic
    assert [(w.word, w.drop) for w in semantic.words or ()] == [("captain", hit.semantic.score)]


@pytest.mark.parametrize("method", get_args(FusionMethod))
def test_the_formula_is_right(search: HybridSearch, method: FusionMethod) -> None:
    """What it says is what it gives, the two parts add up to the score, and numbers are the
    film's."""
    for text in TEXTS:
        for hit in ask(search, text, fusion=method, alpha=0.3).hits:
            fusion = why(hit).fusion
            left, _, right = fusion.formula.partition(" = ")
            assert eval(left) == pytest.approx(float(right), abs=2e-3)
            assert float(right) == pytest.approx(hit.score, abs=6e-4)
            assert fusion.keyword + fusion.semantic == pytest.approx(hit.score)
            for rank in (hit.keyword.rank, hit.semantic.rank):
                assert method != "rrf" or rank is None or f"(60 + {rank})" in left


@pytest.mark.parametrize("method", get_args(FusionMethod))
def test_the_prior_is_explained(tmp_path: Path, method: FusionMethod) -> None:
    """With a weight of votes the three parts add up to the score, and the formula gives it."""
    films = [movie.model_copy(update={"votes": 10 * movie.id}) for movie in MOVIES]
    search = open_small(tmp_path, films, FakeLexical(films))
    search.preferences = Preferences(fusion=method, alpha=0.3, prior=0.2)
    highest = 2 / 61 if method == "rrf" else 1
    for hit in ask(search, "captain mirror").hits:
        fusion = why(hit).fusion
        left, _, right = fusion.formula.partition(" = ")
        assert eval(left) == pytest.approx(float(right), abs=2e-3)
        assert float(right) == pytest.approx(hit.score, abs=6e-4)
        assert fusion.keyword + fusion.semantic + fusion.prior == pytest.approx(hit.score)
        known = np.log1p(10 * hit.id) / np.log1p(10 * max(movie.id for movie in MOVIES))
        assert fusion.prior == pytest.approx(0.2 * highest * known)
    search.close()


@pytest.mark.parametrize("mode", get_args(Mode))
def test_ranks_are_those_of_the_modes(search: HybridSearch, mode: Mode) -> None:
    """With both sides and with one; null where a side was not asked, or does not list the film."""
    ranks = {
        name: {hit.id: hit.rank for hit in ask(search, "captain mirror", mode=name).hits}
        for name in get_args(Mode)
    }
    for hit in ask(search, "captain mirror", mode=mode).hits:
        found = why(hit).ranks
        assert found.hybrid == (hit.rank if mode == "hybrid" else None)
        alone = ((found.keyword_only, "keyword"), (found.semantic_only, "semantic"))
        for rank, side in alone:
            asked = mode in (side, "hybrid")
            assert rank == (ranks[side].get(hit.id) if asked else None)
        assert (why(hit).keyword is None) == (mode == "semantic")
        assert (why(hit).semantic is None) == (mode == "keyword")


@pytest.mark.parametrize(
    ("text", "mode", "expected"),
    [
        (
            "Wilder made",
            "semantic",
            "ranks first for its plot: the sentence 'Wilder made it.' comes nearest",
        ),
        (
            "wilder shelters mirrors",
            "keyword",
            "ranks first for its words: 2 of your 3 words occur: 'wilder', 'shelters'",
        ),
        ("sunset inn", "keyword", "ranks first for its title: it is what you typed; all of your "),
        ("sunsett inn", "keyword", "ranks first for its title: it is near what you typed; only "),
        (
            "forgotten diva shelters scriptwriter",
            "hybrid",
            "for its plot: the sentence 'A forgotten diva shelters a scriptwriter.' comes nearest; "
            "all of your words occur",
        ),
    ],
)
def test_the_summary_is_a_sentence(
    search: HybridSearch, text: str, mode: str, expected: str
) -> None:
    """Place, what counts most, and what else is to be said, in plain words."""
    hit = ask(search, text, mode=mode).hits[0]
    assert hit.id == 9001
    assert expected in why(hit).summary


def keyword_why(*found: str, not_found: tuple[str, ...] = ()) -> KeywordWhy:
    """Make what the words say: .1 each."""
    terms = tuple(
        TermWhy(word=w, term=w, field="text", frequency=1, idf=1, score=1, share=0.1) for w in found
    )
    share = 0.1 * len(found)
    counts = "text" if found else None
    return KeywordWhy(
        counts=counts, title=None, text=share, terms=terms, together=0, not_found=not_found
    )


@pytest.mark.parametrize(
    ("keyword", "expected"),
    [
        (
            keyword_why("Wilder", not_found=("famous", "actress")),
            "ranks 12th for its plot: the sentence 'A diva hides.' says it in other words; only "
            "'Wilder' of your words occurs",
        ),
        (
            keyword_why("divas", not_found=("hidden",)),
            "ranks 12th for its plot: the sentence 'A diva hides.' comes nearest; only 'divas' of "
            "your words occurs",
        ),
        (
            keyword_why(not_found=("actress",)),
            "ranks 12th for its plot: the sentence 'A diva hides.' says it in other words; none of "
            "your words occurs",
        ),
        (
            keyword_why(*"abcdef", not_found=("g",)),
            "ranks 12th for its words: 6 of your 7 words occur: 'a', 'b', 'c', 'd' and 2 more; the "
            "nearest sentence is 'A diva hides.'",
        ),
        (
            keyword_why(),
            "ranks 12th for its plot: the sentence 'A diva hides.' says it in",
        ),
        (None, "ranks 12th for its plot: the sentence 'A diva hides.' comes nearest"),
    ],
)
def test_sentences_about_words_and_meaning(keyword: KeywordWhy | None, expected: str) -> None:
    """The larger part comes first; the sentence says it in other words where it shares none."""
    semantic = SemanticWhy(
        sentences=(SentenceWhy(sentence="A diva hides.", cosine=0.5, weight=1),), words=None
    )
    share = keyword.text if keyword and keyword.text else 0.0
    fusion = FusionWhy(formula="", keyword=share, semantic=0.5, prior=0.0, preferred=0.0)
    assert summary(12, True, keyword, semantic, fusion).startswith(expected)


def test_places_are_said_in_words(search: HybridSearch) -> None:
    """First to tenth, then numbers with their endings."""
    hits = ask(search, "captain mirror").hits
    said = [why(hit).summary.split()[1] for hit in hits]
    assert said[0] == "first"
    assert said[9:13] == ["tenth", "11th", "12th", "13th"]
    assert said[20:24] == ["21st", "22nd", "23rd", "24th"]


def test_any_film_is_explained(search: HybridSearch) -> None:
    """One that is found has the numbers that the search gives it, whatever the fusion."""
    for method in get_args(FusionMethod):
        query = SearchQuery(query="captain mirror", fusion=method, explain="summary")
        for hit in search.search(query).hits:
            explained = search.explain(query, hit.id).hit
            assert explained.model_dump() == hit.model_dump()


def test_a_film_outside_the_lists_is_explained(search: HybridSearch, lexical: FakeLexical) -> None:
    """It has its true scores and no rank, and looking at it changes nothing for the others."""
    query = SearchQuery(query="captain mirror widow", explain="full")
    listed = {hit.id for hit in search.search(query.model_copy(update={"limit": 100})).hits}
    others = [movie.id for movie in MOVIES if movie.id not in listed]
    assert others
    for film in others[:40]:
        answer = search.explain(query, film)
        assert answer.hit.rank is None
        bm25 = lexical.score(query.text, np.array([film]))[0]
        assert answer.hit.keyword.score == pytest.approx(bm25)
        assert answer.hit.why.summary.startswith("is not among the films found")
        assert set(answer.hit.why.ranks.model_dump().values()) == {None}
        assert answer.alpha == search.search(query).alpha


def test_a_film_that_the_filters_leave_out_is_explained(search: HybridSearch) -> None:
    """It says so; its own words do not choose the alpha of the others."""
    query = SearchQuery(
        query="forgotten diva scriptwriter", year_from=1960, genre=("Horror",), explain="summary"
    )
    answer = search.explain(query, 9001)
    assert answer.hit.rank is None
    assert answer.hit.why.summary.startswith("is left out by the filters: ")
    assert answer.hit.keyword.score
    assert answer.alpha == search.search(query).alpha


def test_an_unknown_film_is_not_explained(search: HybridSearch) -> None:
    """As everywhere."""
    with pytest.raises(NotFound):
        search.explain(SearchQuery(query="captain"), 0)


def test_a_film_without_description_is_explained(search: HybridSearch) -> None:
    """By its words alone."""
    hit = next(hit for hit in ask(search, "billy quill hours", "full").hits if hit.id == 9002)
    semantic = why(hit).semantic
    assert semantic
    assert (semantic.sentences, semantic.words) == ((), ())
    assert "for its" in why(hit).summary


def test_without_the_keyword_engine(search: HybridSearch, lexical: FakeLexical) -> None:
    """Titles and meaning are explained; of the words nothing is said."""
    lexical.away = True
    try:
        for hit in ask(search, "sunset inn").hits:
            keyword = why(hit).keyword
            assert keyword
            assert keyword.terms is None
            assert keyword.text is None
            assert keyword.not_found == ()
    finally:
        lexical.away = False


def test_a_keyword_engine_lost_at_the_end(
    search: HybridSearch, lexical: FakeLexical, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer stands, and only its terms are missing."""

    def lost(*_: object) -> None:
        raise EngineUnavailable("lost")

    whole = ask(search, "captain mirror")
    monkeypatch.setattr(lexical, "explain", lost)
    answer = ask(search, "captain mirror")
    assert [(h.id, h.score) for h in answer.hits] == [(h.id, h.score) for h in whole.hits]
    for hit in answer.hits:
        keyword = why(hit).keyword
        assert keyword
        assert keyword.terms is None
        assert keyword.text is not None


def test_terms_are_asked_for_within_the_deadline(
    search: HybridSearch, lexical: FakeLexical, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of a search and those of a single film."""
    asked = []

    def explain(text: str, ids: Ids, deadline: Deadline) -> list[list[TermScore]]:
        asked.append(deadline.at)
        return FakeLexical.explain(lexical, text, ids)

    monkeypatch.setattr(lexical, "explain", explain)
    until = Deadline.after(600)
    query = SearchQuery(query="captain mirror", explain="full")
    film = search.search(query, until).hits[0].id
    search.explain(query, film, until)
    assert len(asked) == 2
    assert max(asked) < until.at
