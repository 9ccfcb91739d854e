"""BM25 as every keyword engine computes it, and the most that a query can score by it."""

import hashlib
import json
from collections.abc import Sequence

from hybrid.movie import KEYWORD_TEXT_VERSION

K1, B = 0.4, 0.75
"""Of Robertson & Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009, 3.4.

A word of the query found once says nearly all that the word can say: what counts is how many of
the words a film holds. docs/ranking.md says what that gains over the usual k1 of 1.2.
"""


def analysis_digest(*rules: object) -> str:
    """Return the SHA-256 of how an engine reads words and scores films: `rules` as JSON, and what
    all engines share. An index that was written by other rules answers wrongly."""
    described = json.dumps([KEYWORD_TEXT_VERSION, K1, B, *rules], sort_keys=True)
    return hashlib.sha256(described.encode()).hexdigest()


def attainable(tops: Sequence[float]) -> float:
    """Return the sum of `tops`, the highest score that each word of a query alone gives a film.

    A word that stands twice is in `tops` twice. One that no film holds (0) counts like the rarest
    of the others. No film's score exceeds the sum, as BM25 adds up its words' scores.
    """
    rarest = max(tops, default=0.0)
    return sum(top or rarest for top in tops)
