"""HybridSearch: retrieve from both engines, complete the scores, fuse, hydrate."""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np

from hybrid.encoder import Encoder
from hybrid.engines.catalogue import Catalogue
from hybrid.engines.protocols import LexicalEngine, Meaning, SemanticEngine
from hybrid.errors import EngineUnavailable, NotFound
from hybrid.fields import SearchBody
from hybrid.fusion import Side, attainable, fuse
from hybrid.movie import Movie, genre_key
from hybrid.query import Fusion, SearchQuery
from hybrid.ranking import (
    FusedHit,
    Ids,
    KeywordHit,
    Ranking,
    Scores,
    SearchResponse,
    SemanticHit,
    Total,
)
from hybrid.stopwatch import Stopwatch

IN_FLIGHT = 32
"""Keyword requests under way at once; more wait for their turn."""

PLOT_WORDS, SECOND_SHARE = 7, 0.25
"""A query of so many words tells a plot, and a film's second-best sentence counts a quarter of its
score; docs/ranking.md says what that gains."""


@dataclass(frozen=True)
class Candidates:
    """The films of either list, int64 (n,) ascending, and what each side says of them.

    `meaning` is None where the semantic side was not asked.
    """

    ids: Ids
    keyword: Side
    semantic: Side
    meaning: Meaning | None
    degraded: tuple[str, ...]


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
    ) -> None:
        self.generation = generation
        self.catalogue = catalogue
        self.lexical = lexical
        self._semantic = semantic
        self._encoder = encoder
        self._depth = depth
        self._pool = ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="keyword")

    def search(self, query: SearchQuery) -> SearchResponse:
        """Return the best films for `query`.

        Raises EngineUnavailable where the one engine that was asked for does not answer; a hybrid
        query is then answered by the semantic side alone, and `degraded` says so.
        """
        watch = Stopwatch()
        with watch.stage("total"):
            candidates = self._retrieve(query, watch)
            with watch.stage("fuse"):
                scores = fuse(candidates.keyword, candidates.semantic, _effective_fusion(query))
                best = Ranking.sorted(candidates.ids, scores, query.limit)
            with watch.stage("hydrate"):
                hits = self._hydrate(candidates, best)
        return SearchResponse(
            query=SearchBody.of(query),
            hits=hits,
            total=Total(value=len(candidates.ids)),
            degraded=candidates.degraded,
            warnings=self._warnings(query, candidates),
            timings_ms=watch.milliseconds(),
            generation=self.generation,
        )

    def movie(self, film: int) -> Movie:
        """Return the film of this id. Raises NotFound."""
        found = self.catalogue.films([film])
        if film not in found:
            raise NotFound(f"there is no film with the id {film}", {"id": "unknown"})
        return found[film].movie

    def close(self) -> None:
        """Let go of files and threads."""
        self._pool.shutdown()
        self.catalogue.close()

    def _retrieve(self, query: SearchQuery, watch: Stopwatch) -> Candidates:
        """Ask the engines that the mode names, side by side, and complete their scores."""
        asked: Future[tuple[Ranking, float]] | None = None
        if query.mode != "semantic":
            asked = self._pool.submit(self._keyword_list, query, watch)
        meaning, meant = None, Ranking.empty()
        if query.mode != "keyword":
            meaning, meant = self._semantic_list(query, watch)
        degraded: tuple[str, ...] = ()
        ids = np.sort(meant.ids)
        keyword = Side.absent(len(ids))
        if asked:
            try:
                worded, bound = asked.result()
                both = np.union1d(worded.ids, meant.ids)
                with watch.stage("complete"):
                    scores = self._completed(query, worded, both)
            except EngineUnavailable:
                if query.mode == "keyword":
                    raise
                degraded = ("keyword",)
            else:
                ids = both
                keyword = Side(scores, worded.ranks_of(ids), worded.scores, bound)
        semantic = Side.absent(len(ids))
        if meaning:
            with watch.stage("complete"):
                cosines = self._semantic.score(meaning, ids)
            semantic = Side(cosines, meant.ranks_of(ids), meant.scores, attainable=1.0)
        return Candidates(ids, keyword, semantic, meaning, degraded)

    def _keyword_list(self, query: SearchQuery, watch: Stopwatch) -> tuple[Ranking, float]:
        with watch.stage("keyword"):
            ranking = self.lexical.search(query.text, query.filters, self._depth)
            return ranking, self.lexical.attainable(query.text)

    def _semantic_list(self, query: SearchQuery, watch: Stopwatch) -> tuple[Meaning, Ranking]:
        with watch.stage("encode"):
            vector = self._encoder.encode([query.text])[0]
        meaning = Meaning(vector, SECOND_SHARE if len(query.text.split()) >= PLOT_WORDS else 0.0)
        with watch.stage("semantic"):
            return meaning, self._semantic.search(meaning, query.filters, self._depth)

    def _completed(self, query: SearchQuery, worded: Ranking, ids: Ids) -> Scores:
        """Return the BM25 of every candidate: outside the list is not without a score."""
        scores = np.zeros(len(ids), np.float64)
        scores[np.searchsorted(ids, worded.ids)] = worded.scores
        # A list shorter than its depth holds every film that holds a word.
        if len(worded) == self._depth:
            others = worded.ranks_of(ids) == 0
            scores[others] = self.lexical.score(query.text, ids[others])
        return scores

    def _hydrate(self, candidates: Candidates, best: Ranking) -> tuple[FusedHit, ...]:
        films = self.catalogue.films(best.ids.tolist())
        places = np.searchsorted(candidates.ids, best.ids)
        shares = attainable(candidates.keyword)
        numbers = np.full(len(best), -1, np.int64)
        if candidates.meaning:
            numbers = self._semantic.best_sentences(candidates.meaning, best.ids)
        return tuple(
            FusedHit(
                id=film,
                rank=rank,
                score=score,
                movie=films[film].movie,
                keyword=KeywordHit(
                    rank=int(candidates.keyword.ranks[place]) or None,
                    score=_number(candidates.keyword.scores[place]),
                    share=_number(shares[place]),
                ),
                semantic=SemanticHit(
                    rank=int(candidates.semantic.ranks[place]) or None,
                    score=_number(candidates.semantic.scores[place]),
                    sentence=films[film].sentence(number),
                ),
            )
            for rank, (film, score, place, number) in enumerate(
                zip(
                    best.ids.tolist(),
                    best.scores.tolist(),
                    places.tolist(),
                    numbers.tolist(),
                    strict=True,
                ),
                start=1,
            )
        )

    def _warnings(self, query: SearchQuery, candidates: Candidates) -> tuple[str, ...]:
        warnings = []
        known = self.catalogue.columns.genres
        for name in query.filters.genres:
            if genre_key(name) not in known:
                near = get_close_matches(genre_key(name), known, n=3)
                hint = f"; near it: {', '.join(near)}" if near else ""
                warnings.append(f"no film has the genre '{name}'{hint}")
        asked_words = query.mode != "semantic" and not candidates.degraded
        if asked_words and not candidates.keyword.attainable:
            warnings.append("no film holds a word of the query, apart from stop words")
        return tuple(warnings)


def _effective_fusion(query: SearchQuery) -> Fusion:
    """Return the fusion of the mode: one side alone is ranked by its own scores."""
    if query.mode == "hybrid":
        return query.fusion
    return Fusion(method="attainable", alpha=0.0 if query.mode == "keyword" else 1.0)


def _number(score: float) -> float | None:
    return None if np.isnan(score) else float(score)
