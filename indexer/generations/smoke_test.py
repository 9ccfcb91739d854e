"""A finished generation opened as a reader would open it, before anybody can."""

from contextlib import closing

import numpy as np

from hybrid.engines.factory import open_semantic, open_sentences
from hybrid.engines.protocols import SemanticEngine
from hybrid.errors import BuildFailed
from hybrid.query import Filters
from hybrid.ranking import Ids
from hybrid.storage import generation as files
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.generation import Generation
from hybrid.storage.sentence_vectors import SentenceVectors
from hybrid.vectors import QueryVector

DEPTH = 200
"""Films asked for: an approximate index finds what it holds among so many."""

PROBED = 20
"""Films of which a sentence is searched for."""


def probe(generation: Generation) -> None:
    """Return if the stores hold the same films and find them; raise BuildFailed if they do not.

    The keyword side counts its films when it is written.
    """
    manifest = generation.manifest
    with closing(Catalogue(generation.file(files.CATALOGUE))) as catalogue:
        sentences = open_sentences(generation, catalogue)
        if catalogue.columns.ids_sha256 != manifest.ids_sha256:
            raise BuildFailed("the catalogue holds other films than those written to it")
        if sentences.total() != manifest.counts.sentences:
            raise BuildFailed(
                f"{manifest.counts.sentences} sentences were written, {sentences.total()} are there"
            )
        _find(open_semantic(generation, catalogue), sentences, catalogue.columns.ids)


def _find(engine: SemanticEngine, sentences: SentenceVectors, ids: Ids) -> None:
    """Search for the first sentences of some films: most must be found by them.

    Not all, as an approximate index may miss one that is unlike all that it was trained on.
    """
    places = np.flatnonzero(sentences.counts)
    chosen = places[np.linspace(0, len(places) - 1, min(PROBED, len(places)), dtype=int)]
    missed = [int(ids[place]) for place in chosen if not _finds(engine, sentences, ids, place)]
    if 2 * len(missed) > len(chosen):
        raise BuildFailed(f"films are not found by their first sentences: {missed}")


def _finds(engine: SemanticEngine, sentences: SentenceVectors, ids: Ids, place: int) -> bool:
    meaning = QueryVector(sentences.vectors(sentences.firsts[[place]])[0])
    found = engine.search(meaning, Filters(), DEPTH)
    return len(found) > 0 and bool(found.scores[0] >= engine.score(meaning, ids[[place]])[0])
