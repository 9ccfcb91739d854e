"""Opens the engines of a generation. Only this module names concrete engines.

Elasticsearch's client takes longer to import than the embedded engine takes to answer a query, so
it is imported only where it is needed.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from hybrid.engines.lexical import tantivy
from hybrid.engines.lexical.tantivy import TantivyEngine
from hybrid.engines.lexical.tantivy_writer import TantivyWriter
from hybrid.engines.lexical.writer_protocol import LexicalWriter
from hybrid.engines.protocols import Encoder, LexicalEngine, SemanticEngine
from hybrid.engines.semantic import encoder
from hybrid.engines.semantic.encoder import CachedEncoder, OnnxEncoder, prompted
from hybrid.engines.semantic.exact import ExactEngine
from hybrid.engines.semantic.ivfpq import IvfPqEngine, Unindexed, map_index
from hybrid.errors import GenerationUnusable, InvalidInput
from hybrid.settings import Precision, Settings
from hybrid.storage import generation as files
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.generation import UNFINISHED, Generation, piece_file
from hybrid.storage.manifest import LexicalName
from hybrid.storage.sentence_vectors import SentenceVectors, read_sentences

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch


class EncoderCache:
    """Opens the models of generations, and keeps what it opened last.

    Most generations share their models, and so the vectors of queries. Where queries are embedded
    in int8, the model of the films is opened by the first change of a film.
    """

    def __init__(self) -> None:
        self._opened: dict[frozenset[str], Encoder] = {}
        self._queries: tuple[Encoder, CachedEncoder] | None = None

    def of_queries(self, generation: Generation) -> Encoder:
        """Return the model that embeds queries, which caches their vectors."""
        model = self._open(generation, generation.manifest.model.queries.precision)
        if self._queries is None or self._queries[0] is not model:
            prompt = generation.manifest.model.prompts.query
            self._queries = model, CachedEncoder(prompted(model, prompt))
        return self._queries[1]

    def of_films(self, generation: Generation) -> Encoder:
        """Return the model that embeds films."""
        model = self._open(generation, "float32")
        return prompted(model, generation.manifest.model.prompts.document)

    def _open(self, generation: Generation, precision: Precision) -> Encoder:
        graph = f"{encoder.ENCODER_FOLDER}/{encoder.MODEL_FILES[precision]}"
        files = generation.manifest.files
        model = frozenset(files[name].sha256 for name in files if name.startswith(graph))
        if model not in self._opened:
            opened = OnnxEncoder(generation.file(encoder.ENCODER_FOLDER), precision)
            digests = {digest.sha256 for digest in files.values()}
            kept = {key: value for key, value in self._opened.items() if key <= digests}
            self._opened = kept | {model: opened}
        return self._opened[model]


def open_encoder(generation: Generation) -> Encoder:
    """Return the model that embedded the films of the generation."""
    opened = OnnxEncoder(generation.file(encoder.ENCODER_FOLDER))
    return prompted(opened, generation.manifest.model.prompts.document)


def open_query_encoder(generation: Generation) -> Encoder:
    """Return the model that embeds the queries of the generation."""
    model = generation.manifest.model
    opened = OnnxEncoder(generation.file(encoder.ENCODER_FOLDER), model.queries.precision)
    return prompted(opened, model.prompts.query)


def open_lexical(settings: Settings, generation: Generation) -> LexicalEngine:
    """Return the keyword engine that the generation was written for.

    Raises GenerationUnusable if that engine now analyses words differently.
    """
    lexical = generation.manifest.lexical
    if lexical.engine == "embedded":
        _check_analysis(generation, tantivy.ANALYSIS)
        return TantivyEngine(generation.file(tantivy.TANTIVY_FOLDER))
    from hybrid.engines.lexical.elasticsearch import INDEX_ANALYSIS, ElasticsearchEngine

    _check_analysis(generation, INDEX_ANALYSIS)
    return ElasticsearchEngine(elasticsearch(settings), lexical.index)


def _check_analysis(generation: Generation, analysis: str) -> None:
    if generation.manifest.lexical.analysis != analysis:
        raise GenerationUnusable(
            f"the keyword index of generation {generation.manifest.name} was written with another "
            "analysis of words than this version's: build the index again"
        )


def open_sentences(generation: Generation, catalogue: Catalogue) -> SentenceVectors:
    """Return the vectors of the catalogue's films. Raises GenerationUnusable if any is missing."""
    pieces = [generation.file(piece_file(number)) for number in generation.manifest.pieces]
    return read_sentences(pieces, generation.file(files.DELTA_VECTORS), catalogue.sentences)


def open_semantic(generation: Generation, catalogue: Catalogue) -> SemanticEngine:
    """Return the semantic engine that the generation was written for."""
    exact = ExactEngine(open_sentences(generation, catalogue), catalogue.columns)
    semantic = generation.manifest.semantic
    if semantic.engine == "exact" or semantic.nprobe is None:
        return exact
    index = map_index(generation.file(files.FAISS_INDEX))
    return IvfPqEngine(index, semantic.nprobe, exact, unindexed(catalogue))


def unindexed(catalogue: Catalogue) -> Unindexed:
    """Return what the FAISS index of the base does not know."""
    return Unindexed(catalogue.delta.outdated, catalogue.rows.of_delta)


def elasticsearch(settings: Settings) -> "Elasticsearch":
    """Return a client for the cluster of the settings. Raises InvalidInput without its URL."""
    from hybrid.engines.lexical.elasticsearch import connect

    if settings.elasticsearch_url is None:
        raise InvalidInput(
            "the keyword engine is Elasticsearch: set its URL with --elasticsearch-url or "
            "HYBRID_ELASTICSEARCH_URL",
            {"elasticsearch_url": "is missing"},
        )
    key = settings.elasticsearch_api_key
    return connect(
        settings.elasticsearch_url,
        key.get_secret_value() if key else None,
        settings.elasticsearch_timeout,
        settings.elasticsearch_ca,
    )


def lexical_writer(
    settings: Settings, engine: LexicalName, folder: Path, deployment: str
) -> LexicalWriter:
    """Return the writer of the keyword index of the generation that is written in `folder`."""
    if engine == "embedded":
        return TantivyWriter(folder)
    from hybrid.engines.lexical.elasticsearch_writer import ElasticsearchWriter

    return ElasticsearchWriter(
        elasticsearch(settings),
        settings.elasticsearch_prefix,
        folder.name.removesuffix(UNFINISHED),
        deployment,
        settings.elasticsearch_shards,
    )
