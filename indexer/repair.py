"""Both engines written again from the catalogue, into a new generation."""

from contextlib import closing
from pathlib import Path

from hybrid.engines.semantic import encoder
from hybrid.errors import GenerationUnusable
from hybrid.storage import generation as files
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.catalogue_changes import move
from hybrid.storage.catalogue_writer import writing
from hybrid.storage.generation import (
    Generation,
    damaged_files,
    open_described,
    piece_file,
    published,
    shared_digests,
)
from hybrid.storage.manifest import Manifest
from indexer.backends import Backends
from indexer.embedding.cache import CACHE
from indexer.embedding.embed import ExportedModel, embed
from indexer.films.sentences import sentence_texts
from indexer.generations.cleanup import recover, tidy
from indexer.generations.lock import PATIENCE, deployment_id, writer_lock
from indexer.generations.manifest import catalogue_stats, described
from indexer.generations.publish import file_digests, publish
from indexer.generations.smoke_test import probe
from indexer.generations.staging import create_draft_folder, link, nothing_stays, share
from indexer.semantic_index.update import train_anew

NEEDED = (files.CATALOGUE, f"{encoder.ENCODER_FOLDER}/")
"""How the names of the files begin that nothing else can stand in for."""


def repair(data: Path, tools: Backends, embed_again: bool) -> tuple[Manifest, list[str]]:
    """Publish a generation whose keyword side and index are made anew; return it and warnings.

    Vectors are taken over, unless their files are damaged. With `embed_again` they are wrong, and
    so is the cache that they came from. Raises GenerationUnusable where the catalogue or the model
    is damaged.
    """
    with writer_lock(data, PATIENCE):
        recover(data)
        before = open_described(data, published(data)[0])
        damaged = damaged_files(before)
        lost = [name for name in damaged if name.startswith(NEEDED)]
        if lost:
            raise GenerationUnusable(
                f"{before.file(lost[0])} is damaged, and nothing can stand in for it: build the "
                "index again, or `python -m indexer rollback` if the generation before is whole"
            )
        engine = before.manifest.lexical.engine
        folder = create_draft_folder(data)
        writer = tools.writer_in(engine, folder, deployment_id(data))
        with nothing_stays(folder, writer):
            writer.create()
            share(before, folder)
            if files.REJECTS in damaged:
                (folder / files.REJECTS).touch()
            else:
                link(before.file(files.REJECTS), folder / files.REJECTS)
            with closing(Catalogue(before.file(files.CATALOGUE))) as catalogue:
                writer.write(list(catalogue.all_films()))
                vectors_lost = any(name.startswith(files.PIECES) for name in damaged)
                if embed_again or vectors_lost:
                    pieces = _embed_all(data, folder, before, catalogue, tools, embed_again)
                else:
                    pieces = _link_pieces(folder, before)
            side = train_anew(folder, pieces)
            with closing(Catalogue(folder / files.CATALOGUE)) as catalogue:
                held = catalogue_stats(catalogue)
            digests = file_digests(folder, {**shared_digests(before), **side.written})
            manifest = described(folder, before, held, writer, side, None, digests)
            probe(Generation(folder, manifest))
            publish(data, folder, manifest)
        return manifest, tidy(data, writer)


def _link_pieces(folder: Path, before: Generation) -> tuple[int, ...]:
    for number in before.manifest.pieces:
        link(before.file(piece_file(number)), folder / piece_file(number))
    return before.manifest.pieces


def _embed_all(
    data: Path, folder: Path, before: Generation, catalogue: Catalogue, tools: Backends, anew: bool
) -> tuple[int, ...]:
    """Write the vectors of all sentences into one piece, and where they lie; `anew` without what
    the cache has."""
    texts: list[str] = []
    rows: dict[int, int] = {}
    for found in catalogue.all_with_sentences():
        rows[found.movie.id] = len(texts)
        texts += sentence_texts(found.movie, found.spans)
    model = ExportedModel(before.manifest.model.fingerprint, tools.encoder_of(before))
    if texts:
        embed(texts, model, data / CACHE, folder / piece_file(0), tools.quiet, anew=anew)
    with writing(folder / files.CATALOGUE) as connection:
        move(connection, rows, 0)
    return (0,) if texts else ()
