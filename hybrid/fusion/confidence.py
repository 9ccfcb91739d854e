"""Whether anything really matches a query: thresholds that nonsense of the same length sets."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from math import isnan
from typing import NamedTuple

from hybrid.fusion.fused_ranking import FusedRanking
from hybrid.ranking import Scores
from hybrid.storage.manifest import MatchThreshold

LEAD_RANK = 10
"""The best film of each side is compared with the one of this rank."""

_WORD = re.compile(r"\w+")


class Evidence(NamedTuple):
    """How far the films of a ranking match: by words plus by meaning, 0 to 2 each.

    `strength` is the best keyword share plus the best semantic score, `lead` how far these are
    above those of rank 10: words taken at random match many films alike. `is_title` is whether the
    query is exactly the title of one.
    """

    strength: float
    lead: float
    is_title: bool = False


def evidence_of(fused: FusedRanking) -> Evidence:
    """Return the evidence for a hybrid ranking."""
    sides = [fused.keyword.list_scores, fused.semantic.list_scores]
    best, lead = zip(*map(_best_and_lead, sides), strict=True)
    is_title = bool((fused.candidates.title_shares == 1).any())
    return Evidence(sum(best), sum(lead), is_title)


def _best_and_lead(scores: Scores) -> tuple[float, float]:
    if not len(scores):
        return 0.0, 0.0
    best, other = map(_known, (scores[0], scores[min(LEAD_RANK, len(scores)) - 1]))
    return best, best - other


def _known(score: float) -> float:
    return 0.0 if isnan(score) else float(score)


def word_count(text: str) -> int:
    """Return the number of words of a query, by which its threshold is chosen."""
    return len(_WORD.findall(text))


def is_confident(
    evidence: Evidence, text: str, thresholds: Sequence[MatchThreshold]
) -> bool | None:
    """Return whether a film really matches `text`; None if the index has no thresholds.

    `thresholds` are in the order of `words`. A longer query has the last one.
    """
    if not thresholds:
        return None
    if evidence.is_title:
        return True
    place = bisect_left([threshold.words for threshold in thresholds], word_count(text))
    threshold = thresholds[min(place, len(thresholds) - 1)]
    return evidence.strength >= threshold.strength and evidence.lead >= threshold.lead
