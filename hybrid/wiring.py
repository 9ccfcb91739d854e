"""The one place that names concrete engines.

Elasticsearch's client takes longer to import than the embedded engine to answer: it is imported
where it is needed.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from hybrid import encoder
from hybrid import generation as files
from hybrid.encoder import OnnxEncoder
from hybrid.engines import tantivy
from hybrid.engines.catalogue import Catalogue
from hybrid.engines.exact import ExactEngine, SentenceVectors, read_vectors
from hybrid.engines.ivfpq import IvfPqEngine, read_index
from hybrid.engines.protocols import LexicalEngine, LexicalWriter, SemanticEngine
from hybrid.engines.tantivy import TantivyEngine, TantivyWriter
from hybrid.errors import InvalidInput
from hybrid.generation import UNFINISHED, Generation, LexicalName, open_current
from hybrid.preferences import Preferences
from hybrid.search import HybridSearch
from hybrid.settings import Settings

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch


def open_search(settings: Settings) -> HybridSearch:
    """Return a search over the published generation.

    Raises GenerationUnusable where there is none or it is damaged. Elasticsearch may be away: a
    query will tell.
    """
    generation = open_current(settings.data)
    catalogue = Catalogue(generation.file(files.CATALOGUE))
    return HybridSearch(
        generation.manifest.name,
        catalogue,
        open_lexical(generation, settings),
        open_semantic(generation, catalogue),
        OnnxEncoder(generation.file(encoder.FOLDER)),
        settings.depth,
        Preferences.load(settings.data),
    )


def open_lexical(generation: Generation, settings: Settings) -> LexicalEngine:
    """Return the keyword engine that the generation was written for."""
    lexical = generation.manifest.lexical
    if lexical.engine == "embedded":
        return TantivyEngine(generation.file(tantivy.FOLDER))
    from hybrid.engines.elasticsearch import ElasticsearchEngine

    return ElasticsearchEngine(elasticsearch(settings), lexical.index)


def open_semantic(generation: Generation, catalogue: Catalogue) -> SemanticEngine:
    """Return the semantic engine that the generation was written for."""
    vectors = read_vectors(generation.file(files.VECTORS))
    exact = ExactEngine(SentenceVectors(vectors, catalogue.starts), catalogue.columns)
    semantic = generation.manifest.semantic
    if semantic.engine == "exact" or semantic.nprobe is None:
        return exact
    return IvfPqEngine(read_index(generation.file(files.FAISS_INDEX)), semantic.nprobe, exact)


def elasticsearch(settings: Settings) -> "Elasticsearch":
    """Return a client for the cluster of the settings. Raises InvalidInput without its address."""
    from hybrid.engines.elasticsearch import connect

    if settings.elasticsearch_url is None:
        raise InvalidInput(
            "the keyword engine is Elasticsearch: tell where it is, by --elasticsearch-url or "
            "HYBRID_ELASTICSEARCH_URL",
            {"elasticsearch_url": "is missing"},
        )
    key = settings.elasticsearch_api_key
    return connect(
        settings.elasticsearch_url,
        key.get_secret_value() if key else None,
        settings.elasticsearch_timeout,
    )


def lexical_writer(
    settings: Settings, engine: LexicalName, folder: Path, deployment: str
) -> LexicalWriter:
    """Return the writer of the keyword side of the generation that is made in `folder`."""
    if engine == "embedded":
        return TantivyWriter(folder)
    from hybrid.engines.elasticsearch import ElasticsearchWriter

    return ElasticsearchWriter(
        elasticsearch(settings),
        settings.elasticsearch_prefix,
        folder.name.removesuffix(UNFINISHED),
        deployment,
        settings.elasticsearch_shards,
    )
