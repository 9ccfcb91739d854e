"""Retrieval: the films that either side finds for a query, with the complete scores of both."""

from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from hybrid.engines.protocols import LexicalEngine, SemanticEngine
from hybrid.engines.semantic.encoder import Encoder
from hybrid.errors import EngineUnavailable
from hybrid.query import SearchQuery
from hybrid.ranking import Ids, Ranking, Scores
from hybrid.retrieval.candidates import Candidates, KeywordScores
from hybrid.retrieval.query_parser import ParsedQuery, read
from hybrid.retrieval.title_index import TitleIndex
from hybrid.stopwatch import Stopwatch
from hybrid.storage.catalogue import Catalogue
from hybrid.vectors import QueryVector

IN_FLIGHT = 32
"""Keyword requests under way at once; more wait for their turn."""

PLOT_WORDS = 7
"""A query of so many words tells a plot, which spreads over a film's sentences."""

ONE_SENTENCE, PLOT_SENTENCES = (1.0,), (0.6, 0.2, 0.2)
"""Weights of a film's best sentences; docs/ranking.md says what they gain."""

NO_FILM: Ids = np.empty(0, np.int64)


class Retriever:
    """Asks the engines of one generation. Safe to share between threads."""

    def __init__(
        self,
        catalogue: Catalogue,
        lexical: LexicalEngine,
        semantic: SemanticEngine,
        encoder: Encoder,
        depth: int,
    ) -> None:
        self.lexical = lexical
        self.semantic = semantic
        self._catalogue = catalogue
        self._titles = TitleIndex.of(catalogue.titles(), catalogue.columns.years)
        self._encoder = encoder
        self._depth = depth
        self._pool = ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="keyword")

    def close(self) -> None:
        """Let go of the threads."""
        self._pool.shutdown()

    def retrieve(self, query: SearchQuery, watch: Stopwatch, also: Ids = NO_FILM) -> Candidates:
        """Ask the engines that the mode names, side by side, and complete their scores.

        The films of `also` become candidates without being in a list, filters or not.

        Raises EngineUnavailable where the keyword engine does not answer and the mode is keyword;
        in a hybrid query titles and meaning do without it, and `degraded` says so.
        """
        reading = read(query.text)
        asked: Future[tuple[Ranking, float, bool]] | None = None
        titles, titled = np.zeros(len(self._catalogue)), Ranking.empty()
        if query.mode != "semantic":
            asked = self._pool.submit(self._keyword_list, reading, query, watch)
            with watch.stage("titles"):
                titles = self._titles.shares(reading.titles)
                titled = self._titled(titles, query)
        meaning, meant = None, Ranking.empty()
        if query.mode != "keyword":
            meaning, meant = self._semantic_list(reading, query, watch)
        worded, words = None, KeywordScores.unknown(_union(titled.ids, meant.ids, also))
        degraded: tuple[str, ...] = ()
        if asked:
            try:
                worded, bound, whole = asked.result()
                with watch.stage("complete"):
                    words = self._completed(reading, worded, bound, whole, words.ids, also)
            except EngineUnavailable:
                if query.mode == "keyword":
                    raise
                worded, degraded = None, ("keyword",)
        found = titled.ids if worded is None else np.union1d(worded.ids, titled.ids)
        cosines = np.full(len(words.ids), np.nan)
        if meaning:
            with watch.stage("complete"):
                cosines = self.semantic.score(meaning, words.ids)
        return Candidates(
            query=query,
            reading=reading,
            words=words,
            titles=titles[self._catalogue.columns.rows_of(words.ids)],
            found=np.isin(words.ids, found),
            cosines=cosines,
            meant=meant,
            meaning=meaning,
            name=self._catalogue.person_in(reading.typed) if query.mode == "hybrid" else None,
            degraded=degraded,
        )

    def _keyword_list(
        self, reading: ParsedQuery, query: SearchQuery, watch: Stopwatch
    ) -> tuple[Ranking, float, bool]:
        """Return the list, the attainable score, and whether every film with a word is listed.

        A film that the catalogue does not know is of a generation to come or gone: Elasticsearch
        holds those too while one is published.
        """
        with watch.stage("keyword"):
            found = self.lexical.search(reading.wording, query.filters, self._depth)
            known = self._catalogue.columns.rows_of(found.ids) >= 0
            ranking = Ranking(found.ids[known], found.scores[known])
            return ranking, self.lexical.attainable(reading.wording), len(found) < self._depth

    def _titled(self, shares: Scores, query: SearchQuery) -> Ranking:
        """Return the films of the nearest titles that the filters allow."""
        near = shares > 0
        if query.filters:
            near &= self._catalogue.columns.allowed(query.filters)
        places = np.flatnonzero(near)
        return Ranking.sorted(self._catalogue.columns.ids[places], shares[places], self._depth)

    def _semantic_list(
        self, reading: ParsedQuery, query: SearchQuery, watch: Stopwatch
    ) -> tuple[QueryVector, Ranking]:
        with watch.stage("encode"):
            vector = self._encoder.encode([reading.typed])[0]
        tells_a_plot = len(reading.typed.split()) >= PLOT_WORDS
        meaning = QueryVector(vector, PLOT_SENTENCES if tells_a_plot else ONE_SENTENCE)
        with watch.stage("semantic"):
            return meaning, self.semantic.search(meaning, query.filters, self._depth)

    def _completed(
        self,
        reading: ParsedQuery,
        worded: Ranking,
        bound: float,
        whole: bool,
        others: Ids,
        also: Ids,
    ) -> KeywordScores:
        """Return the BM25 of every candidate: outside the list is not without a score."""
        ids = np.union1d(worded.ids, others)
        bm25 = np.zeros(len(ids), np.float64)
        bm25[np.searchsorted(ids, worded.ids)] = worded.scores
        # A whole list holds every film that holds a word and passes the filters.
        if not whole or len(also):
            unlisted = worded.ranks_of(ids) == 0
            bm25[unlisted] = self.lexical.score(reading.wording, ids[unlisted])
        return KeywordScores(ids, bm25, bm25 / bound if bound else bm25, known=bound > 0)


def _union(*lists: Ids) -> Ids:
    union: Ids = np.unique(np.concatenate(lists))
    return union
