"""Opening a finished generation as readers will, before it is published."""

from contextlib import closing

import numpy as np

from hybrid.engines.factory import open_semantic, open_sentences
from hybrid.engines.protocols import SemanticEngine
from hybrid.errors import BuildFailed
from hybrid.query import Filters
from hybrid.ranking import Ids
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.filter_columns import ids_sha256
from hybrid.storage.generation import Generation
from hybrid.storage.sentence_vectors import SentenceVectors
from hybrid.vectors import QueryVector

DEPTH = 200
"""Films asked for: enough for an approximate index to find what it holds."""

PROBED = 20
"""Number of films whose first sentences are searched for."""


def probe(generation: Generation) -> None:
    """Raise BuildFailed unless the stores hold the same films and find them.

    The keyword writer has counted its films already.
    """
    manifest = generation.manifest
    with closing(Catalogue(generation.folder)) as catalogue:
        sentences = open_sentences(generation, catalogue)
        if ids_sha256(catalogue.base.ids) != manifest.ids_sha256:
            raise BuildFailed("the catalogue holds other films than those written to it")
        if sentences.total() != manifest.counts.sentences:
            raise BuildFailed(
                f"{manifest.counts.sentences} sentences were written, {sentences.total()} are there"
            )
        _find(open_semantic(generation, catalogue), sentences, catalogue.columns.ids)


def _find(engine: SemanticEngine, sentences: SentenceVectors, ids: Ids) -> None:
    """Search for the first sentences of some films: most must be found by them.

    Not all, as an approximate index may miss one that is unlike those it was trained on.
    """
    rows = np.flatnonzero(sentences.counts)
    probed = rows[np.linspace(0, len(rows) - 1, min(PROBED, len(rows)), dtype=int)]
    missed = [int(ids[row]) for row in probed if not _finds(engine, sentences, ids, row)]
    if 2 * len(missed) > len(probed):
        raise BuildFailed(f"films are not found by their first sentences: {missed}")


def _finds(engine: SemanticEngine, sentences: SentenceVectors, ids: Ids, row: int) -> bool:
    vector = QueryVector(sentences.vectors(sentences.firsts[[row]])[0])
    found = engine.search(vector, Filters(), DEPTH)
    return len(found) > 0 and bool(found.scores[0] >= engine.score(vector, ids[[row]])[0])
