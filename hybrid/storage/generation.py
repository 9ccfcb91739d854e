"""A generation: one published state of all stores together, described by its manifest.

data/CURRENT                     name and manifest digest of the published generation, and in a
                                 second line those of the one before
data/generations/<n>-<uuid>/     manifest.json, catalogue.sqlite, vectors-<m>.npy, sentences.faiss,
                                 encoder/, and tantivy/ where the keyword engine is embedded

A generation shares the files that did not change with the one before: they are hard links.
"""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from hybrid.errors import GenerationUnusable
from hybrid.storage.manifest import FileDigest, FileIdentity, Manifest, identity

CURRENT = "CURRENT"

GENERATIONS = "generations"

MANIFEST = "manifest.json"

CATALOGUE = "catalogue.sqlite"

FAISS_INDEX = "sentences.faiss"

REJECTS = "rejects.jsonl"

UNFINISHED = ".unfinished"
"""Ends the name of a generation's folder until it is whole."""

KnownDigests = dict[FileIdentity, str]
"""SHA-256 of the files that a process has read: what generations share is read once."""

PIECES = "vectors-"
"""Begins the names of the files of vectors."""


def piece_file(number: int) -> str:
    """Return the name of the file that holds this piece of the vectors."""
    return f"{PIECES}{number}.npy"


@dataclass(frozen=True)
class Generation:
    """The folder of a generation and its manifest."""

    folder: Path
    manifest: Manifest

    def file(self, name: str) -> Path:
        """Return the path of one of its files."""
        return self.folder / name


@dataclass(frozen=True)
class CurrentEntry:
    """A line of CURRENT: a generation and the SHA-256 of its manifest."""

    name: str
    manifest_sha256: str


def published(data: Path) -> tuple[CurrentEntry, ...]:
    """Return the published generation and, if there is one to go back to, the one before.

    Raises GenerationUnusable where none is published.
    """
    file = data / CURRENT
    try:
        lines = file.read_text(encoding="ascii").splitlines()
        found = tuple(CurrentEntry(*line.split()) for line in lines)
    except FileNotFoundError:
        raise GenerationUnusable(
            f"no index in {data}: make one with `python -m indexer build SOURCE --data {data}`"
        ) from None
    except (OSError, ValueError, TypeError) as error:
        raise GenerationUnusable(f"{file} cannot be read: {error}") from error
    if not found or any("/" in line.name or line.name.startswith(".") for line in found):
        raise GenerationUnusable(f"{file} names no generation")
    return found


def open_current(data: Path, checked: KnownDigests | None = None) -> Generation:
    """Return the published generation. Every byte is checked before anything parses it.

    `checked` are the files that this process read for the generation that it opened last; now
    they are those of this one. Raises GenerationUnusable where none is published, or a file is
    missing or damaged.
    """
    while True:
        line = published(data)[0]
        try:
            return open_published(data, line, checked)
        except GenerationUnusable:
            # A writer removes what is outdated: it may have published twice since we looked.
            if published(data)[0] == line:
                raise


def open_readable(data: Path, checked: KnownDigests | None = None) -> Generation:
    """Return the published generation or, where that cannot be read, the one before.

    Raises GenerationUnusable, naming what is wrong with the published one, where neither can.
    """
    try:
        return open_current(data, checked)
    except GenerationUnusable:
        for line in published(data)[1:]:
            with suppress(GenerationUnusable):
                return open_published(data, line, checked)
        raise


def open_published(
    data: Path, line: CurrentEntry, checked: KnownDigests | None = None
) -> Generation:
    """Return the generation that a line of CURRENT names. Raises GenerationUnusable."""
    generation = open_described(data, line)
    check_sizes(generation)
    before = {} if checked is None else checked
    found: KnownDigests = {}
    for file, expected in generation.manifest.files.items():
        _check(generation.file(file), expected.sha256, before, found)
    if checked is not None:
        checked.clear()
        checked.update(found)
    return generation


def open_described(data: Path, line: CurrentEntry) -> Generation:
    """Return the generation of a line of CURRENT, of which only the manifest was checked.

    Raises GenerationUnusable where that is damaged, or of another version.
    """
    folder = data / GENERATIONS / line.name
    return Generation(folder, _manifest(folder / MANIFEST, line.manifest_sha256))


def damaged_files(generation: Generation) -> list[str]:
    """Return the names of the files that are missing or not as they were written."""
    damaged = []
    for file, expected in generation.manifest.files.items():
        try:
            _check(generation.file(file), expected.sha256, {}, {})
        except GenerationUnusable:
            damaged.append(file)
    return damaged


def _manifest(file: Path, sha256: str) -> Manifest:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise GenerationUnusable(f"{file} cannot be read: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise _damaged(file)
    try:
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        raise GenerationUnusable(
            f"{file} was written by another version of this project: "
            f"build the index again ({error.error_count()} fields do not fit)"
        ) from error


def check_sizes(generation: Generation) -> None:
    """Raise GenerationUnusable where a file is missing or not as long as it was written."""
    for file, expected in generation.manifest.files.items():
        path = generation.folder / file
        if not path.is_file() or path.stat().st_size != expected.size:
            raise _damaged(path)


def number_of(name: str) -> int:
    """Return the number of a generation: each has a higher one than those before it."""
    return int(name.partition("-")[0])


def kept_indices(data: Path) -> set[str]:
    """Return the keyword indices of the generations that CURRENT names."""
    found = set()
    for line in published(data):
        with suppress(GenerationUnusable):
            found.add(open_described(data, line).manifest.lexical.index)
    return found


def shared_digests(generation: Generation) -> Mapping[FileIdentity, FileDigest]:
    """Return what the manifest says of the files that a next generation may share."""
    files = generation.manifest.files
    there = {generation.file(name): digest for name, digest in files.items()}
    return {identity(path): digest for path, digest in there.items() if path.exists()}


def _check(path: Path, sha256: str, before: KnownDigests, found: KnownDigests) -> None:
    try:
        file = identity(path)
        found[file] = before.get(file) or FileDigest.of(path).sha256
    except OSError as error:
        raise GenerationUnusable(f"{path} cannot be read: {error.strerror}") from error
    if found[file] != sha256:
        raise _damaged(path)


def _damaged(path: Path) -> GenerationUnusable:
    return GenerationUnusable(
        f"{path} is missing or not as it was written: `python -m indexer verify --repair` may mend "
        "it, `rollback` goes back to the generation before, or build the index again"
    )
