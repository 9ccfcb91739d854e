"""The most that a query can score by BM25, from what each of its words can."""

from collections.abc import Sequence


def attainable(tops: Sequence[float]) -> float:
    """Return the sum of `tops`, the highest score that each word of a query alone gives a film.

    A word that stands twice is in `tops` twice. One that no film holds (0) counts like the rarest
    of the others. No film's score exceeds the sum, as BM25 adds up its words' scores.
    """
    rarest = max(tops, default=0.0)
    return sum(top or rarest for top in tops)
