"""Candidates put in order: the two sides of a query, the alpha between them, the fused ranking."""

from dataclasses import dataclass

import numpy as np

from hybrid.fusion.alpha import AlphaChoice, chosen
from hybrid.fusion.methods import Side, fuse
from hybrid.query import Fusion, FusionMethod, Mode
from hybrid.ranking import Ids, Ranking, Scores
from hybrid.retrieval.candidates import Candidates


@dataclass(frozen=True)
class FusedRanking:
    """The candidates of a mode from best to worst, and what made them so.

    `scores` float64 (n,) and both sides are in the order of `ids`, which holds all candidates.
    """

    ranking: Ranking
    ids: Ids
    scores: Scores
    keyword: Side
    semantic: Side
    mode: Mode
    method: FusionMethod
    alpha: AlphaChoice


def ranked(candidates: Candidates, mode: Mode, fusion: Fusion, text_weight: float) -> FusedRanking:
    """Return the candidates that the mode ranks, from best to worst.

    `text_weight`, 0 to 1, is what all words of the query in a film's text are worth beside its
    title, 1. A side that was not asked when they were retrieved ranks nothing.
    """
    keyword, semantic = _keyword(candidates, text_weight), _semantic(candidates)
    alpha = _alpha(candidates, mode, fusion)
    listed = {
        "keyword": keyword.ranks > 0,
        "semantic": semantic.ranks > 0,
        "hybrid": (keyword.ranks > 0) | (semantic.ranks > 0),
    }[mode]
    # One side alone is ranked by its own scores.
    method = fusion.method if mode == "hybrid" else "attainable"
    scores = fuse(keyword, semantic, method, alpha.value)
    ids = candidates.words.ids
    ranking = Ranking.sorted(ids[listed], scores[listed])
    return FusedRanking(ranking, ids, scores, keyword, semantic, mode, method, alpha)


def _keyword(candidates: Candidates, text_weight: float) -> Side:
    ids, found = candidates.words.ids, candidates.found
    if candidates.query.mode == "semantic":
        return Side.absent(len(ids))
    shares = np.fmax(text_weight * candidates.words.shares, candidates.titles)
    listed = Ranking.sorted(ids[found], shares[found])
    return Side(shares, listed.ranks_of(ids), listed.scores)


def _semantic(candidates: Candidates) -> Side:
    ids, meant = candidates.words.ids, candidates.meant
    if candidates.meaning is None:
        return Side.absent(len(ids))
    return Side(candidates.cosines, meant.ranks_of(ids), meant.scores)


def _alpha(candidates: Candidates, mode: Mode, fusion: Fusion) -> AlphaChoice:
    if mode != "hybrid":
        return AlphaChoice(float(mode == "semantic"), f"the mode is {mode}")
    if fusion.alpha != "auto":
        return AlphaChoice(fusion.alpha, "as asked")
    # A film that is only looked at, in neither list, is not to change how the others rank.
    listed = candidates.found | np.isin(candidates.words.ids, candidates.meant.ids)
    return chosen(
        best_words=float(np.nan_to_num(candidates.words.shares[listed]).max(initial=0.0)),
        best_title=float(candidates.titles[listed].max(initial=0.0)),
        name=candidates.name,
        quoted=candidates.reading.quoted,
        degraded=bool(candidates.degraded),
    )
