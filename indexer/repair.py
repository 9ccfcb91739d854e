"""Both engines written again from the catalogue, into a new generation."""

from contextlib import closing
from functools import partial
from pathlib import Path

from hybrid.engines.factory import open_sentences
from hybrid.engines.semantic.encoder import ENCODER_FOLDER
from hybrid.errors import GenerationUnusable
from hybrid.retrieval.duplicates import write_duplicates
from hybrid.retrieval.suggestions import write_suggestions
from hybrid.retrieval.titles import write_titles
from hybrid.storage.base_columns import BaseColumns
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.catalogue_writer import merge_catalogue
from hybrid.storage.filter_columns import ids_sha256
from hybrid.storage.generation import (
    CATALOGUE,
    COLUMNS,
    DELTA,
    DELTA_VECTORS,
    PIECES,
    RECORDS,
    REJECTS,
    Generation,
    damaged_files,
    open_described,
    published,
    shared_digests,
)
from hybrid.storage.manifest import Delta, Manifest
from hybrid.storage.sentence_vectors import SentenceVectors, read_vectors
from indexer.backends import Backends
from indexer.change import EMBEDDED
from indexer.embedding.cache import CACHE, drop_vectors
from indexer.embedding.embed import embed
from indexer.films.sentences import sentence_texts
from indexer.generations.cleanup import recover
from indexer.generations.draft import Draft, draft_generation
from indexer.generations.lock import PATIENCE, writer_lock
from indexer.generations.manifest import BaseStore, Stores, catalogue_stats, change_manifest
from indexer.generations.publish import Digests
from indexer.semantic_index.update import train_anew

NEEDED = (CATALOGUE, DELTA, f"{ENCODER_FOLDER}/")
"""Prefixes of the names of the files that cannot be made again from others."""

VECTORS = (PIECES, DELTA_VECTORS, COLUMNS)
"""Prefixes of the names of the files of vectors, and of that which says where each vector is."""


def repair(data: Path, backends: Backends, embed_again: bool) -> tuple[Manifest, list[str]]:
    """Publish a generation with both indices written again; return its manifest and warnings.

    Vectors are shared unless their files are damaged. With `embed_again` the vectors are wrong, and
    so is the cache that they came from. Raises GenerationUnusable if the catalogue or the model is
    damaged.
    """
    with writer_lock(data, PATIENCE):
        recover(data)
        before = open_described(data, published(data)[0])
        damaged = damaged_files(before)
        _check_needed(before, damaged)
        writer_in = partial(backends.writer_in, before.manifest.lexical.engine)
        with draft_generation(data, writer_in) as draft:
            draft.link(before, ENCODER_FOLDER)
            if REJECTS in damaged:
                draft.file(REJECTS).touch()
            else:
                draft.link(before, REJECTS)
            if RECORDS not in damaged:
                draft.share(before, RECORDS)
            with closing(Catalogue(before.folder)) as catalogue:
                movies = list(catalogue.all_films())
                lexical = draft.writer.write(movies, (), len(movies))
                if embed_again or any(name.startswith(VECTORS) for name in damaged):
                    sentences = _embed_all(draft, before, catalogue, backends, embed_again)
                else:
                    sentences = open_sentences(before, catalogue)
                base, written = _write_base(draft, catalogue, sentences)
            draft.file(EMBEDDED).unlink(missing_ok=True)
            with closing(Catalogue(draft.folder)) as catalogue:
                write_titles(catalogue)
                write_duplicates(catalogue)
                write_suggestions(catalogue)
                stores = Stores(catalogue_stats(catalogue), Delta(), base, lexical)
            manifest = change_manifest(draft.name, before.manifest, None, stores)
            generation = draft.commit(manifest, {**shared_digests(before), **written})
        return generation.manifest, draft.tidy()


def _check_needed(generation: Generation, damaged: list[str]) -> None:
    lost = [name for name in damaged if name.startswith(NEEDED)]
    if lost:
        raise GenerationUnusable(
            f"{generation.file(lost[0])} is damaged, and nothing can stand in for it: build the "
            "index again, or `python -m indexer rollback` if the generation before is whole"
        )


def _write_base(
    draft: Draft, catalogue: Catalogue, sentences: SentenceVectors
) -> tuple[BaseStore, Digests]:
    """Write a base of all films but for the titles, from what SQLite has, and from `sentences`."""
    columns = catalogue.columns_of()
    side = train_anew(draft.folder, 0, sentences, columns)
    BaseColumns(columns, side.pieces.firsts, sentences.counts).write(draft.file(COLUMNS))
    merge_catalogue(catalogue.folder, draft.folder)
    return BaseStore(ids_sha256(columns.ids), side.semantic, side.pieces.numbers), side.written


def _embed_all(
    draft: Draft, before: Generation, catalogue: Catalogue, backends: Backends, distrust_cache: bool
) -> SentenceVectors:
    """Return the vectors of all sentences, embedded once more into a file."""
    texts: list[str] = []
    for film in sorted(catalogue.all_with_sentences(), key=lambda film: film.movie.id):
        texts += sentence_texts(film.movie, film.spans)
    counts = catalogue.sentence_counts()
    if not texts:
        return SentenceVectors((), counts, counts)
    models, cache = backends.models_of(before), draft.data / CACHE
    for one in models if distrust_cache else ():
        drop_vectors(cache, one.model.fingerprint, texts)
    embed(texts, models, cache, draft.file(EMBEDDED), backends.quiet)
    return SentenceVectors.contiguous(read_vectors(draft.file(EMBEDDED)), counts)
