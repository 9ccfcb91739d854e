"""Says why films rank where they do: what both sides say of them once, then what a fusion makes."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hybrid.engines.protocols import LexicalEngine, SemanticEngine, TermScore
from hybrid.engines.semantic.encoder import Encoder
from hybrid.errors import EngineUnavailable
from hybrid.explanation.summary import summary
from hybrid.fusion.fused_ranking import FusedRanking
from hybrid.fusion.methods import RRF_K, normalised
from hybrid.ranking import Ids
from hybrid.retrieval.candidates import Candidates
from hybrid.schemas.explanation import (
    FusionWhy,
    KeywordWhy,
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

MOST_WORDS = 24
"""So many words of a query are left out in turn, one encoding each."""

Terms = Sequence[TermScore]


class Evidence(NamedTuple):
    """What both sides say of a film, however that is fused; None where a side was not asked."""

    keyword: KeywordWhy | None
    semantic: SemanticWhy | None


@dataclass(frozen=True)
class Explainer:
    """Asks the engines of one generation what made the scores of its films.

    `text_weight` is what all words of a query in a film's text are worth beside its title.
    """

    lexical: LexicalEngine
    semantic: SemanticEngine
    encoder: Encoder
    text_weight: float

    def told(
        self, candidates: Candidates, films: Mapping[int, CatalogueFilm]
    ) -> Mapping[int, Evidence]:
        """Return what both sides say of each of `films`, all of them candidates."""
        ids = np.fromiter(films, np.int64, len(films))
        keyword = self._keyword(candidates, films, ids)
        semantic = self._semantic(candidates, films, ids)
        return dict(zip(films, map(Evidence, keyword, semantic), strict=True))

    def _keyword(
        self, candidates: Candidates, films: Mapping[int, CatalogueFilm], ids: Ids
    ) -> Sequence[KeywordWhy | None]:
        if candidates.query.mode == "semantic":
            return [None] * len(films)
        told: Sequence[Terms | None] = [None] * len(films)
        if not np.isnan(candidates.words.bm25).any():
            # Where it was lost since it gave the scores, those stand without their terms.
            with suppress(EngineUnavailable):
                told = self.lexical.explain(candidates.reading.wording, ids)
        places = np.searchsorted(candidates.words.ids, ids)
        return [
            self._of_words(candidates, film, place, terms)
            for film, place, terms in zip(films.values(), places.tolist(), told, strict=True)
        ]

    def _of_words(
        self, candidates: Candidates, film: CatalogueFilm, place: int, terms: Terms | None
    ) -> KeywordWhy:
        title = float(candidates.titles[place])
        bm25 = float(candidates.words.bm25[place])
        text = self.text_weight * float(candidates.words.shares[place])
        of_title = title > 0 and not text > title
        known = bm25 == bm25  # NaN where the engine did not answer
        counts = "title" if of_title else "text" if known and text > 0 else None
        return KeywordWhy(
            counts=counts,
            title=title if of_title else None,
            text=text if known else None,
            terms=None if terms is None else _terms(terms, text / bm25 if bm25 else 0.0, film),
            not_found=tuple(term.word for term in terms or () if not term.frequency),
        )

    def _semantic(
        self, candidates: Candidates, films: Mapping[int, CatalogueFilm], ids: Ids
    ) -> Sequence[SemanticWhy | None]:
        meaning = candidates.meaning
        if meaning is None:
            return [None] * len(films)
        words: list[tuple[WordWhy, ...] | None] = [None] * len(films)
        if candidates.query.explain == "full":
            words = self._words(candidates.reading.typed, meaning, ids)
        return [
            SemanticWhy(
                sentences=tuple(
                    SentenceWhy(sentence=film.sentence(number) or "", cosine=cosine, weight=weight)
                    for weight, (number, cosine) in zip(meaning.weights, counting, strict=False)
                ),
                words=of_film,
            )
            for film, counting, of_film in zip(
                films.values(), self.semantic.explain(meaning, ids), words, strict=True
            )
        ]

    def _words(
        self, typed: str, meaning: QueryVector, ids: Ids
    ) -> list[tuple[WordWhy, ...] | None]:
        """Return for each film what it loses without each word of the query.

        Without its only word nothing is left of a query, nor of the score.
        """
        found = tokens(typed)[:MOST_WORDS]
        texts = [" ".join((typed[: word.start] + typed[word.end :]).split()) for word in found]
        scores = self.semantic.score(meaning, ids)
        without = np.zeros((len(found), len(ids)))
        left = [nth for nth, text in enumerate(texts) if tokens(text)]
        if left:
            vectors = self.encoder.encode([texts[nth] for nth in left])
            for nth, vector in zip(left, vectors, strict=True):
                without[nth] = self.semantic.score(QueryVector(vector, meaning.weights), ids)
        return [
            tuple(
                WordWhy(word=typed[word.start : word.end], term=word.term, drop=drop)
                for word, drop in zip(found, drops, strict=True)
                if drop == drop
            )
            for drops in (scores - without).T.tolist()
        ]


def whys(
    candidates: Candidates,
    fused: FusedRanking,
    films: Mapping[int, CatalogueFilm],
    told: Mapping[int, Evidence],
) -> Mapping[int, Why]:
    """Return why each of `films`, of which both sides have `told`, ranks where it does."""
    ids = np.fromiter(films, np.int64, len(films))
    places = np.searchsorted(fused.ids, ids)
    ranks = fused.ranking.ranks_of(ids).tolist()
    fusion = _fusion(fused, places)
    matches = candidates.query.filters.matches
    allowed = [matches(film.movie.year, film.movie.genres) for film in films.values()]
    return {
        film: Why(
            summary=summary(ranks[n] or None, allowed[n], *told[film], fusion[n]),
            keyword=told[film].keyword,
            semantic=told[film].semantic,
            fusion=fusion[n],
            ranks=_ranks(fused, ranks[n], place),
        )
        for n, (film, place) in enumerate(zip(films, places.tolist(), strict=True))
    }


def _ranks(fused: FusedRanking, rank: int, place: int) -> RanksWhy:
    return RanksWhy(
        hybrid=rank or None if fused.mode == "hybrid" else None,
        keyword_only=int(fused.keyword.ranks[place]) or None,
        semantic_only=int(fused.semantic.ranks[place]) or None,
    )


def _terms(terms: Terms, share: float, film: CatalogueFilm) -> tuple[TermWhy, ...]:
    """Return the words that the film has; `share` is what a score of 1 is worth."""
    titles = f"{film.movie.title}\n{film.movie.original_title or ''}"
    titled = {token.term for token in tokens(titles)}
    return tuple(
        TermWhy(
            word=term.word,
            term=term.term,
            field="title" if _in_title(term, titled) else "text",
            frequency=term.frequency,
            idf=term.idf,
            score=term.score,
            share=share * term.score,
        )
        for term in terms
        if term.frequency
    )


def _in_title(term: TermScore, titled: Collection[str]) -> bool:
    # As typed too: the engine that searched may have another stem for the word.
    return term.term in titled or any(token.term in titled for token in tokens(term.word))


def _fusion(fused: FusedRanking, places: NDArray[np.int64]) -> Sequence[FusionWhy]:
    """Return the formula of each film's score, with its numbers."""
    if fused.method == "rrf":
        return [_of_ranks(fused, place) for place in places.tolist()]
    shares = normalised(fused.keyword, fused.semantic, fused.method)
    alpha = fused.alpha.value
    return [
        FusionWhy(
            formula=f"(1 - {alpha:.3f}) * {keyword:.3f} + {alpha:.3f} * {semantic:.3f}"
            f" = {score:.3f}",
            keyword=(1 - alpha) * keyword,
            semantic=alpha * semantic,
        )
        for keyword, semantic, score in zip(
            shares[0][places].tolist(),
            shares[1][places].tolist(),
            fused.scores[places].tolist(),
            strict=True,
        )
    ]


def _of_ranks(fused: FusedRanking, place: int) -> FusionWhy:
    alpha = fused.alpha.value
    ranks = [int(side.ranks[place]) for side in (fused.keyword, fused.semantic)]
    said = [f" / ({RRF_K} + {rank})" if rank else " * 0" for rank in ranks]
    parts = [1 / (RRF_K + rank) if rank else 0.0 for rank in ranks]
    return FusionWhy(
        formula=f"2 * ((1 - {alpha:.3f}){said[0]} + {alpha:.3f}{said[1]})"
        f" = {float(fused.scores[place]):.4f}",
        keyword=2 * (1 - alpha) * parts[0],
        semantic=2 * alpha * parts[1],
    )
