"""The files of vectors of a base and a delta: which are shared, and what is in those written."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybrid.storage.generation import piece_file
from hybrid.storage.sentence_vectors import SentenceVectors, read_vectors
from hybrid.vectors import Vectors
from indexer.semantic_index import vector_files
from indexer.semantic_index.vector_files import (
    FilmVectors,
    merge_pieces,
    plan,
    write_delta,
    write_films,
    write_one_piece,
)


def vectors_of(films: Sequence[int], counts: Sequence[int]) -> Vectors:
    """Return a vector (film, number) for each sentence."""
    rows = [(film, n) for film, count in zip(films, counts, strict=True) for n in range(count)]
    return np.array(rows, np.float32).reshape(-1, 2)


def written(sentences: SentenceVectors) -> dict[int, list[list[float]]]:
    """Return the vectors of each film that has any."""
    films = np.flatnonzero(sentences.counts)
    return {
        film: sentences.vectors(sentences.sentence_rows(np.array([film]))).tolist()
        for film in films.tolist()
    }


FILMS = st.lists(
    # The piece in which a film is, the last of which is the delta, and the number of its sentences.
    st.tuples(st.integers(0, 3), st.integers(0, 3)),
    max_size=12,
)


@given(films=FILMS, gone=st.lists(st.integers(0, 3), max_size=9), pieces=st.integers(1, 3))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_new_base_has_all_vectors(
    tmp_path_factory: pytest.TempPathFactory,
    films: list[tuple[int, int]],
    gone: list[int],
    pieces: int,
) -> None:
    """Each film has its own, whatever pieces they were in and whatever is left of these; a piece
    that stays is the same file."""
    folder = tmp_path_factory.mktemp("pieces")
    source, new, again = folder / "source", folder / "new", folder / "again"
    for each in (source, new, again):
        each.mkdir()
    numbers = tuple(range(3, 3 + 2 * pieces, 2))
    counts = np.array([count for _, count in films], np.int64)
    firsts = np.zeros(len(films), np.int64)
    blocks, start = [], 0
    for piece in range(pieces + 1):
        inside = [film for film, (where, _) in enumerate(films) if min(where, pieces) == piece]
        outdated = [99] * sum(each == piece for each in gone)  # films that do not count any more
        lengths = [1] * len(outdated) + [films[film][1] for film in inside]
        block = vectors_of([*outdated, *inside], lengths)
        firsts[inside] = start + (np.cumsum(lengths) - lengths)[len(outdated) :]
        start += len(block)
        blocks.append(block)
        if piece < pieces:
            np.save(source / piece_file(numbers[piece]), block)
    sentences = SentenceVectors(tuple(blocks), firsts, counts)
    is_delta = np.array([where >= pieces for where, _ in films], np.bool_)
    expected = {
        film: vectors_of([film], [count]).tolist() for film, count in enumerate(counts) if count
    }
    assert written(sentences) == expected
    merged = merge_pieces(source, new, numbers, sentences, is_delta)
    files = tuple(read_vectors(new / piece_file(number)) for number in merged.numbers)
    assert {path.name for path in new.iterdir()} == set(map(piece_file, merged.numbers))
    assert written(SentenceVectors(files, merged.firsts, counts)) == expected
    for number in set(merged.numbers) & set(numbers):
        assert (new / piece_file(number)).samefile(source / piece_file(number))
    assert set(merged.numbers) - set(numbers) <= {max(numbers) + 1}
    one = write_one_piece(again, 7, sentences)
    assert one.numbers == ((7,) if expected else ())
    files = tuple(read_vectors(again / piece_file(number)) for number in one.numbers)
    assert written(SentenceVectors(files, one.firsts, counts)) == expected
    assert sum(map(len, files)) == counts.sum()


IDS = st.dictionaries(st.integers(0, 20), st.integers(0, 3), max_size=9)


@given(old=IDS, new=IDS, gone=st.sets(st.integers(0, 20), max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_new_delta_has_the_newest_vectors(
    tmp_path_factory: pytest.TempPathFactory,
    old: dict[int, int],
    new: dict[int, int],
    gone: set[int],
) -> None:
    """Of each film that it holds, one film after the other; without a sentence there is no file."""
    folder = tmp_path_factory.mktemp("delta")

    def films(name: str, of: dict[int, int], offset: int) -> FilmVectors:
        ids = sorted(of)
        block = vectors_of([film + offset for film in ids], [of[film] for film in ids])
        if len(block):
            np.save(folder / f"{name}.npy", block)
        counts = np.array([of[film] for film in ids], np.int64)
        return FilmVectors(np.array(ids, np.int64), counts, folder / f"{name}.npy")

    held = sorted((old.keys() | new.keys()) - gone)
    parts = films("old", old, 0), films("new", new, 100)
    write_delta(folder / "delta.npy", np.array(held, np.int64), *parts)
    expected = [
        row
        for film in held
        for row in vectors_of(
            [film + 100 if film in new else film], [new[film] if film in new else old[film]]
        ).tolist()
    ]
    assert (folder / "delta.npy").exists() == bool(expected)
    assert not expected or read_vectors(folder / "delta.npy").tolist() == expected


def test_vectors_are_copied_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are, the file is that of numpy."""
    monkeypatch.setattr(vector_files, "BLOCK", 4)
    vectors = np.arange(33, dtype=np.float32).reshape(11, 3)
    sentences = SentenceVectors.contiguous(vectors, np.array([5, 6], np.int64))
    assert write_films(tmp_path / "vectors.npy", sentences, np.array([1, 0]))
    loaded = np.load(tmp_path / "vectors.npy")
    assert loaded.dtype == np.float32
    assert loaded.flags.c_contiguous
    assert loaded.tolist() == [*vectors[5:].tolist(), *vectors[:5].tolist()]
    assert not write_films(tmp_path / "none.npy", sentences, np.array([], np.int64))
    assert not (tmp_path / "none.npy").exists()


@pytest.mark.parametrize(
    ("live", "rows", "kept", "absorbed"),
    [
        ({0: 100, 1: 10}, 5, (0, 1), ()),  # twice as many stay beside them
        ({0: 100, 1: 10}, 6, (0,), (1,)),
        ({0: 31, 1: 10}, 6, (), (0, 1)),  # 6 and 10 are 16
        ({0: 32, 1: 10}, 6, (0,), (1,)),
        ({0: 100, 1: 0}, 6, (0,), ()),
        ({0: 100, 1: 10}, 0, (0, 1), ()),
        ({}, 6, (), ()),
    ],
)
def test_what_becomes_of_pieces(
    live: dict[int, int], rows: int, kept: tuple[int, ...], absorbed: tuple[int, ...]
) -> None:
    """A piece with less than twice the rows that are added becomes a part of the new one, which has
    a number of its own."""
    found = plan(tuple(live), live, rows)
    assert (found.kept, found.absorbed) == (kept, absorbed)
    assert found.number == max(live, default=-1) + 1
    assert plan((4, 2), {4: 1, 2: 1}, 0).kept == (2, 4)
