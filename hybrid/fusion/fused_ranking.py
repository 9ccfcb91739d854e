"""Fusion: candidates to one ranking, by both engines' scores and the alpha between them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hybrid.fusion.alpha import (
    LIKE_MOST,
    LIKENESS_ALPHA,
    NO_DESCRIPTION,
    AlphaChoice,
    choose_alpha,
)
from hybrid.fusion.boosts import boosts
from hybrid.fusion.methods import (
    UNITS,
    NormalisedScores,
    SideScores,
    normalise_sides,
    weighted_sum,
    with_prior,
)
from hybrid.query import Fusion, FusionMethod, Mode
from hybrid.ranking import Ranking, Scores
from hybrid.retrieval.candidates import Candidates


@dataclass(frozen=True)
class FusedRanking:
    """The candidates that a mode lists, from best to worst, and how their scores came about.

    `scores` float64 (n,), both sides and `normalised` are of all candidates, in the order of
    `candidates.ids`. `scores` is the sum of what is `normalised`, weighted by `alpha`; a share of
    it, `prior`, 0 to 1, comes from how well known the films are instead. Added are the `boosts`,
    float64 (n,), of films that meet what the query prefers.
    """

    candidates: Candidates
    ranking: Ranking
    scores: Scores
    keyword: SideScores
    semantic: SideScores
    normalised: NormalisedScores
    boosts: Scores
    mode: Mode
    method: FusionMethod
    alpha: AlphaChoice
    prior: float


def rank_candidates(
    candidates: Candidates, mode: Mode, fusion: Fusion, text_weight: float, prior: float = 0.0
) -> FusedRanking:
    """Return the ranking of the candidates that are in a list of the mode.

    `text_weight`, 0 to 1, is the weight of a film's text where that of its title is 1; `prior`, 0
    to 1, the share of a fused score that comes from how well known the film is. A side that was not
    asked when the candidates were retrieved adds nothing.
    """
    keyword, semantic = _keyword_side(candidates, text_weight), _semantic_side(candidates)
    in_keyword, in_semantic = candidates.in_keyword_list, semantic.ranks > 0
    either = in_keyword | in_semantic
    listed = {"keyword": in_keyword, "semantic": in_semantic, "hybrid": either}[mode]
    alpha = _alpha(candidates, mode, fusion, either)
    # One side alone is ranked by its own scores.
    method = fusion.method if mode == "hybrid" else "attainable"
    normalised = normalise_sides(keyword, semantic, method)
    prior = prior if mode == "hybrid" and candidates.known.any() else 0.0
    scores = weighted_sum(normalised, alpha.value)
    if prior:
        scores = with_prior(scores, candidates.known, prior, method)
    gained = UNITS[method] * boosts(candidates) * (mode == "hybrid")
    scores = scores + gained
    ranking = Ranking.sorted(candidates.ids[listed], scores[listed])
    return FusedRanking(
        candidates=candidates,
        ranking=ranking,
        scores=scores,
        keyword=keyword,
        semantic=semantic,
        normalised=normalised,
        boosts=gained,
        mode=mode,
        method=method,
        alpha=alpha,
        prior=prior,
    )


def _keyword_side(candidates: Candidates, text_weight: float) -> SideScores:
    ids, in_list = candidates.ids, candidates.in_keyword_list
    if candidates.query.mode == "semantic":
        return SideScores.absent(len(ids))
    shares = np.fmax(text_weight * candidates.keyword.shares, candidates.title_shares)
    keyword_list = Ranking.sorted(ids[in_list], shares[in_list])
    return SideScores(shares, keyword_list.ranks_of(ids), keyword_list.scores)


def _semantic_side(candidates: Candidates) -> SideScores:
    ids, semantic_list = candidates.ids, candidates.semantic_list
    if candidates.query_vector is None:
        return SideScores.absent(len(ids))
    return SideScores(candidates.cosines, semantic_list.ranks_of(ids), semantic_list.scores)


def _alpha(
    candidates: Candidates, mode: Mode, fusion: Fusion, listed: NDArray[np.bool_]
) -> AlphaChoice:
    """Choose alpha; `listed` bool (n,) is which candidates are in either list: one that is in
    neither must not affect how the others rank."""
    if mode != "hybrid":
        return AlphaChoice(float(mode == "semantic"), f"the mode is {mode}")
    if "semantic" in candidates.degraded:
        return AlphaChoice(0.0, "words alone decide, as the semantic engine does not answer")
    if candidates.by_likeness and candidates.query_vector is None:
        return AlphaChoice(0.0, NO_DESCRIPTION)
    if fusion.alpha != "auto":
        return AlphaChoice(fusion.alpha, "as asked")
    if candidates.by_likeness:
        return AlphaChoice(LIKENESS_ALPHA, LIKE_MOST)
    return choose_alpha(
        best_text=float(np.fmax.reduce(candidates.keyword.shares[listed], initial=0.0)),
        best_title=float(candidates.title_shares[listed].max(initial=0.0)),
        person=candidates.person,
        has_quotation=candidates.parsed.reading.has_phrase,
        degraded="keyword" in candidates.degraded,
    )
