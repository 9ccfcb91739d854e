"""HybridSearch: retrieve from both sides, fuse, hydrate."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hybrid.explanation.explainer import Evidence, whys
from hybrid.explanation.highlighting import highlight
from hybrid.fusion.fused_ranking import FusedRanking
from hybrid.fusion.methods import Side
from hybrid.retrieval.candidates import Candidates
from hybrid.schemas.search import (
    KeywordHit,
    SemanticHit,
)
from hybrid.storage.catalogue import CatalogueFilm


@dataclass(frozen=True)
class HitDetails:
    """What there is to say of films, however they are fused, by id.

    `numbers` are those of their best sentences, -1 without one; `told` is None where no film is to
    be explained.
    """

    films: Mapping[int, CatalogueFilm]
    numbers: Mapping[int, int]
    told: Mapping[int, Evidence] | None


def hit_fields(
    candidates: Candidates, fused: FusedRanking, shown: Sequence[int], said: HitDetails
) -> Iterator[dict[str, Any]]:
    """Give the fields of each film's hit, as far as the query asks for them."""
    query, ids = candidates.query, np.array(shown, np.int64)
    films = {film: said.films[film] for film in shown}
    why = {} if said.told is None else whys(candidates, fused, films, said.told)
    ranks = fused.ranking.ranks_of(ids).tolist()
    places = np.searchsorted(fused.ids, ids).tolist()
    for film, rank, place in zip(shown, ranks, places, strict=True):
        movie = films[film].movie
        yield {
            "id": film,
            "rank": rank or None,
            "score": float(fused.scores[place]),
            "movie": movie,
            "keyword": _keyword_hit(candidates, fused.keyword, place),
            "semantic": SemanticHit(
                rank=int(fused.semantic.ranks[place]) or None,
                score=_number(fused.semantic.scores[place]),
                sentence=films[film].sentence(said.numbers[film]),
            ),
            "highlight": highlight(movie, candidates.reading.wording) if query.highlight else None,
            "why": why.get(film),
        }


def _keyword_hit(candidates: Candidates, side: Side, place: int) -> KeywordHit:
    asked = candidates.query.mode != "semantic"
    return KeywordHit(
        rank=int(side.ranks[place]) or None,
        score=_number(candidates.words.bm25[place]),
        title=float(candidates.titles[place]) if asked else None,
        share=_number(side.scores[place]),
    )


def _number(score: float) -> float | None:
    return None if np.isnan(score) else float(score)
