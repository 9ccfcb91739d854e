"""A small search over films made by a seed, without the index files of a build."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hybrid.engines.lexical.tantivy import TANTIVY_FOLDER, TantivyEngine
from hybrid.engines.lexical.tantivy_writer import TantivyWriter
from hybrid.engines.protocols import Engines, LexicalEngine
from hybrid.engines.semantic.exact import ExactEngine
from hybrid.fusion.preferences import Preferences
from hybrid.movie import Movie
from hybrid.retrieval.duplicates import write_duplicates
from hybrid.retrieval.suggestions import write_suggestions
from hybrid.retrieval.titles import write_titles
from hybrid.search import HybridSearch
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.catalogue_writer import write_catalogue
from hybrid.storage.sentence_vectors import SentenceVectors
from hybrid.text.sentences import sentence_spans
from tests.fakes import HashingEncoder


def open_small(
    folder: Path,
    movies: Sequence[Movie],
    lexical: LexicalEngine,
    depth: int = 30,
    seconds: float = 60,
) -> HybridSearch:
    """Return a search whose semantic side is exact and whose encoder hashes words."""
    spans = [sentence_spans(movie.description or "") for movie in movies]
    write_catalogue(folder, list(zip(movies, spans, strict=True)))
    catalogue = Catalogue(folder)
    write_titles(catalogue)
    write_duplicates(catalogue)
    write_suggestions(catalogue)
    encoder = HashingEncoder()
    texts = [
        (movie.description or "")[start:end]
        for movie, ranges in zip(movies, spans, strict=True)
        for start, end in ranges
    ]
    vectors = np.ascontiguousarray(encoder.encode(texts))
    exact = ExactEngine(
        SentenceVectors.contiguous(vectors, catalogue.sentences.counts), catalogue.columns
    )
    engines = Engines(lexical, exact, encoder)
    return HybridSearch("1-test", catalogue, engines, depth, Preferences(), seconds)


def open_small_embedded(folder: Path, movies: Sequence[Movie]) -> HybridSearch:
    """Return such a search on the embedded keyword engine."""
    writer = TantivyWriter(folder)
    writer.prepare(None)
    writer.write(movies, (), len(movies))
    return open_small(folder, movies, TantivyEngine(folder / TANTIVY_FOLDER))
