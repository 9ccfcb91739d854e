"""Explains why films rank where they do: the evidence of both sides, and how it was fused."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from math import isnan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hybrid.engines.bulkhead import Bulkhead
from hybrid.engines.deadline import Deadline
from hybrid.engines.protocols import Engines, TermScore
from hybrid.errors import EngineUnavailable
from hybrid.explanation.summary import summary
from hybrid.fusion.boosts import weights
from hybrid.fusion.fused_ranking import FusedRanking
from hybrid.fusion.methods import RRF_K, UNITS, highest_score
from hybrid.ranking import Ids
from hybrid.retrieval.candidates import Candidates
from hybrid.retrieval.request_vectors import request_vectors
from hybrid.schemas.explanation import (
    FusionWhy,
    KeywordWhy,
    PreferredWhy,
    RanksWhy,
    SemanticWhy,
    SentenceWhy,
    TermWhy,
    Why,
    WordWhy,
)
from hybrid.storage.catalogue import CatalogueFilm
from hybrid.text.analysis import tokens
from hybrid.vectors import QueryVector

MAX_OMITTED_WORDS = 24
"""Words of a query that are omitted in turn; each takes an encoding."""

Films = Mapping[int, CatalogueFilm]


class Evidence(NamedTuple):
    """What each side has found in a film, whatever the fusion; None if a side was not asked."""

    keyword: KeywordWhy | None
    semantic: SemanticWhy | None


@dataclass(frozen=True)
class Explainer:
    """Asks the engines of one generation what the scores of films are made of.

    `keyword` is the bulkhead through which the keyword engine is asked. `text_weight`, 0 to 1, is
    the weight of a film's text where that of its title is 1.
    """

    engines: Engines
    keyword: Bulkhead
    text_weight: float

    def evidence(
        self, candidates: Candidates, films: Films, deadline: Deadline
    ) -> Mapping[int, Evidence]:
        """Return by id what each side has found in `films`, all of them candidates.

        A keyword engine that does not answer by the deadline leaves out its terms.
        """
        ids = np.fromiter(films, np.int64, len(films))
        keyword = self._keyword(candidates, films, self._terms(candidates, ids, deadline))
        semantic = self._semantic(candidates, films, ids)
        return dict(zip(films, map(Evidence, keyword, semantic), strict=True))

    def _terms(
        self, candidates: Candidates, ids: Ids, deadline: Deadline
    ) -> Sequence[Sequence[TermScore] | None]:
        """Return what each word of the query contributes to each film, None if that is unknown."""
        if not np.isnan(candidates.keyword.bm25).any():
            # If the engine has failed since it scored, its scores stand without their terms.
            with suppress(EngineUnavailable):
                explain = partial(self.engines.lexical.explain, candidates.parsed.keywords, ids)
                return self.keyword.ask(explain, deadline).result()
        return [None] * len(ids)

    def _keyword(
        self,
        candidates: Candidates,
        films: Films,
        terms: Sequence[Sequence[TermScore] | None],
    ) -> Sequence[KeywordWhy | None]:
        if candidates.query.mode == "semantic":
            return [None] * len(films)
        rows = candidates.rows_of(np.fromiter(films, np.int64, len(films))).tolist()
        return [
            self._keyword_why(candidates, film, row, of_film)
            for film, row, of_film in zip(films.values(), rows, terms, strict=True)
        ]

    def _keyword_why(
        self,
        candidates: Candidates,
        film: CatalogueFilm,
        row: int,
        terms: Sequence[TermScore] | None,
    ) -> KeywordWhy:
        title = float(candidates.title_shares[row])
        bm25 = float(candidates.keyword.bm25[row])
        text = self.text_weight * float(candidates.keyword.shares[row])
        title_counts = title > 0 and not text > title
        answered = not isnan(bm25)
        counts = "title" if title_counts else "text" if answered and text > 0 else None
        return KeywordWhy(
            counts=counts,
            title=title if title_counts else None,
            text=text if answered else None,
            terms=None if terms is None else _terms(terms, text / bm25 if bm25 else 0.0, film),
            together=float(candidates.keyword.adjacency[row]),
            not_found=tuple(term.word for term in terms or () if not term.frequency),
        )

    def _semantic(
        self, candidates: Candidates, films: Films, ids: Ids
    ) -> Sequence[SemanticWhy | None]:
        query_vector = candidates.query_vector
        if query_vector is None:
            return [None] * len(films)
        words: list[tuple[WordWhy, ...] | None] = [None] * len(films)
        if candidates.query.explain == "full":
            words = self._words(candidates.parsed.text, query_vector, ids)
        return [
            SemanticWhy(
                sentences=tuple(
                    SentenceWhy(sentence=film.sentence(number) or "", cosine=cosine, weight=weight)
                    for weight, (number, cosine) in zip(query_vector.weights, best, strict=False)
                ),
                words=of_film,
            )
            for film, best, of_film in zip(
                films.values(),
                self.engines.semantic.explain(query_vector, ids),
                words,
                strict=True,
            )
        ]

    def _words(
        self, text: str, query_vector: QueryVector, ids: Ids
    ) -> list[tuple[WordWhy, ...] | None]:
        """Return for each film how much its score drops without each word of the query.

        Without its only word a query is empty, and the score is 0.
        """
        words = tokens(text)[:MAX_OMITTED_WORDS]
        texts = [" ".join((text[: word.start] + text[word.end :]).split()) for word in words]
        scores = self.engines.semantic.score(query_vector, ids)
        without = np.zeros((len(words), len(ids)))
        rows = [row for row, rest in enumerate(texts) if tokens(rest)]
        if rows:
            vectors = request_vectors(self.engines.encoder, [texts[row] for row in rows])
            for row, vector in zip(rows, vectors, strict=True):
                shortened = QueryVector(vector, query_vector.weights)
                without[row] = self.engines.semantic.score(shortened, ids)
        return [
            tuple(
                WordWhy(word=text[word.start : word.end], term=word.term, drop=drop)
                for word, drop in zip(words, drops, strict=True)
                if not isnan(drop)
            )
            for drops in (scores - without).T.tolist()
        ]


def explain_ranks(
    fused: FusedRanking, films: Films, evidence: Mapping[int, Evidence]
) -> Mapping[int, Why]:
    """Return by id why each of `films`, all of them candidates with evidence, ranks as it does."""
    ids = np.fromiter(films, np.int64, len(films))
    rows = fused.candidates.rows_of(ids)
    ranks = fused.ranking.ranks_of(ids).tolist()
    fusion = _fusion_whys(fused, rows)
    preferred = _preferred_whys(fused, rows)
    filters = fused.candidates.query.filters
    conditions = fused.candidates.parsed.conditions
    allowed = [
        filters.matches(film.movie) and (not conditions or conditions.matches(film.movie))
        for film in films.values()
    ]
    return {
        film: Why(
            summary=summary(ranks[n] or None, allowed[n], *evidence[film], fusion[n], preferred[n]),
            keyword=evidence[film].keyword,
            semantic=evidence[film].semantic,
            preferred=preferred[n],
            fusion=fusion[n],
            ranks=_ranks_why(fused, ranks[n], row),
        )
        for n, (film, row) in enumerate(zip(films, rows.tolist(), strict=True))
    }


def _ranks_why(fused: FusedRanking, rank: int, row: int) -> RanksWhy:
    return RanksWhy(
        hybrid=rank or None if fused.mode == "hybrid" else None,
        keyword_only=int(fused.keyword.ranks[row]) or None,
        semantic_only=int(fused.semantic.ranks[row]) or None,
    )


def _terms(terms: Sequence[TermScore], share: float, film: CatalogueFilm) -> tuple[TermWhy, ...]:
    """Return the words that the film contains; `share` is the share per unit of BM25."""
    titles = f"{film.movie.title}\n{film.movie.original_title or ''}"
    title_terms = {token.term for token in tokens(titles)}
    return tuple(
        TermWhy(
            word=term.word,
            term=term.term,
            field="title" if _in_title(term, title_terms) else "text",
            frequency=term.frequency,
            idf=term.idf,
            score=term.score,
            share=share * term.score,
        )
        for term in terms
        if term.frequency
    )


def _in_title(term: TermScore, title_terms: Collection[str]) -> bool:
    # Compare the word as typed too: the engine that searched may stem it differently.
    return term.term in title_terms or any(t.term in title_terms for t in tokens(term.word))


def _fusion_whys(fused: FusedRanking, rows: NDArray[np.int64]) -> Sequence[FusionWhy]:
    """Return the formula of the score of the candidate in each row, and the parts of it."""
    alpha, prior = fused.alpha.value, fused.prior
    highest = highest_score(fused.method)
    return [
        FusionWhy(
            formula=_formula(fused, row),
            keyword=(1 - prior) * (1 - alpha) * float(fused.normalised.keyword[row]),
            semantic=(1 - prior) * alpha * float(fused.normalised.semantic[row]),
            prior=prior * highest * float(fused.candidates.known[row]),
            preferred=float(fused.boosts[row]),
        )
        for row in rows.tolist()
    ]


def _formula(fused: FusedRanking, row: int) -> str:
    is_rrf, prior = fused.method == "rrf", fused.prior
    formula = (_rrf_formula if is_rrf else _linear_formula)(fused, row)
    if prior:
        known = f"{float(fused.candidates.known[row]):.3f}{f' * 2 / {RRF_K + 1}' if is_rrf else ''}"
        formula = f"(1 - {prior:.3f}) * ({formula}) + {prior:.3f} * {known}"
    decimals = 4 if is_rrf else 3
    if fused.mode == "hybrid" and fused.candidates.parsed.preferred:
        formula = f"{formula} + {float(fused.boosts[row]):.{decimals}f}"
    return f"{formula} = {float(fused.scores[row]):.{decimals}f}"


def _linear_formula(fused: FusedRanking, row: int) -> str:
    alpha = fused.alpha.value
    keyword, semantic = (float(scores[row]) for scores in fused.normalised)
    return f"(1 - {alpha:.3f}) * {keyword:.3f} + {alpha:.3f} * {semantic:.3f}"


def _rrf_formula(fused: FusedRanking, row: int) -> str:
    alpha = fused.alpha.value
    ranks = [int(side.ranks[row]) for side in (fused.keyword, fused.semantic)]
    factors = [f" / ({RRF_K} + {rank})" if rank else " * 0" for rank in ranks]
    return f"2 * ((1 - {alpha:.3f}){factors[0]} + {alpha:.3f}{factors[1]})"


def _preferred_whys(
    fused: FusedRanking, rows: NDArray[np.int64]
) -> Sequence[tuple[PreferredWhy, ...]]:
    """Return what the candidate in each row gains by each part of the query."""
    candidates = fused.candidates
    if fused.mode != "hybrid":
        return [()] * len(rows)
    gains = (UNITS[fused.method] * weights(candidates.parsed)).tolist()
    return [
        tuple(
            PreferredWhy.model_validate(
                {"field": part.field, "value": part.value, "met": met, "gain": gain * met}
            )
            for part, gain, met in zip(candidates.parsed.preferred, gains, meets, strict=True)
        )
        for meets in candidates.meets[rows].tolist()
    ]
