"""Both engines written again from the catalogue, into a new generation."""

from contextlib import closing
from pathlib import Path

from hybrid import encoder
from hybrid import generation as files
from hybrid.engines.catalogue import Catalogue, writing
from hybrid.engines.catalogue_changes import move
from hybrid.errors import GenerationUnusable
from hybrid.generation import (
    Generation,
    Manifest,
    damaged_files,
    open_described,
    piece_file,
    published,
    shared_digests,
)
from indexer import publish
from indexer.embed import CACHE, Exported, embed
from indexer.held import held_by
from indexer.making import described
from indexer.passages import sentence_texts
from indexer.probe import probe
from indexer.semantic import train_anew
from indexer.tools import Tools

NEEDED = (files.CATALOGUE, f"{encoder.FOLDER}/")
"""How the names of the files begin that nothing else can stand in for."""


def repair(data: Path, tools: Tools, embed_again: bool) -> tuple[Manifest, list[str]]:
    """Publish a generation whose keyword side and index are made anew; return it and warnings.

    Vectors are taken over, unless their files are damaged. With `embed_again` they are wrong, and
    so is the cache that they came from. Raises GenerationUnusable where the catalogue or the model
    is damaged.
    """
    with publish.only_writer(data, publish.PATIENCE):
        publish.recover(data)
        before = open_described(data, published(data)[0])
        damaged = damaged_files(before)
        lost = [name for name in damaged if name.startswith(NEEDED)]
        if lost:
            raise GenerationUnusable(
                f"{before.file(lost[0])} is damaged, and nothing can stand in for it: build the "
                "index again, or `python -m indexer rollback` if the generation before is whole"
            )
        engine = before.manifest.lexical.engine
        folder = publish.unfinished_folder(data)
        writer = tools.writer_in(engine, folder, publish.deployment_id(data))
        with publish.nothing_stays(folder, writer):
            writer.create()
            publish.share(before, folder)
            if files.REJECTS in damaged:
                (folder / files.REJECTS).touch()
            else:
                publish.link(before.file(files.REJECTS), folder / files.REJECTS)
            with closing(Catalogue(before.file(files.CATALOGUE))) as catalogue:
                writer.write(list(catalogue.all_films()))
                vectors_lost = any(name.startswith(files.PIECES) for name in damaged)
                if embed_again or vectors_lost:
                    pieces = _embed_all(data, folder, before, catalogue, tools, embed_again)
                else:
                    pieces = _link_pieces(folder, before)
            side = train_anew(folder, pieces)
            with closing(Catalogue(folder / files.CATALOGUE)) as catalogue:
                held = held_by(catalogue)
            digests = publish.digests(folder, {**shared_digests(before), **side.written})
            manifest = described(folder, before, held, writer, side, None, digests)
            probe(Generation(folder, manifest))
            publish.publish(data, folder, manifest)
        return manifest, publish.tidy(data, writer)


def _link_pieces(folder: Path, before: Generation) -> tuple[int, ...]:
    for number in before.manifest.pieces:
        publish.link(before.file(piece_file(number)), folder / piece_file(number))
    return before.manifest.pieces


def _embed_all(
    data: Path, folder: Path, before: Generation, catalogue: Catalogue, tools: Tools, anew: bool
) -> tuple[int, ...]:
    """Write the vectors of all sentences into one piece, and where they lie; `anew` without what
    the cache has."""
    texts: list[str] = []
    rows: dict[int, int] = {}
    for found in catalogue.all_with_sentences():
        rows[found.movie.id] = len(texts)
        texts += sentence_texts(found.movie, found.spans)
    model = Exported(before.manifest.model.fingerprint, tools.encoder_of(before))
    if texts:
        embed(texts, model, data / CACHE, folder / piece_file(0), tools.quiet, anew=anew)
    with writing(folder / files.CATALOGUE) as connection:
        move(connection, rows, 0)
    return (0,) if texts else ()
