"""The files of vectors: those of the base, called pieces, and that of the delta."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hybrid.ranking import Ids
from hybrid.storage.generation import piece_file
from hybrid.storage.rows import Mask, Rows
from hybrid.storage.sentence_vectors import SentenceVectors, read_vectors
from hybrid.vectors import Vectors

BLOCK = 10_000
"""Sentences copied at once."""


def write_npy(file: Path, rows: int, blocks: Iterable[Vectors]) -> None:
    """Write `rows` vectors that come in blocks, of which there is at least one.

    Not memory-mapped: on a full disk a write raises, but a mapping ends the process.
    """
    with file.open("wb") as out:
        for number, block in enumerate(blocks):
            if number == 0:
                shape = (rows, block.shape[1])
                header = {"descr": "<f4", "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(out, header)
            out.write(np.ascontiguousarray(block).data)


def write_films(file: Path, sentences: SentenceVectors, films: Rows) -> bool:
    """Write the vectors of these films one after the other; return whether there are any.

    Without any no file is written.
    """
    rows = sentences.sentence_rows(films)
    if len(rows):
        write_npy(file, len(rows), _blocks(sentences, rows))
    return len(rows) > 0


def _blocks(sentences: SentenceVectors, rows: Rows) -> Iterator[Vectors]:
    for start in range(0, len(rows), BLOCK):
        yield sentences.vectors(rows[start : start + BLOCK])


@dataclass(frozen=True)
class FilmVectors:
    """The films of `ids`, int64 (n,) ascending, and the numbers of their sentences, int64 (n,).

    Their vectors are one after the other in `file`, which is missing if there are none.
    """

    ids: Ids
    counts: Rows
    file: Path


def write_delta(file: Path, films: Ids, old: FilmVectors, new: FilmVectors) -> None:
    """Write the vectors of these films, which are in `new` or else in `old`, one after the other.

    Without any no file is written.
    """
    pieces = tuple(read_vectors(part.file) for part in (old, new) if part.file.exists())
    rows_of_old = len(pieces[0]) if old.file.exists() else 0
    is_new = np.isin(films, new.ids)
    firsts, counts = np.zeros((2, len(films)), np.int64)
    for part, start, here in ((old, 0, ~is_new), (new, rows_of_old, is_new)):
        rows = part.ids.searchsorted(films[here])
        counts[here] = part.counts[rows]
        firsts[here] = (np.cumsum(part.counts) - part.counts)[rows] + start
    write_films(file, SentenceVectors(pieces, firsts, counts), np.arange(len(films)))


@dataclass(frozen=True)
class Pieces:
    """The pieces of a base: their numbers, and the first row of each film's sentences in all of
    them one after the other, int64 (n,)."""

    numbers: tuple[int, ...]
    firsts: Rows


@dataclass(frozen=True)
class Plan:
    """Which pieces are `kept`, and which are `absorbed` by the new piece `number`."""

    kept: tuple[int, ...]
    absorbed: tuple[int, ...]
    number: int


def plan(pieces: tuple[int, ...], live: Mapping[int, int], rows: int) -> Plan:
    """Return what becomes of `pieces` when `rows` sentences are added.

    `live` is the number of sentences in each piece that stay; a piece without any is dropped.
    """
    kept = [number for number in sorted(pieces) if live.get(number)]
    absorbed = []
    while rows and kept and live[kept[-1]] < 2 * rows:
        absorbed.append(kept.pop())
        rows += live[absorbed[-1]]
    return Plan(tuple(kept), tuple(sorted(absorbed)), max(pieces, default=-1) + 1)


def merge_pieces(
    source: Path, folder: Path, pieces: tuple[int, ...], sentences: SentenceVectors, is_delta: Mask
) -> Pieces:
    """Write the pieces of a new base into `folder`: those of the base in `source` that stay are
    shared, and one new piece holds what was in the delta and in the pieces that it absorbs.

    `sentences` are those of base and delta together, `is_delta` bool (n,) says which films are in
    the delta.
    """
    holder = np.searchsorted(sentences.starts, sentences.firsts, side="right") - 1
    is_live = (sentences.counts > 0) & ~is_delta
    live = np.bincount(
        holder[is_live], weights=sentences.counts[is_live], minlength=len(pieces)
    ).astype(int)
    by_number = dict(zip(pieces, live.tolist(), strict=False))
    new = int(sentences.counts[is_delta].sum())
    chosen = plan(pieces, by_number, new)
    firsts, start = np.zeros_like(sentences.firsts), 0
    for number in chosen.kept:
        (folder / piece_file(number)).hardlink_to(source / piece_file(number))
        place = pieces.index(number)
        here = is_live & (holder == place)
        firsts[here] = sentences.firsts[here] - sentences.starts[place] + start
        start += len(sentences.pieces[place])
    moving = is_delta | np.isin(holder, [pieces.index(number) for number in chosen.absorbed])
    films = np.flatnonzero(moving & (sentences.counts > 0))
    counts = sentences.counts[films]
    firsts[films] = start + np.cumsum(counts) - counts
    if not write_films(folder / piece_file(chosen.number), sentences, films):
        return Pieces(chosen.kept, firsts)
    return Pieces((*chosen.kept, chosen.number), firsts)


def write_one_piece(folder: Path, number: int, sentences: SentenceVectors) -> Pieces:
    """Write all vectors into one piece, in the order of films."""
    films = np.arange(len(sentences.counts))
    firsts = np.cumsum(sentences.counts) - sentences.counts
    written = write_films(folder / piece_file(number), sentences, films)
    return Pieces((number,) if written else (), firsts)
