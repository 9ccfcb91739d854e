"""Hydration: a ranking to hits, with films, sentences, highlights and explanations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan

import numpy as np

from hybrid.explanation.explainer import Evidence, explain_ranks
from hybrid.fusion.fused_ranking import FusedRanking
from hybrid.movie import Movie
from hybrid.schemas.explanation import Why
from hybrid.schemas.highlight import Highlight
from hybrid.schemas.search import Duplicate, ExplainHit, Hit, KeywordHit, SemanticHit
from hybrid.storage.catalogue import CatalogueFilm


@dataclass(frozen=True)
class FilmDetails:
    """What is shown of films whatever the fusion, by id.

    `movies` are as they are shown, `films` whole. `highlights` and `evidence` are None unless the
    query asks for them. `best_sentences` are the numbers of their best sentences, -1 without one.
    `duplicates` are the other films that are the same.
    """

    films: Mapping[int, CatalogueFilm]
    movies: Mapping[int, Movie]
    highlights: Mapping[int, Highlight] | None
    best_sentences: Mapping[int, int]
    evidence: Mapping[int, Evidence] | None
    duplicates: Mapping[int, tuple[Duplicate, ...]]

    @property
    def cut(self) -> int:
        """The number of films of which only the beginning is shown."""
        return sum(movie is not self.films[film].movie for film, movie in self.movies.items())


def build_hits(fused: FusedRanking, ids: Sequence[int], details: FilmDetails) -> tuple[Hit, ...]:
    """Return the hits of these films, which the ranking must contain, in the order of `ids`."""
    whys = _whys(fused, ids, details)
    ranks = fused.ranking.ranks_of(np.array(ids, np.int64)).tolist()
    return tuple(
        Hit(
            id=film,
            rank=rank,
            score=float(fused.scores[row]),
            movie=details.movies[film],
            keyword=_keyword_hit(fused, row),
            semantic=_semantic_hit(fused, row, _best_sentence(details, film)),
            highlight=details.highlights[film] if details.highlights else None,
            why=whys.get(film),
            duplicates=details.duplicates[film],
        )
        for film, rank, row in zip(ids, ranks, _rows(fused, ids), strict=True)
    )


def build_explain_hit(fused: FusedRanking, film: int, details: FilmDetails) -> ExplainHit:
    """Return the hit of a candidate with evidence, in the ranking or not."""
    (row,) = _rows(fused, [film])
    (rank,) = fused.ranking.ranks_of(np.array([film], np.int64)).tolist()
    return ExplainHit(
        id=film,
        rank=rank or None,
        score=float(fused.scores[row]),
        movie=details.movies[film],
        keyword=_keyword_hit(fused, row),
        semantic=_semantic_hit(fused, row, _best_sentence(details, film)),
        highlight=details.highlights[film] if details.highlights else None,
        why=_whys(fused, [film], details)[film],
        duplicates=details.duplicates[film],
    )


def _rows(fused: FusedRanking, ids: Sequence[int]) -> list[int]:
    rows: list[int] = fused.candidates.rows_of(np.array(ids, np.int64)).tolist()
    return rows


def _whys(fused: FusedRanking, ids: Sequence[int], details: FilmDetails) -> Mapping[int, Why]:
    if details.evidence is None:
        return {}
    return explain_ranks(fused, {film: details.films[film] for film in ids}, details.evidence)


def _best_sentence(details: FilmDetails, film: int) -> str | None:
    return details.films[film].sentence(details.best_sentences[film])


def _keyword_hit(fused: FusedRanking, row: int) -> KeywordHit:
    candidates = fused.candidates
    title = float(candidates.title_shares[row])
    return KeywordHit(
        rank=int(fused.keyword.ranks[row]) or None,
        score=_number(candidates.keyword.bm25[row]),
        title=None if candidates.query.mode == "semantic" else title,
        share=_number(fused.keyword.scores[row]),
    )


def _semantic_hit(fused: FusedRanking, row: int, sentence: str | None) -> SemanticHit:
    return SemanticHit(
        rank=int(fused.semantic.ranks[row]) or None,
        score=_number(fused.semantic.scores[row]),
        sentence=sentence,
    )


def _number(score: float) -> float | None:
    return None if isnan(score) else float(score)
