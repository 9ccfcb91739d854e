"""HybridSearch: retrieve from both sides, fuse, hydrate."""

from collections.abc import Sequence
from contextlib import suppress
from difflib import get_close_matches
from itertools import chain
from typing import Any

import numpy as np

from hybrid.engines.protocols import LexicalEngine, SemanticEngine
from hybrid.engines.semantic.encoder import Encoder
from hybrid.errors import EngineUnavailable, unknown_film
from hybrid.explanation.explainer import Explainer
from hybrid.fusion.fused_ranking import FusedRanking, ranked
from hybrid.fusion.preferences import Preferences
from hybrid.hydration import HitDetails, hit_fields
from hybrid.movie import Movie, genre_key
from hybrid.query import Fusion, Mode, SearchQuery
from hybrid.retrieval.candidates import Candidates
from hybrid.retrieval.query_parser import MAX_WORDS
from hybrid.retrieval.retriever import Retriever
from hybrid.schemas.search import ExplainHit, ExplainResponse, Hit, SearchResponse, Total
from hybrid.stopwatch import Stopwatch
from hybrid.storage.catalogue import Catalogue


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
        self._encoder = encoder
        self._retrieval = Retriever(catalogue, lexical, semantic, encoder, depth)

    def search(self, query: SearchQuery) -> SearchResponse:
        """Return the best films for `query`.

        Raises EngineUnavailable where the keyword engine does not answer and the mode is keyword; a
        hybrid query is then answered by titles and meaning, and `degraded` says so.
        """
        query = query.resolved(self.preferences.default)
        watch = Stopwatch()
        with watch.stage("total"):
            candidates = self._retrieval.retrieve(query, watch)
            with watch.stage("fuse"):
                fused = self.fuse(candidates, query.mode, query.fused_by)
            with watch.stage("hydrate"):
                (hits,) = self.hydrate(candidates, [fused], query.limit)
        return SearchResponse(
            hits=hits,
            total=Total(value=len(fused.ranking)),
            alpha=fused.alpha.value,
            alpha_reason=fused.alpha.reason,
            **self.answer_fields(candidates, watch),
        )

    def retrieve(self, query: SearchQuery, watch: Stopwatch | None = None) -> Candidates:
        """Return what both sides say of the films that either finds, to `fuse` in many ways.

        Raises EngineUnavailable like `search`.
        """
        return self._retrieval.retrieve(query, watch or Stopwatch())

    def fuse(self, candidates: Candidates, mode: Mode, fusion: Fusion) -> FusedRanking:
        """Return the candidates that the mode ranks, from best to worst."""
        return ranked(candidates, mode, fusion, self.preferences.text_weight)

    def explain(self, query: SearchQuery, film: int) -> ExplainResponse:
        """Return why the film of this id ranks where it does for `query`, or why nowhere.

        In full unless a summary is asked for. Raises NotFound, and EngineUnavailable like `search`.
        """
        self.movie(film)
        level = "summary" if query.explain == "summary" else "full"
        query = query.resolved(self.preferences.default).model_copy(update={"explain": level})
        watch = Stopwatch()
        with watch.stage("total"):
            candidates = self._retrieval.retrieve(query, watch, np.array([film], np.int64))
            with watch.stage("fuse"):
                fused = self.fuse(candidates, query.mode, query.fused_by)
            with watch.stage("hydrate"):
                said = self._said(candidates, [film])
                (hit,) = hit_fields(candidates, fused, [film], said)
        return ExplainResponse(
            hit=ExplainHit.model_validate(hit),
            alpha=fused.alpha.value,
            alpha_reason=fused.alpha.reason,
            **self.answer_fields(candidates, watch),
        )

    def hydrate(
        self, candidates: Candidates, runs: Sequence[FusedRanking], limit: int
    ) -> list[tuple[Hit, ...]]:
        """Return the best `limit` films of each run, with all that is said of them.

        What does not depend on the run is found out once.
        """
        shown = [run.ranking.top(limit).ids.tolist() for run in runs]
        said = self._said(candidates, list(dict.fromkeys(chain(*shown))))
        return [
            tuple(Hit(**hit) for hit in hit_fields(candidates, run, films, said))
            for run, films in zip(runs, shown, strict=True)
        ]

    def warnings(self, candidates: Candidates) -> tuple[str, ...]:
        """Return what of the query was probably not meant."""
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
        if asked_words and not candidates.words.known and not candidates.found.any():
            warnings.append("no film holds a word of the query, apart from stop words")
        return tuple(warnings)

    def answer_fields(self, candidates: Candidates, watch: Stopwatch) -> dict[str, Any]:
        """Return the fields of every answer: the query, and those of `Answer`."""
        return {
            "query": candidates.query,
            "degraded": candidates.degraded,
            "warnings": self.warnings(candidates),
            "timings_ms": watch.milliseconds(),
            "generation": self.generation,
        }

    def movie(self, film: int) -> Movie:
        """Return the film of this id. Raises NotFound."""
        found = self.catalogue.films([film])
        if film not in found:
            raise unknown_film(film)
        return found[film].movie

    def warm(self) -> None:
        """Answer a first query, which takes longer than others: before anybody waits for it."""
        with suppress(EngineUnavailable):
            self.search(SearchQuery(query="a film to begin with"))

    def close(self) -> None:
        """Let go of files and threads."""
        self._retrieval.close()
        self.catalogue.close()

    def _said(self, candidates: Candidates, shown: Sequence[int]) -> "HitDetails":
        query, ids = candidates.query, np.array(shown, np.int64)
        films = self.catalogue.films(shown)
        numbers = np.full(len(ids), -1, np.int64)
        if candidates.meaning:
            numbers = self._semantic.best_sentences(candidates.meaning, ids)
        told = None
        if query.explain != "none":
            weight = self.preferences.text_weight
            explainer = Explainer(self.lexical, self._semantic, self._encoder, weight)
            told = explainer.told(candidates, films)
        return HitDetails(films, dict(zip(shown, numbers.tolist(), strict=True)), told)
