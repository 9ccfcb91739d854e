"""The parameters of BM25 for every keyword engine, and the highest score a query can attain."""

import hashlib
import json
from collections.abc import Sequence

from hybrid.movie import KEYWORD_TEXT_VERSION

K1, B = 0.4, 0.75
"""Of Robertson & Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009, 3.4.

With a low k1 a word's first occurrence counts nearly as much as many: what matters is how many of
the query's words a film contains. docs/ranking.md gives the gain over the usual k1 of 1.2.
"""


def analysis_digest(*rules: object) -> str:
    """Return the SHA-256 of an engine's analysis and scoring.

    That is of `rules` as JSON and what all engines share. An index written with another digest
    would give wrong results.
    """
    description = json.dumps([KEYWORD_TEXT_VERSION, K1, B, *rules], sort_keys=True)
    return hashlib.sha256(description.encode()).hexdigest()


def attainable_score(tops: Sequence[float]) -> float:
    """Return the sum of `tops`, the highest score that each word of a query gives any film.

    A word that occurs twice is in `tops` twice. A word that no film contains (0) counts like the
    rarest of the others. No film scores more than the sum, as BM25 adds up the scores of words.
    """
    rarest = max(tops, default=0.0)
    return sum(top or rarest for top in tops)
