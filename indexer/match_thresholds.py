"""Thresholds below which nothing really matches: what random words of the catalogue reach."""

import random
import re
from collections.abc import Iterator, Sequence

import numpy as np

from hybrid.fusion.confidence import Evidence, evidence_of
from hybrid.query import SearchQuery
from hybrid.search import HybridSearch
from hybrid.storage.manifest import MatchThreshold

LENGTHS: Sequence[Sequence[int]] = ((2, 3), (4, 5, 6), (7, 8, 9, 10), (12, 14, 16, 20))
"""Words of the nonsense that each threshold is measured with; it holds up to the last of them."""

QUERIES = 100
"""Nonsense queries for each threshold."""

STRENGTH_QUANTILE, LEAD_QUANTILE = 0.02, 0.5
"""Shares of the nonsense that are weaker, and that lead less, than a query that really matches.

docs/ranking.md has the error rates.
"""

MIN_FILMS = 100
"""A smaller catalogue has too few films for a rank 10 to mean anything."""

SAMPLE = 3000
"""Films whose descriptions the words are taken from."""

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")


def calibrate(search: HybridSearch, seed: int = 0) -> tuple[MatchThreshold, ...]:
    """Return the thresholds of a catalogue by the words of a query, the fewest first.

    The same catalogue has the same thresholds. None where it is small, or has few descriptions.
    """
    chance = random.Random(seed)
    words = catalogue_words(search)
    if len(search.catalogue) < MIN_FILMS or len(words) < MIN_FILMS:
        return ()
    thresholds = []
    for lengths in LENGTHS:
        reached = [evidence(search, text) for text in nonsense(words, lengths, QUERIES, chance)]
        strengths, leads, _ = np.array(reached).T
        thresholds.append(
            MatchThreshold(
                words=lengths[-1],
                strength=float(np.quantile(strengths, STRENGTH_QUANTILE)),
                lead=float(np.quantile(leads, LEAD_QUANTILE)),
            )
        )
    # A single word may match many films alike, and each of them really.
    one = MatchThreshold(words=1, strength=thresholds[0].strength, lead=0.0)
    return one, *thresholds


def catalogue_words(search: HybridSearch) -> Sequence[str]:
    """Return the words of the descriptions of films all over the catalogue."""
    ids = search.catalogue.columns.ids
    some = ids[np.linspace(0, len(ids) - 1, min(SAMPLE, len(ids)), dtype=int)].tolist()
    films = search.catalogue.some_films(some)
    return [word for movie in films for word in _WORD.findall(movie.description or "")]


def nonsense(
    words: Sequence[str], lengths: Sequence[int], count: int, chance: random.Random
) -> Iterator[str]:
    """Yield texts of random words, as long as one of `lengths`."""
    for _ in range(count):
        yield " ".join(chance.choices(words, k=chance.choice(lengths)))


def evidence(search: HybridSearch, text: str) -> Evidence:
    """Return how far the films that a search finds for `text` match."""
    query = SearchQuery(query=text).resolved(search.preferences.default)
    return evidence_of(search.fuse(search.retrieve(query), "hybrid", query.fusion_spec))
