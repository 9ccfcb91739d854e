"""The one place that names concrete engines."""

import numpy as np
from elasticsearch import Elasticsearch

from hybrid import generation as files
from hybrid.encoder import Encoder, load_encoder
from hybrid.engines.catalogue import Catalogue
from hybrid.engines.elasticsearch import ElasticsearchEngine, ElasticsearchWriter, connect
from hybrid.engines.exact import ExactEngine, SentenceVectors
from hybrid.engines.ivfpq import IvfPqEngine, read_index
from hybrid.engines.protocols import LexicalWriter, SemanticEngine
from hybrid.errors import GenerationUnusable
from hybrid.generation import Generation, Model, open_current
from hybrid.search import HybridSearch
from hybrid.settings import Settings


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
        ElasticsearchEngine(elasticsearch(settings), generation.manifest.lexical.index),
        open_semantic(generation, catalogue),
        open_encoder(generation.manifest.model),
        settings.depth,
    )


def open_semantic(generation: Generation, catalogue: Catalogue) -> SemanticEngine:
    """Return the semantic engine that the generation was written for."""
    vectors = np.load(generation.file(files.VECTORS), mmap_mode="r")
    exact = ExactEngine(SentenceVectors(np.asarray(vectors), catalogue.starts), catalogue.columns)
    semantic = generation.manifest.semantic
    if semantic.engine == "exact" or semantic.nprobe is None:
        return exact
    return IvfPqEngine(read_index(generation.file(files.FAISS_INDEX)), semantic.nprobe, exact)


def open_encoder(model: Model) -> Encoder:
    """Return the encoder that the generation's sentences were embedded with."""
    encoder = load_encoder(model.name)
    if encoder.fingerprint != model.fingerprint:
        raise GenerationUnusable(
            f"the model {model.name} is not the one that this index was built with: "
            "install that one again, or build the index again"
        )
    return encoder


def elasticsearch(settings: Settings) -> Elasticsearch:
    """Return a client for the cluster of the settings."""
    key = settings.elasticsearch_api_key
    return connect(
        settings.elasticsearch_url,
        key.get_secret_value() if key else None,
        settings.elasticsearch_timeout,
    )


def lexical_writer(settings: Settings, generation: str, deployment: str) -> LexicalWriter:
    """Return the writer of a new generation's keyword side."""
    return ElasticsearchWriter(
        elasticsearch(settings),
        settings.elasticsearch_prefix,
        generation,
        deployment,
        settings.elasticsearch_shards,
    )
