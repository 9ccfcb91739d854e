"""The parameters of BM25 for every keyword engine, and the highest score a query can attain."""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

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


MAX_TELLING = 25
"""The most telling words of a text: as many as Lucene's "more like this" searches for."""


def idf(films: int, total: int) -> float:
    """Return how rare a term is that `films` of `total` films contain, as BM25 has it."""
    return math.log(1 + (total - films + 0.5) / (films + 0.5))


def telling_words(
    words: Iterable[tuple[str, str]], films_with: Mapping[str, int], total: int, least: int
) -> list[str]:
    """Return the words of a text that tell most about it, as typed, the most telling first.

    `words` are those of the text as typed and as analysed, `films_with` the number of films that
    contain each term, of `total`. A term counts by its idf times its saturated frequency, as BM25
    counts it in a text of average length; one of fewer films than `least` is left out.
    """
    typed: dict[str, str] = {}
    frequencies: Counter[str] = Counter()
    for word, term in words:
        typed.setdefault(term, word)
        frequencies[term] += 1
    weights = {
        term: n / (n + K1) * idf(films_with[term], total)
        for term, n in frequencies.items()
        if films_with[term] >= least
    }
    best = sorted(weights, key=lambda term: (-weights[term], term))
    return [typed[term] for term in best[:MAX_TELLING]]
