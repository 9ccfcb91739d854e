"""A new index of a file of films: read, clean, cut into sentences, embed, write, publish."""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np

from hybrid.bounds import MAX_SENTENCES
from hybrid.engines.factory import open_query_encoder, open_semantic
from hybrid.engines.lexical.writer_protocol import LexicalWriter
from hybrid.engines.protocols import Engines, LexicalEngine
from hybrid.engines.semantic.encoder import MEAN_FILE, folder_of
from hybrid.engines.semantic.side_by_side import Share
from hybrid.errors import BuildFailed, GenerationUnusable
from hybrid.fusion import preferences
from hybrid.fusion.preferences import Preferences
from hybrid.monitoring.stopwatch import Stopwatch
from hybrid.movie import Movie, hash_number
from hybrid.ranking import Ids
from hybrid.retrieval.duplicates import write_duplicates
from hybrid.retrieval.suggestions import write_suggestions
from hybrid.retrieval.titles import write_titles
from hybrid.search import HybridSearch
from hybrid.settings import Precision
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.catalogue_schema import Spans
from hybrid.storage.catalogue_writer import write_catalogue
from hybrid.storage.filter_columns import ids_sha256
from hybrid.storage.generation import (
    CURRENT,
    DELTA_VECTORS,
    RECORDS,
    REJECTS,
    Generation,
    open_current,
    open_described,
    piece_file,
    published,
    shared_digests,
)
from hybrid.storage.manifest import Delta, Lexical, Manifest, ModelName, Prompts, QueryEncoder
from hybrid.storage.sentence_vectors import read_sentences
from hybrid.terminal.progress import counter, stage, tally
from hybrid.text.sentences import sentence_spans
from indexer.embedding.cache import CACHE, count_build, note_leaving
from indexer.embedding.centring import CENTRING_SAMPLE, mean_to_subtract
from indexer.embedding.embed import (
    NO_EMBEDDING,
    EmbeddingStats,
    WeightedModel,
    embed,
    vectors_of,
)
from indexer.embedding.export import CHECKED_TEXTS, EXPORT
from indexer.embedding.model import Model, NamedModel
from indexer.films.clean import CleanedBatch, Outcome, total
from indexer.films.film_file import FileOptions, SourceFile, film_batches, source_file
from indexer.films.sentences import StoredSentences
from indexer.generations.cleanup import recover
from indexer.generations.draft import Draft, draft_generation
from indexer.generations.lock import writer_lock
from indexer.generations.manifest import BaseStore, Stores, build_manifest, catalogue_stats
from indexer.generations.publish import Digests
from indexer.known_records import RecordRows, SourceRecords
from indexer.match_thresholds import calibrate
from indexer.query_encoder import compare_encoders
from indexer.semantic_index.train import write_semantic
from indexer.semantic_index.update import SemanticSide
from indexer.semantic_index.vector_files import Pieces
from indexer.update import changed_by_hand

SHOWN = 500
"""Films after which the progress is shown again."""

DEPTH = 200
"""Films of each engine's list, of which thresholds need the first."""


@dataclass(frozen=True)
class BuildOptions:
    """How a file is built.

    `mapping` names the columns of a file in a format of its own; `limit` is the maximum number of
    records to read; `name` is recorded instead of the file's own; `discard_changes` allows to undo
    changes made by hand; `quiet` hides the progress bar; `max_sentences` of a description are kept;
    `encoder` is the precision in which queries are embedded; `beside` are models beside the first;
    `lexical_of` opens the keyword engine that was written, to measure what really matches.
    """

    mapping: Path | None = None
    limit: int | None = None
    name: str | None = None
    discard_changes: bool = False
    quiet: bool = False
    max_sentences: int = MAX_SENTENCES
    encoder: Precision = "float32"
    beside: tuple[NamedModel, ...] = ()
    lexical_of: Callable[[Generation], LexicalEngine] | None = None

    @property
    def file(self) -> FileOptions:
        """How the file is read."""
        return FileOptions(self.mapping, self.limit, self.name, self.max_sentences)


DEFAULTS = BuildOptions()


@dataclass(frozen=True)
class BuildResult:
    """The published manifest, its folder, and how it came about.

    `discarded` is the number of films of the index before that had been changed by hand.
    """

    manifest: Manifest
    folder: Path
    embedded: EmbeddingStats
    cleaned: Outcome
    seconds: dict[str, float]
    discarded: int
    warnings: list[str]


def build(
    source: Path,
    data: Path,
    model_name: str,
    model: Model,
    writer_in: Callable[[Path, str], LexicalWriter],
    options: BuildOptions = DEFAULTS,
) -> BuildResult:
    """Index the films of `source` into a new generation of `data` and publish it.

    `model_name` is recorded in the manifest; `writer_in` takes the generation's folder and the name
    of the deployment. Raises NotDurable if the build is published but may be lost in a power cut,
    another HybridError or OSError if it is not.
    """
    watch = Stopwatch()
    with writer_lock(data):
        recover(data)
        discarded = _hand_changes(data, options.discard_changes)
        before = _undamaged(data)
        batches = film_batches(source, options.file)
        with watch.stage("read"):
            first = next(batches)  # what is wrong with the beginning is said before all else
        with draft_generation(data, writer_in) as draft:
            with watch.stage("read"):
                file = _write_films(draft, source, chain([first], batches), options)
            models = NamedModel(model_name, model), *options.beside
            written = _write_stores(draft, before, models, options, watch)
            with watch.stage("publish"):
                manifest = build_manifest(draft.name, file, written.models, written.stores)
            with watch.stage("calibrate"), stage("measuring what really matches", options.quiet):
                manifest = _calibrated(draft, manifest, model, options)
            with watch.stage("publish"):
                generation = draft.commit(manifest, written.digests)
        with watch.stage("tidy"):
            warnings = [*draft.tidy(), *_preferences_of_others(data, before, written.models)]
    return BuildResult(
        generation.manifest,
        generation.folder,
        written.embedded,
        file.cleaned,
        watch.seconds,
        discarded,
        warnings,
    )


def _hand_changes(data: Path, discard: bool) -> int:
    """Return how many films of the published index were changed by hand, 0 if that is unknown.

    Raises BuildFailed if there are any, or may be, unless the build may `discard` these changes.
    """
    try:
        films = open_described(data, published(data)[0]).manifest.counts.hand_changes
    except GenerationUnusable as error:
        if discard or not (data / CURRENT).exists():
            return 0
        raise BuildFailed(
            f"{error.message}. Whether films were changed by hand cannot be read from it, and a "
            "build starts anew: add --discard-changes, or go back with `python -m indexer rollback`"
        ) from error
    if films and not discard:
        raise BuildFailed(
            f"{changed_by_hand(films)}, and a build starts anew: keep these changes with "
            "`python -m indexer update SOURCE --keep-changes`, or add --discard-changes"
        )
    return films


@dataclass(frozen=True)
class _Written:
    """The stores of a draft, its models, what was embedded, and the digests of files known."""

    stores: Stores
    models: tuple[ModelName, ...]
    embedded: EmbeddingStats
    digests: Digests


def _write_films(
    draft: Draft, source: Path, batches: Iterable[CleanedBatch], options: BuildOptions
) -> SourceFile:
    """Write the catalogue while the source is read, and the rejects."""
    outcomes: list[Outcome] = []
    rows: list[RecordRows] = []
    ids: list[Ids] = []

    def films(advance: Callable[[int], None]) -> Iterator[tuple[Movie, Spans]]:
        for batch in batches:
            outcomes.append(batch.outcome())
            rows.append(batch.rows)
            ids.append(batch.ids)
            yield from ((movie, sentence_spans(movie.description or "")) for movie in batch.movies)
            advance(batch.records)

    with tally(f"reading {source.name}", "records", options.quiet) as advance:
        written = write_catalogue(draft.folder, films(advance))
    file = source_file(source, options.file, total(outcomes), written)
    file.write_rejects(draft.file(REJECTS))
    contents = _contents(draft, ids)
    SourceRecords(np.concatenate(rows), np.concatenate(ids), contents).write(draft.file(RECORDS))
    return file


def _contents(draft: Draft, batches: Iterable[Ids]) -> Ids:
    """Return the `content_number` of each film of the catalogue, batch after batch."""
    numbers = array("q")
    with closing(Catalogue(draft.folder)) as catalogue:
        for ids in batches:
            contents = catalogue.some_contents(ids.tolist())
            numbers.extend(hash_number(contents[film]) for film in ids.tolist())
    return np.array(numbers, np.int64)


def _write_stores(
    draft: Draft,
    before: Generation | None,
    models: Sequence[NamedModel],
    options: BuildOptions,
    watch: Stopwatch,
) -> _Written:
    """Write all stores of the films that are in the catalogue."""
    with closing(Catalogue(draft.folder)) as catalogue:
        texts = StoredSentences(catalogue)
        # First, as a model that cannot be exported must not cost an hour of embedding.
        with watch.stage("export model"), stage("exporting the model", options.quiet):
            shared = _export(draft, before, models, texts, options.encoder)
        with watch.stage("embed"):
            used, embedded = _embed(draft, before, texts, models, options)
        with watch.stage("keyword"):
            lexical = _lexical(draft, catalogue, options.quiet)
        with watch.stage("semantic"), stage("indexing titles and sentences", options.quiet):
            side = _semantic(draft, catalogue)
        with watch.stage("compare encoders"):
            queries = compare_encoders(draft.folder, side.pieces.numbers, used)
        used = tuple(model.model_copy(update={"queries": queries}) for model in used)
        stats, ids = catalogue_stats(catalogue), catalogue.columns.ids
    base = BaseStore(ids_sha256(ids), side.semantic, side.pieces.numbers)
    stores = Stores(stats, Delta(), base, lexical)
    return _Written(stores, used, embedded, {**shared, **side.written})


def _calibrated(draft: Draft, manifest: Manifest, model: Model, options: BuildOptions) -> Manifest:
    """Return the manifest with the thresholds below which nothing really matches."""
    if options.lexical_of is None:
        return manifest
    generation = Generation(draft.folder, manifest)
    used = manifest.model
    # A model that embeds queries as it embeds films is in memory already.
    alike = not manifest.beside and not used.centred and used.prompts == Prompts()
    encoder = model if alike else open_query_encoder(generation)
    with closing(Catalogue(draft.folder)) as catalogue:
        engines = Engines(
            options.lexical_of(generation), open_semantic(generation, catalogue), encoder
        )
        search = HybridSearch(manifest.name, catalogue, engines, DEPTH, Preferences(), 60.0)
        with closing(search):
            return manifest.model_copy(update={"match": calibrate(search)})


def _undamaged(data: Path) -> Generation | None:
    """Return the published generation, None if there is none or it is damaged."""
    try:
        return open_current(data)
    except GenerationUnusable:
        return None


def _preferences_of_others(
    data: Path, before: Generation | None, models: Sequence[ModelName]
) -> list[str]:
    """Return a warning if the data folder's preferences are from an index of other models."""
    file = data / preferences.FILE
    if before is None or not file.exists():
        return []
    weights = [
        [(model.fingerprint, model.weight) for model in some]
        for some in (before.manifest.models, models)
    ]
    if weights[0] == weights[1]:
        return []
    return [
        f"{file} was made for an index of other models, whose cosines mean something else: "
        "`python -m hybrid tune` learns it again, and without the file the defaults hold"
    ]


def _embed(
    draft: Draft,
    before: Generation | None,
    texts: StoredSentences,
    models: Sequence[NamedModel],
    options: BuildOptions,
) -> tuple[tuple[ModelName, ...], EmbeddingStats]:
    """Write the vectors of the texts, and note in the cache that those `before` were needed."""
    cache = draft.data / CACHE
    if before:
        with closing(Catalogue(before.folder)) as catalogue:
            for model in before.manifest.models:
                note_leaving(cache, model.fingerprint, catalogue.all_sentences())
    count_build(cache)
    sample = texts.sample(CENTRING_SAMPLE)
    used, shares, encoded = [], [], 0
    for number, chosen in enumerate(models):
        vectors, new = vectors_of(sample, chosen.model, cache, options.quiet)
        encoded += new
        mean = mean_to_subtract(vectors)
        if mean is not None:
            np.save(draft.file(f"{folder_of(number)}/{MEAN_FILE}"), mean)
        shares.append(Share(chosen.weight, mean))
        used.append(_described(chosen, vectors.shape[1], mean is not None, options.encoder))
    if not sample:
        return tuple(used), NO_EMBEDDING
    weighted = [WeightedModel(one.model, share) for one, share in zip(models, shares, strict=True)]
    embedded = embed(texts, weighted, cache, draft.file(piece_file(0)), options.quiet)
    return tuple(used), replace(embedded, encoded=embedded.encoded + encoded)


def _described(
    chosen: NamedModel, dimension: int, centred: bool, precision: Precision
) -> ModelName:
    return ModelName(
        name=chosen.name,
        fingerprint=chosen.model.fingerprint,
        dimension=dimension,
        export=EXPORT,
        queries=QueryEncoder(precision=precision),
        prompts=chosen.model.prompts,
        weight=chosen.weight,
        centred=centred,
    )


def _export(
    draft: Draft,
    before: Generation | None,
    models: Sequence[NamedModel],
    texts: StoredSentences,
    precision: Precision,
) -> Digests:
    """Export the models, or link the exports of the generation `before` of those that are the same.

    Returns the digests of the files that were linked.
    """
    known = before.manifest.models if before else ()
    exports = [(model.fingerprint, model.export) for model in known]
    shared: Digests = {}
    for number, chosen in enumerate(models):
        export = chosen.model.fingerprint, EXPORT
        same = exports.index(export) if export in exports else None
        if before and same is not None and draft.share_model(before, same, precision, number):
            shared = shared_digests(before)
        else:
            folder = draft.file(folder_of(number))
            chosen.model.export(folder, texts.sample(CHECKED_TEXTS), precision)
    return shared


def _lexical(draft: Draft, catalogue: Catalogue, quiet: bool) -> Lexical:
    """Write the keyword index of the catalogue."""
    total = len(catalogue)

    def films(advance: Callable[[int], None]) -> Iterator[Movie]:
        for number, movie in enumerate(catalogue.all_films(), 1):
            yield movie
            if number % SHOWN == 0 or number == total:
                advance((number - 1) % SHOWN + 1)

    with counter(total, "indexing words of", "films", hidden=quiet) as advance:
        return draft.writer.write(films(advance), (), total)


def _semantic(draft: Draft, catalogue: Catalogue) -> SemanticSide:
    """Write titles and semantic index of the catalogue."""
    sentences = int(catalogue.sentences.counts.sum())
    pieces = Pieces((0,) if sentences else (), catalogue.sentences.firsts)
    files = [draft.file(piece_file(number)) for number in pieces.numbers]
    vectors = read_sentences(files, draft.file(DELTA_VECTORS), catalogue.sentences)
    write_titles(catalogue)
    write_duplicates(catalogue)
    write_suggestions(catalogue)
    semantic, written = write_semantic(draft.folder, vectors, catalogue.columns)
    return SemanticSide(semantic, pieces, written)
