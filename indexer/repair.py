"""Both engines written again from the catalogue, into a new generation."""

from contextlib import closing
from functools import partial
from pathlib import Path

from hybrid.engines.semantic.encoder import ENCODER_FOLDER
from hybrid.errors import GenerationUnusable
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.catalogue_changes import move
from hybrid.storage.catalogue_writer import writing
from hybrid.storage.generation import (
    CATALOGUE,
    PIECES,
    REJECTS,
    Generation,
    damaged_files,
    open_described,
    piece_file,
    published,
    shared_digests,
)
from hybrid.storage.manifest import Manifest
from indexer.backends import Backends
from indexer.embedding.cache import CACHE, drop_vectors
from indexer.embedding.embed import embed
from indexer.films.sentences import sentence_texts
from indexer.generations.cleanup import recover
from indexer.generations.draft import Draft, draft_generation
from indexer.generations.lock import PATIENCE, writer_lock
from indexer.generations.manifest import Stores, catalogue_stats, change_manifest
from indexer.semantic_index.update import train_anew

NEEDED = (CATALOGUE, f"{ENCODER_FOLDER}/")
"""Prefixes of the names of the files that cannot be made again from others."""


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
            draft.share(before)
            if REJECTS in damaged:
                draft.file(REJECTS).touch()
            else:
                draft.link(before, REJECTS)
            with closing(Catalogue(before.file(CATALOGUE))) as catalogue:
                movies = list(catalogue.all_films())
                lexical = draft.writer.write(movies, (), len(movies))
                if embed_again or any(name.startswith(PIECES) for name in damaged):
                    pieces = _embed_all(draft, before, catalogue, backends, embed_again)
                else:
                    pieces = _link_pieces(draft, before)
            side = train_anew(draft.folder, pieces)
            with closing(Catalogue(draft.file(CATALOGUE))) as catalogue:
                stores = Stores(catalogue_stats(catalogue), lexical, side)
            manifest = change_manifest(draft.name, before.manifest, None, stores)
            generation = draft.commit(manifest, {**shared_digests(before), **side.written})
        return generation.manifest, draft.tidy()


def _check_needed(generation: Generation, damaged: list[str]) -> None:
    lost = [name for name in damaged if name.startswith(NEEDED)]
    if lost:
        raise GenerationUnusable(
            f"{generation.file(lost[0])} is damaged, and nothing can stand in for it: build the "
            "index again, or `python -m indexer rollback` if the generation before is whole"
        )


def _link_pieces(draft: Draft, before: Generation) -> tuple[int, ...]:
    for number in before.manifest.pieces:
        draft.link(before, piece_file(number))
    return before.manifest.pieces


def _embed_all(
    draft: Draft, before: Generation, catalogue: Catalogue, backends: Backends, distrust_cache: bool
) -> tuple[int, ...]:
    """Write the vectors of all sentences into piece 0, and into the catalogue where they lie."""
    texts: list[str] = []
    rows: dict[int, int] = {}
    for film in catalogue.all_with_sentences():
        rows[film.movie.id] = len(texts)
        texts += sentence_texts(film.movie, film.spans)
    if texts:
        model, cache = backends.model_of(before), draft.data / CACHE
        if distrust_cache:
            drop_vectors(cache, model.fingerprint, texts)
        embed(texts, model, cache, draft.file(piece_file(0)), backends.quiet)
    with writing(draft.file(CATALOGUE)) as connection:
        move(connection, rows, 0)
    return (0,) if texts else ()
