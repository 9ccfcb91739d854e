"""What films gain that meet what a query mentions: a year, a genre, a person."""

from collections.abc import Mapping

import numpy as np

from hybrid.query_language.language import Field
from hybrid.ranking import Scores
from hybrid.retrieval.candidates import Candidates
from hybrid.retrieval.query_parser import ParsedQuery

WEIGHTS: Mapping[Field, float] = {"year": 0.2, "genre": 0.1, "person": 0.05}
"""What a film gains by a part of this field, as a share of the range of scores; docs/ranking.md
gives the measured gain."""

ALONE = 0.3
"""What it gains by each part of a query that says nothing else: then only these can tell films."""


def weights(parsed: ParsedQuery) -> Scores:
    """Return what a film gains by each preferred part of a query, float64 (parts,), 0 to 1."""
    gains = [ALONE if parsed.only_mentions else WEIGHTS[part.field] for part in parsed.preferred]
    return np.array(gains, np.float64)


def boosts(candidates: Candidates) -> Scores:
    """Return what each candidate gains, float64 (n,), as a share of the range of scores."""
    gained: Scores = candidates.meets @ weights(candidates.parsed)
    return gained
