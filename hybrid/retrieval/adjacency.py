"""Adjacency: how far the words that stand together in a query stand together in a film."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hybrid.engines.phrase_films import MAX_PHRASES
from hybrid.query_language.conditions import Phrase
from hybrid.ranking import Scores
from hybrid.text.exact_words import exact_words
from hybrid.text.stop_words import STOP_WORDS

GAIN = 0.2
"""What the keyword share of a film gains, relatively, if all pairs of words stand together."""

NAME_WEIGHT = 2.0
"""Weight of a pair that belongs to the name of a person; others weigh 1."""


def neighbours(keywords: str) -> tuple[Phrase, ...]:
    """Return the pairs of neighbouring words, with the stop words between them.

    Those of "lord of the rings" are one: all four words. At most MAX_PHRASES are returned.
    """
    words = exact_words(keywords)
    places = [place for place, word in enumerate(words) if word not in STOP_WORDS]
    pairs = [tuple(words[first : last + 1]) for first, last in pairwise(places)]
    return tuple(Phrase(pair) for pair in dict.fromkeys(pairs))[:MAX_PHRASES]


def adjacency(
    pairs: tuple[Phrase, ...],
    have: NDArray[np.bool_],
    listed: NDArray[np.bool_],
    person: str | None,
) -> Scores:
    """Return the weighted share of the pairs that each film has, float64 (n,), 0 to 1.

    `have` bool (n, len(pairs)) is which film has which pair, `listed` bool (n,) which films are in
    the keyword list. A pair that none of these has does not count. `person` is a name in the query.
    """
    name = set(exact_words(person)) if person else set()
    weights = np.array([NAME_WEIGHT if name.issuperset(pair.words) else 1.0 for pair in pairs])
    weights = np.where(have[listed].any(axis=0), weights, 0.0)
    total = weights.sum()
    shares: Scores = have @ weights / total if total else np.zeros(len(have), np.float64)
    return shares
