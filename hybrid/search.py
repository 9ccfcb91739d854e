"""HybridSearch: retrieve from both sides, fuse, hydrate."""

from difflib import get_close_matches

import numpy as np

from hybrid.encoder import Encoder
from hybrid.engines.catalogue import Catalogue
from hybrid.engines.protocols import LexicalEngine, SemanticEngine
from hybrid.errors import NotFound
from hybrid.fields import SearchBody
from hybrid.fusion import Side
from hybrid.movie import Movie, genre_key
from hybrid.preferences import Preferences
from hybrid.query import Fusion, Mode, SearchQuery
from hybrid.ranked import Ranked, ranked
from hybrid.ranking import (
    FusedHit,
    KeywordHit,
    SearchResponse,
    SemanticHit,
    Total,
)
from hybrid.reading import MAX_WORDS
from hybrid.retrieval import Candidates, Retrieval
from hybrid.stopwatch import Stopwatch


class HybridSearch:
    """Answers queries from one generation. Safe to share between threads."""

    def __init__(
        self,
        generation: str,
        catalogue: Catalogue,
        lexical: LexicalEngine,
        semantic: SemanticEngine,
        encoder: Encoder,
        depth: int,
        preferences: Preferences,
    ) -> None:
        self.generation = generation
        self.catalogue = catalogue
        self.lexical = lexical
        self.preferences = preferences
        self._semantic = semantic
        self._retrieval = Retrieval(catalogue, lexical, semantic, encoder, depth)

    def search(self, query: SearchQuery) -> SearchResponse:
        """Return the best films for `query`.

        Raises EngineUnavailable where the keyword engine does not answer and the mode is keyword; a
        hybrid query is then answered by titles and meaning, and `degraded` says so.
        """
        watch = Stopwatch()
        with watch.stage("total"):
            candidates = self._retrieval.retrieve(query, watch)
            with watch.stage("fuse"):
                fused = self.fuse(candidates, query.mode, query.fusion)
            with watch.stage("hydrate"):
                hits = self._hydrate(candidates, fused, query.limit)
        return SearchResponse(
            query=SearchBody.of(query),
            hits=hits,
            total=Total(value=len(fused.ranking)),
            alpha=fused.alpha.value,
            alpha_reason=fused.alpha.reason,
            degraded=candidates.degraded,
            warnings=self._warnings(candidates),
            timings_ms=watch.milliseconds(),
            generation=self.generation,
        )

    def retrieve(self, query: SearchQuery) -> Candidates:
        """Return what both sides say of the films that either finds, to `fuse` in many ways.

        Raises EngineUnavailable like `search`.
        """
        return self._retrieval.retrieve(query, Stopwatch())

    def fuse(self, candidates: Candidates, mode: Mode, fusion: Fusion) -> Ranked:
        """Return the candidates that the mode ranks, from best to worst."""
        return ranked(candidates, mode, fusion, self.preferences.text_weight)

    def movie(self, film: int) -> Movie:
        """Return the film of this id. Raises NotFound."""
        found = self.catalogue.films([film])
        if film not in found:
            raise NotFound(f"there is no film with the id {film}", {"id": "unknown"})
        return found[film].movie

    def close(self) -> None:
        """Let go of files and threads."""
        self._retrieval.close()
        self.catalogue.close()

    def _hydrate(self, candidates: Candidates, fused: Ranked, limit: int) -> tuple[FusedHit, ...]:
        ids = fused.ranking.ids[:limit]
        films = self.catalogue.films(ids.tolist())
        places = np.searchsorted(fused.ids, ids)
        numbers = np.full(len(ids), -1, np.int64)
        if candidates.meaning:
            numbers = self._semantic.best_sentences(candidates.meaning, ids)
        return tuple(
            FusedHit(
                id=film,
                rank=rank,
                score=score,
                movie=films[film].movie,
                keyword=_keyword_hit(candidates, fused.keyword, place),
                semantic=SemanticHit(
                    rank=int(fused.semantic.ranks[place]) or None,
                    score=_number(fused.semantic.scores[place]),
                    sentence=films[film].sentence(number),
                ),
            )
            for rank, (film, score, place, number) in enumerate(
                zip(
                    ids.tolist(),
                    fused.ranking.scores[:limit].tolist(),
                    places.tolist(),
                    numbers.tolist(),
                    strict=True,
                ),
                start=1,
            )
        )

    def _warnings(self, candidates: Candidates) -> tuple[str, ...]:
        query = candidates.query
        warnings = []
        known = self.catalogue.columns.genres
        for name in query.filters.genres:
            if genre_key(name) not in known:
                near = get_close_matches(genre_key(name), known, n=3)
                hint = f"; near it: {', '.join(near)}" if near else ""
                warnings.append(f"no film has the genre '{name}'{hint}")
        if candidates.reading.cut:
            warnings.append(f"only the first {MAX_WORDS} words of the query count")
        asked_words = query.mode != "semantic" and not candidates.degraded
        if asked_words and not candidates.words.known:
            warnings.append("no film holds a word of the query, apart from stop words")
        return tuple(warnings)


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
