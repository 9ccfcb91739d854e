"""Generations on the disk: which one is opened, and what is said of one that is damaged."""

import hashlib
import shutil
from pathlib import Path

import pytest

from hybrid.errors import GenerationUnusable
from hybrid.storage import generation
from hybrid.storage.generation import (
    CATALOGUE,
    CURRENT,
    DELTA,
    MANIFEST,
    REJECTS,
    CurrentEntry,
    current_indices,
    damaged_files,
    open_current,
    open_published,
    open_readable,
    published,
    shared_digests,
)
from hybrid.storage.manifest import FileDigest, identity
from tests import corpus
from tests.stores import build_stores, remove

FILMS = corpus.films(20)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a data folder of two generations, the second a change."""
    data = tmp_path_factory.mktemp("generations") / "data"
    build_stores(data, FILMS)
    remove(data, FILMS[0].id)
    return data


@pytest.fixture
def data(two: Path, tmp_path: Path) -> Path:
    """Give a copy of it to be damaged."""
    return Path(shutil.copytree(two, tmp_path / "data"))


def damage(data: Path, place: int, name: str) -> Path:
    """Change a byte of a file of the generation at this place of CURRENT; other generations keep
    theirs."""
    file = data / "generations" / published(data)[place].name / name
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    return file


def test_the_one_before_is_opened_if_need_be(data: Path) -> None:
    """The published generation if it is readable, else the one before; if neither is, the error is
    that of the published one."""
    first, second = published(data)
    known: generation.KnownDigests = {}
    assert open_readable(data, known).manifest.name == first.name
    assert known.keys() == {identity(file) for file in files(data, first.name)}
    newer = damage(data, 0, DELTA)
    assert open_readable(data, known).manifest.name == second.name
    assert known.keys() == {identity(file) for file in files(data, second.name)}
    damage(data, 1, CATALOGUE)
    with pytest.raises(GenerationUnusable) as error:
        open_readable(data)
    assert str(newer) in str(error.value)


def files(data: Path, name: str) -> list[Path]:
    """Return the files of a generation but for its manifest."""
    folder = data / "generations" / name
    return [path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST]


def test_a_file_is_read_once(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read for one generation is not read for the next, unless it was replaced."""
    read: list[str] = []
    of = FileDigest.of

    def reading(path: Path) -> FileDigest:
        read.append(path.name)
        return of(path)

    monkeypatch.setattr(FileDigest, "of", reading)
    known: generation.KnownDigests = {}
    open_current(data, known)
    assert len(read) == len(files(data, published(data)[0].name))
    read.clear()
    open_current(data, known)
    assert read == []
    file = files(data, published(data)[0].name)[0]
    shutil.copy(file, data / "copy")
    (data / "copy").replace(file)
    open_current(data, known)
    assert read == [file.name]
    read.clear()
    open_current(data)
    assert len(read) == len(known)


def test_a_smaller_file_is_noticed_before_any_is_read(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And so is one that is gone, or is no file."""
    monkeypatch.setattr(FileDigest, "of", lambda _: pytest.fail("a file was read"))
    entry = published(data)[0]
    file = data / "generations" / entry.name / DELTA
    content = file.read_bytes()
    for damaged in (content[:-1], content + b"?"):
        file.write_bytes(damaged)
        with pytest.raises(GenerationUnusable, match=f"{DELTA} is missing or damaged"):
            open_published(data, entry)
    file.unlink()
    with pytest.raises(GenerationUnusable, match=f"{DELTA} is missing or damaged"):
        open_published(data, entry)
    file.mkdir()
    with pytest.raises(GenerationUnusable, match=f"{DELTA} is missing or damaged"):
        open_published(data, entry)


def test_damaged_files_are_named(data: Path) -> None:
    """All of them: those that differ and those that cannot be read."""
    opened = open_current(data)
    assert damaged_files(opened) == []
    damage(data, 0, DELTA)
    opened.file(REJECTS).unlink()
    assert set(damaged_files(opened)) == {DELTA, REJECTS}


def test_indices_are_those_of_readable_generations(data: Path) -> None:
    """Of both, or of the one whose manifest is whole; without CURRENT nothing is known."""
    assert current_indices(data) == {"tantivy"}
    damage(data, 0, MANIFEST)
    assert current_indices(data) == {"tantivy"}
    damage(data, 1, MANIFEST)
    assert current_indices(data) == set()
    (data / CURRENT).unlink()
    with pytest.raises(GenerationUnusable, match="no index in"):
        current_indices(data)


def test_digests_are_shared_by_file(data: Path) -> None:
    """Those of the files that are there."""
    opened = open_current(data)
    expected = {identity(opened.file(name)): of for name, of in opened.manifest.files.items()}
    assert shared_digests(opened) == expected
    gone = identity(opened.file(DELTA))
    opened.file(DELTA).unlink()
    del expected[gone]
    assert shared_digests(opened) == expected


def test_a_manifest_of_another_version_is_told(data: Path) -> None:
    """With the remedy, and how much of it is not understood."""
    entry = published(data)[0]
    file = data / "generations" / entry.name / MANIFEST
    file.unlink()
    file.write_text('{"format": 1}')
    other = CurrentEntry(entry.name, hashlib.sha256(file.read_bytes()).hexdigest())
    with pytest.raises(GenerationUnusable, match=r"another version.*build the index again \(\d+ f"):
        open_published(data, other)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "names no generation"),
        ("../1-x 00", "names no generation"),
        (".1-x 00", "names no generation"),
        ("1-x", "cannot be read"),
        ("1-x 00 11", "cannot be read"),
        ("1-\u00e9 00", "cannot be read"),
    ],
)
def test_a_wrong_current_is_told(tmp_path: Path, text: str, message: str) -> None:
    """It names generations of this folder and their digests, and nothing else."""
    (tmp_path / CURRENT).write_text(text, "utf-8")
    with pytest.raises(GenerationUnusable, match=message):
        published(tmp_path)
