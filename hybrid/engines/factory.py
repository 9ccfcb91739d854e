"""Opens the engines of a generation. Only this module names concrete engines.

Elasticsearch's client takes longer to import than the embedded engine takes to answer a query, so
it is imported only where it is needed.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from hybrid.engines.lexical import tantivy
from hybrid.engines.lexical.tantivy import TantivyEngine
from hybrid.engines.lexical.tantivy_writer import TantivyWriter
from hybrid.engines.lexical.writer_protocol import LexicalWriter
from hybrid.engines.protocols import Encoder, LexicalEngine, SemanticEngine
from hybrid.engines.semantic.encoder import (
    ENCODER_FOLDER,
    MEAN_FILE,
    MODEL_FILES,
    CachedEncoder,
    OnnxEncoder,
    folder_of,
    prompted,
)
from hybrid.engines.semantic.exact import ExactEngine
from hybrid.engines.semantic.ivfpq import IvfPqEngine, Unindexed, map_index
from hybrid.engines.semantic.side_by_side import Share, side_by_side
from hybrid.errors import GenerationUnusable, InvalidInput
from hybrid.settings import Precision, Settings
from hybrid.storage import generation as files
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.generation import UNFINISHED, Generation, piece_file
from hybrid.storage.manifest import LexicalName, ModelName
from hybrid.storage.sentence_vectors import SentenceVectors, read_sentences

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch


Role = Literal["query", "document"]
"""What is embedded; a model may have another prompt for each."""


class EncoderCache:
    """Opens the models of generations, and keeps what it opened last.

    Most generations share their models, and so the vectors of queries. Where queries are embedded
    in int8, the model of the films is opened by the first change of a film.
    """

    def __init__(self) -> None:
        self._opened: dict[frozenset[str], Encoder] = {}
        self._queries: tuple[object, CachedEncoder] | None = None

    def of_queries(self, generation: Generation) -> Encoder:
        """Return the model that embeds queries, which caches their vectors."""
        models, files = generation.manifest.models, generation.manifest.files
        own = {name: files[name] for name in files if name.startswith(f"{ENCODER_FOLDER}/")}
        if self._queries is None or self._queries[0] != (models, own):
            opened = self._open(generation, models[0].queries.precision)
            joined = _joined(generation.folder, models, opened, "query")
            self._queries = (models, own), CachedEncoder(joined)
        return self._queries[1]

    def of_films(self, generation: Generation) -> Encoder:
        """Return the model that embeds films."""
        models = generation.manifest.models
        opened = self._open(generation, "float32")
        return _joined(generation.folder, models, opened, "document")

    def _open(self, generation: Generation, precision: Precision) -> list[Encoder]:
        files = generation.manifest.files
        digests = {digest.sha256 for digest in files.values()}
        found = []
        for number in range(len(generation.manifest.models)):
            graph = f"{folder_of(number)}/{MODEL_FILES[precision]}"
            model = frozenset(files[name].sha256 for name in files if name.startswith(graph))
            if model not in self._opened:
                opened = OnnxEncoder(generation.file(folder_of(number)), precision)
                kept = {key: value for key, value in self._opened.items() if key <= digests}
                self._opened = kept | {model: opened}
            found.append(self._opened[model])
        return found


def open_encoder(generation: Generation) -> Encoder:
    """Return the model that embedded the films of the generation."""
    return encoder_in(generation.folder, generation.manifest.models, "float32", "document")


def open_query_encoder(generation: Generation) -> Encoder:
    """Return the model that embeds the queries of the generation."""
    models = generation.manifest.models
    return encoder_in(generation.folder, models, models[0].queries.precision, "query")


def open_original_encoder(generation: Generation) -> Encoder:
    """Return the model that would embed the queries of the generation in float32."""
    return encoder_in(generation.folder, generation.manifest.models, "float32", "query")


def encoder_in(
    folder: Path, models: Sequence[ModelName], precision: Precision, role: Role
) -> Encoder:
    """Return the models of the generation in `folder` as one, in this precision."""
    opened = [OnnxEncoder(folder / folder_of(n), precision) for n in range(len(models))]
    return _joined(folder, models, opened, role)


def shares_of(folder: Path, models: Sequence[ModelName]) -> list[Share]:
    """Return what becomes of each model's vectors in those of the generation in `folder`."""
    means = [
        np.load(folder / folder_of(number) / MEAN_FILE) if model.centred else None
        for number, model in enumerate(models)
    ]
    return [Share(model.weight, mean) for model, mean in zip(models, means, strict=True)]


def _joined(
    folder: Path, models: Sequence[ModelName], opened: Sequence[Encoder], role: Role
) -> Encoder:
    prompts = [getattr(model.prompts, role) for model in models]
    return side_by_side(list(map(prompted, opened, prompts)), shares_of(folder, models))


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
    """Return the vectors of the catalogue's films.

    Raises GenerationUnusable if any is missing, or they cannot be those of the models.
    """
    manifest = generation.manifest
    pieces = [generation.file(piece_file(number)) for number in manifest.pieces]
    found = read_sentences(pieces, generation.file(files.DELTA_VECTORS), catalogue.sentences)
    dimension = sum(model.dimension for model in manifest.models)  # 0 if nothing was embedded
    if dimension and any(piece.shape[1] != dimension for piece in found.pieces):
        raise GenerationUnusable(
            f"the vectors of generation {manifest.name} are not those of its models, which have "
            f"{dimension} dimensions: build the index again"
        )
    return found


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
