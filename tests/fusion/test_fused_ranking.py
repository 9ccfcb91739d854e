"""Candidates put in order, against sums written out by hand. No engine is asked."""

from dataclasses import replace
from typing import Literal, get_args

import numpy as np
import pytest

from hybrid.fusion.alpha import NO_DESCRIPTION
from hybrid.fusion.boosts import ALONE, WEIGHTS
from hybrid.fusion.fused_ranking import FusedRanking, rank_candidates
from hybrid.query import Filters, Fusion, FusionMethod, Mode, SearchQuery
from hybrid.query_language.language import Part, Reading
from hybrid.ranking import Ranking
from hybrid.retrieval.candidates import Candidates, KeywordScores
from hybrid.retrieval.query_parser import parse_query
from hybrid.vectors import QueryVector

NAN = float("nan")
IDS = [2, 3, 5, 7, 11]
"""By their words, by their title, by both sides, by meaning, and one that is only looked at."""


def candidates(
    text: str = "xyzzy",
    mode: Mode = "hybrid",
    shares: tuple[float, ...] = (0.3, 0.1, 0.2, 0.0, 0.9),
    titles: tuple[float, ...] = (0.0, 0.5, 0.0, 0.0, 1.0),
    person: str | None = None,
    degraded: tuple[str, ...] = (),
) -> Candidates:
    """Return five candidates, the first three in the keyword list, 5 and 7 in the semantic one."""
    return Candidates(
        query=SearchQuery(query=text, mode=mode),
        parsed=parse_query(text),
        ids=np.array(IDS, np.int64),
        keyword=KeywordScores(
            10 * np.array(shares), np.array(shares), np.zeros(len(shares)), any_match=True
        ),
        title_shares=np.array(titles),
        in_keyword_list=np.array([True, True, True, False, False]),
        cosines=np.array([0.1, NAN, 0.4, 0.8, 0.95]),
        sentences=np.array([0, -1, 2, 0, 1], np.int64),
        known=np.array([0.0, 1.0, 0.5, 0.25, 0.75]),
        meets=np.zeros((len(IDS), 0), np.bool_),
        semantic_list=Ranking(np.array([7, 5], np.int64), np.array([0.8, 0.4])),
        query_vector=QueryVector(np.ones(4, np.float32)) if mode != "keyword" else None,
        person=person,
        degraded=degraded,
    )


def test_films_gain_by_what_the_query_prefers() -> None:
    """A year gains more than a genre, both alone gain alike, in the unit of the method; one side
    alone gains nothing."""
    parts = (
        Part("year", "80s", False, (Filters(year_from=1980),), (0, 3), preferred=True),
        Part("genre", "horror", False, (Filters(genres=("horror",)),), (4, 10), preferred=True),
    )
    reading = Reading.of("80s horror", parts)
    meets = np.array([[True, True], [True, False], [False, True], [False, False], [True, True]])
    found = replace(candidates(), parsed=parse_query(reading), meets=meets)
    gains = WEIGHTS["year"] * meets[:, 0] + WEIGHTS["genre"] * meets[:, 1]
    plain = rank(candidates())
    assert rank(found).boosts.tolist() == gains.tolist()
    assert rank(found).scores.tolist() == (plain.scores + gains).tolist()
    assert rank(found, method="rrf").boosts == pytest.approx(2 / 61 * gains)
    assert rank(found, method="z_score").boosts == pytest.approx(6 * gains)
    assert rank(found, "keyword").boosts.tolist() == [0.0] * 5
    alone = replace(found, parsed=replace(found.parsed, only_mentions=True))
    assert rank(alone).boosts == pytest.approx(ALONE * meets.sum(axis=1))


def rank(
    found: Candidates,
    mode: Mode = "hybrid",
    method: FusionMethod = "attainable",
    alpha: float = 0.25,
) -> FusedRanking:
    """Rank with words worth half a title."""
    return rank_candidates(found, mode, Fusion(method=method, alpha=alpha), 0.5)


def test_the_sides_hold_shares_ranks_and_lists() -> None:
    """The keyword share is the larger of the words', weighted, and the title's; each side has
    ranks and list of its own films, scores of all."""
    fused = rank(candidates())
    assert fused.candidates.ids.tolist() == IDS
    assert fused.keyword.scores == pytest.approx([0.15, 0.5, 0.1, 0.0, 1.0])
    assert fused.keyword.ranks.tolist() == [2, 1, 3, 0, 0]
    assert fused.keyword.list_scores.tolist() == pytest.approx([0.5, 0.15, 0.1])
    assert fused.semantic.scores == pytest.approx([0.1, NAN, 0.4, 0.8, 0.95], nan_ok=True)
    assert fused.semantic.ranks.tolist() == [0, 0, 2, 1, 0]
    assert fused.semantic.list_scores.tolist() == [0.8, 0.4]


@pytest.mark.parametrize(
    ("mode", "alpha", "ids", "scores"),
    [
        ("keyword", 0.0, [3, 2, 5], [0.5, 0.15, 0.1]),
        ("semantic", 1.0, [7, 5], [0.8, 0.4]),
        ("hybrid", 0.25, [3, 7, 5, 2], [0.375, 0.2, 0.175, 0.1375]),
    ],
)
@pytest.mark.parametrize("method", ["attainable", "min_max", "rrf"])
def test_a_mode_ranks_what_its_lists_hold(
    mode: Mode, alpha: float, ids: list[int], scores: list[float], method: FusionMethod
) -> None:
    """A film in neither list is not ranked; one side alone is ranked by its own scores, whatever
    the fusion."""
    fused = rank(candidates(), mode, method)
    assert fused.alpha.value == alpha
    assert set(fused.ranking.ids.tolist()) == set(ids)
    if mode != "hybrid" or method == "attainable":
        assert fused.method == "attainable"
        assert fused.ranking.ids.tolist() == ids
        assert fused.ranking.scores.tolist() == pytest.approx(scores)
    else:
        assert fused.method == method


@pytest.mark.parametrize("mode", ["keyword", "semantic"])
def test_a_side_that_was_not_asked_is_absent(mode: Mode) -> None:
    """What one side was retrieved for, the other ranks nothing of."""
    fused = rank(candidates(mode=mode), mode)
    absent = fused.semantic if mode == "keyword" else fused.keyword
    assert np.isnan(absent.scores).all()
    assert not absent.ranks.any()
    assert not len(absent.list_scores)


def test_without_the_keyword_engine_titles_count() -> None:
    """Words that are not known take nothing from a title."""
    fused = rank(candidates(shares=(NAN,) * 5, degraded=("keyword",)))
    assert fused.keyword.scores == pytest.approx([0.0, 0.5, 0.0, 0.0, 1.0])


@pytest.mark.parametrize("method", get_args(FusionMethod))
@pytest.mark.parametrize("alpha", [0.0, 1.0, "auto"])
def test_without_the_semantic_engine_words_decide(
    method: FusionMethod, alpha: float | Literal["auto"]
) -> None:
    """Whatever alpha is asked for: all weight on what is missing would leave no order."""
    found = replace(
        candidates(degraded=("semantic",)),
        query_vector=None,
        semantic_list=Ranking.empty(),
        cosines=np.full(5, NAN),
    )
    fused = rank_candidates(found, "hybrid", Fusion(method=method, alpha=alpha), 0.5)
    assert fused.ranking.ids.tolist() == [3, 2, 5]
    assert fused.alpha.value == 0
    reason = "words alone decide, as the semantic engine does not answer"
    assert fused.alpha.reason == reason
    assert not fused.semantic.ranks.any()


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_an_alpha_that_is_asked_for_is_obeyed(alpha: float) -> None:
    """Whatever the query is, and 0 is a number too."""
    chosen = rank(candidates('"quoted"', person="Greta Garbo"), alpha=alpha).alpha
    assert (chosen.value, chosen.reason) == (alpha, "as asked")


@pytest.mark.parametrize(
    ("found", "alpha", "reason"),
    [
        # .3 of the words in the list, .5 of a title: the nearer counts.
        (candidates(), 0.5, "cover 50% of the query"),
        (candidates(titles=(0.0, 0.1, 0.0, 0.0, 0.0)), 0.75, "cover 30% of the query"),
        # The film that is only looked at has the title to the letter, and .9 of the words.
        (candidates(titles=(0.0, 0.1, 0.0, 0.0, 1.0)), 0.75, "cover 30% of the query"),
        (candidates(shares=(0.1, 0.0, 0.1, 0.3, 0.9), titles=(0.0,) * 5), 0.75, "cover 30%"),
        (candidates(titles=(0.0, 1.0, 0.0, 0.0, 0.0)), 0.2, "title, to the letter"),
        (candidates('"a" xyzzy', titles=(0.0,) * 5), 0.5, "what is quoted"),
        (candidates(titles=(0.0,) * 5, person="Greta Garbo"), 0.5, "'Greta Garbo' is a name"),
        (candidates(shares=(NAN,) * 5, titles=(0.0,) * 5), 1.0, "cover 0% of the query"),
        (
            candidates(shares=(NAN,) * 5, titles=(0.0,) * 5, degraded=("keyword",)),
            1.0,
            "the keyword engine does not answer",
        ),
    ],
)
def test_alpha_is_chosen_from_what_the_lists_hold(
    found: Candidates, alpha: float, reason: str
) -> None:
    """Best words, best title, name, quotation and a missing engine all reach the choice."""
    chosen = rank_candidates(found, "hybrid", Fusion(), 0.5).alpha
    assert chosen.value == pytest.approx(alpha)
    assert reason in chosen.reason


@pytest.mark.parametrize(
    ("alpha", "vector", "value", "reason"),
    [
        ("auto", True, 0.4, "as is best for most films"),
        (0.25, True, 0.25, "as asked"),
        ("auto", False, 0.0, NO_DESCRIPTION),
        (0.25, False, 0.0, NO_DESCRIPTION),
    ],
)
def test_alpha_for_films_like_another(
    alpha: float | Literal["auto"], vector: bool, value: float, reason: str
) -> None:
    """It is that of likeness unless another is asked for; without sentences words decide."""
    found = candidates(titles=(0.0, 1.0, 0.0, 0.0, 0.0))
    found = replace(found, parsed=replace(found.parsed, liked=3))
    if not vector:
        found = replace(found, query_vector=None)
    chosen = rank_candidates(found, "hybrid", Fusion(alpha=alpha), 0.5).alpha
    assert (chosen.value, chosen.reason) == (value, reason)


def test_without_a_vector_another_query_keeps_its_alpha() -> None:
    """Only films like another are ranked by words alone then."""
    found = replace(candidates(), query_vector=None)
    assert rank(found, alpha=0.25).alpha.value == 0.25


def test_min_max_scales_by_the_lists() -> None:
    """The extremes are those of each list, not of all candidates."""
    fused = rank(candidates(), method="min_max", alpha=0.5)
    keyword = np.array([0.05 / 0.4, 1.0, 0.0, 0.0, 1.0])
    semantic = np.array([0.0, 0.0, 0.0, 1.0, 1.0])
    assert fused.scores == pytest.approx((keyword + semantic) / 2)


@pytest.mark.parametrize("method", get_args(FusionMethod))
def test_the_prior_is_a_share_of_the_score(method: FusionMethod) -> None:
    """A fused score is so far from what the sides give towards what votes give; one side alone has
    its own scores, and without votes nothing changes."""
    found, fusion = candidates(), Fusion(method=method, alpha=0.25)
    plain = rank_candidates(found, "hybrid", fusion, 0.5)
    highest = 2 / 61 if method == "rrf" else 1.0
    for prior in (0.0, 0.1, 0.9):
        fused = rank_candidates(found, "hybrid", fusion, 0.5, prior)
        expected = (1 - prior) * plain.scores + prior * highest * found.known
        assert fused.scores == pytest.approx(expected)
        assert fused.prior == prior
        assert set(fused.ranking.ids.tolist()) == set(plain.ranking.ids.tolist())
    assert rank_candidates(found, "hybrid", fusion, 0.5, 0.9).ranking.ids[0] == IDS[1]
    modes: tuple[Mode, ...] = ("keyword", "semantic")
    for mode in modes:
        one = rank_candidates(found, mode, fusion, 0.5, 0.9)
        assert (one.prior, one.scores.tolist()) == (0, rank(found, mode, method).scores.tolist())
    voteless = replace(found, known=np.zeros(5))
    unchanged = rank_candidates(voteless, "hybrid", fusion, 0.5, 0.9)
    assert (unchanged.prior, unchanged.scores.tolist()) == (0, plain.scores.tolist())
