"""Opening a finished generation as readers will, before it is published."""

from collections.abc import Callable
from contextlib import closing

import numpy as np

from hybrid.engines.factory import open_semantic, open_sentences
from hybrid.engines.semantic.exact import ExactEngine
from hybrid.errors import BuildFailed
from hybrid.query import Filters
from hybrid.ranking import Ranking
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.filter_columns import ids_sha256
from hybrid.storage.generation import DELTA_VECTORS, Generation
from hybrid.storage.manifest import Delta
from hybrid.storage.rows import Rows
from hybrid.storage.sentence_vectors import SentenceVectors, read_vectors
from hybrid.vectors import QueryVector

DEPTH = 200
"""Films asked for: enough for an approximate index to find what it holds."""

PROBED, PROBED_OF_DELTA = 20, 3
"""Number of films whose first sentences are searched for: of a new base, and of a delta."""


def probe(generation: Generation) -> None:
    """Raise BuildFailed unless the stores hold the same films and find them.

    The keyword writer has counted its films already. Of a generation with films in its delta only
    those are searched for: its base was tried when it was published, and is checked by its digests.
    """
    manifest = generation.manifest
    with closing(Catalogue(generation.folder)) as catalogue:
        if manifest.delta != Delta():
            _probe_delta(generation, catalogue)
            return
        sentences = open_sentences(generation, catalogue)
        if sentences.total() != manifest.counts.sentences:
            raise BuildFailed(
                f"{manifest.counts.sentences} sentences were written, {sentences.total()} are there"
            )
        exact = ExactEngine(sentences, catalogue.columns)
        if ids_sha256(catalogue.base.ids) != manifest.ids_sha256:
            raise BuildFailed("the catalogue holds other films than those written to it")
        engine = open_semantic(generation, catalogue)
        some = _spread(np.flatnonzero(sentences.counts), PROBED)
        _find(lambda vector: engine.search(vector, Filters(), DEPTH), exact, some)


def _probe_delta(generation: Generation, catalogue: Catalogue) -> None:
    """Raise BuildFailed unless catalogue and vectors of the delta have the same films."""
    delta, file = catalogue.delta, generation.file(DELTA_VECTORS)
    vectors = read_vectors(file) if file.exists() else np.empty((0, 0), np.float32)
    if Delta(films=len(delta.ids), outdated=len(delta.outdated)) != generation.manifest.delta:
        raise BuildFailed("the delta holds other films than those written to it")
    if len(vectors) != delta.counts.sum():
        raise BuildFailed(
            f"{delta.counts.sum()} sentences of the delta were written, {len(vectors)} are there"
        )
    sentences = SentenceVectors.contiguous(vectors, delta.counts)
    exact = ExactEngine(sentences, catalogue.columns_of("delta.movies"))
    rows = exact.with_vector(np.arange(len(delta.ids)))
    some = _spread(rows, PROBED_OF_DELTA)
    _find(lambda vector: exact.rank(vector, rows, DEPTH), exact, some)


def _spread(rows: Rows, number: int) -> Rows:
    """Return so many of the rows, far from each other, or all if there are fewer."""
    return rows[np.linspace(0, len(rows) - 1, min(number, len(rows)), dtype=int)]


def _find(search: Callable[[QueryVector], Ranking], exact: ExactEngine, rows: Rows) -> None:
    """Search for the first sentences of these films: most must be found by them.

    Not all, as an approximate index may miss one that is unlike those it was trained on.
    """
    missed = [int(exact.columns.ids[row]) for row in rows if not _finds(search, exact, row)]
    if 2 * len(missed) > len(rows):
        raise BuildFailed(f"films are not found by their first sentences: {missed}")


def _finds(search: Callable[[QueryVector], Ranking], exact: ExactEngine, row: int) -> bool:
    sentences = exact.sentences
    vector = QueryVector(sentences.vectors(sentences.firsts[[row]])[0])
    found, score = search(vector), exact.score(vector, exact.columns.ids[[row]])[0]
    return len(found) > 0 and bool(found.scores[0] >= score)
