"""A generation: one published state of all stores together, described by its manifest.

data/CURRENT                     name and manifest digest of the published generation, and in a
                                 second line those of the one before
data/generations/<n>-<uuid>/     manifest.json, and
                                 the base: catalogue.sqlite, columns.arrays, titles.arrays,
                                 duplicates.arrays, suggestions.arrays, vectors-<m>.npy,
                                 sentences.faiss
                                 the delta: delta.sqlite, delta.npy
                                 encoder/ (further models in encoder/1, ...), and tantivy/ where the
                                 keyword engine is embedded
                                 of the last source: rejects.jsonl, records.arrays

The base is large and never changes: generations share its files as hard links. The delta holds the
films that came or changed since, and the ids of films of the base that no longer count.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

from pydantic import ValidationError

from hybrid.errors import GenerationUnusable
from hybrid.machine import cores
from hybrid.storage.manifest import FileDigest, FileIdentity, Manifest, identity_of

CURRENT = "CURRENT"

GENERATIONS = "generations"

MANIFEST = "manifest.json"

CATALOGUE = "catalogue.sqlite"
"""The films of the base."""

COLUMNS = "columns.arrays"

TITLES = "titles.arrays"

DUPLICATES = "duplicates.arrays"

SUGGESTIONS = "suggestions.arrays"

FAISS_INDEX = "sentences.faiss"

DELTA = "delta.sqlite"
"""The films of the delta."""

DELTA_VECTORS = "delta.npy"
"""The vectors of their sentences, in the order of ids; missing if there are none."""

REJECTS = "rejects.jsonl"

RECORDS = "records.arrays"
"""What an update knows of the records of the last source; older generations have none."""

UNFINISHED = ".unfinished"
"""Suffix of a generation's folder until it is complete."""

KnownDigests = dict[FileIdentity, str]
"""SHA-256 of the files that a process has read, so that shared files are read once."""

PIECES = "vectors-"
"""Prefix of the vector files."""


def piece_file(number: int) -> str:
    """Return the name of the file that holds this piece of the base's vectors."""
    return f"{PIECES}{number}.npy"


def base_files(pieces: Iterable[int]) -> tuple[str, ...]:
    """Return the names of the files of a base, of which there may be no FAISS index."""
    return (
        *(CATALOGUE, COLUMNS, TITLES, DUPLICATES, SUGGESTIONS, FAISS_INDEX),
        *map(piece_file, pieces),
    )


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
    """Return the published generation and, if there is one to roll back to, the previous one.

    Raises GenerationUnusable if none is published.
    """
    file = data / CURRENT
    try:
        lines = file.read_text(encoding="ascii").splitlines()
        entries = tuple(CurrentEntry(*line.split()) for line in lines)
    except FileNotFoundError:
        raise GenerationUnusable(
            f"no index in {data}: build one with `python -m indexer build SOURCE --data {data}`"
        ) from None
    except (OSError, ValueError, TypeError) as error:
        raise GenerationUnusable(f"{file} cannot be read: {error}") from error
    if not entries or any("/" in entry.name or entry.name.startswith(".") for entry in entries):
        raise GenerationUnusable(f"{file} names no generation")
    return entries


def open_current(data: Path, checked: KnownDigests | None = None) -> Generation:
    """Return the published generation, after the digests of all its files were checked.

    `checked` holds the files that this process read for the generation it opened last; it is
    updated to the files of this one. Raises GenerationUnusable if none is published, or a file is
    missing or damaged.
    """
    while True:
        entry = published(data)[0]
        try:
            return open_published(data, entry, checked)
        except GenerationUnusable:
            # Writers remove old generations: this one may have been replaced meanwhile.
            if published(data)[0] == entry:
                raise


def open_readable(data: Path, checked: KnownDigests | None = None) -> Generation:
    """Return the published generation or, if that cannot be read, the previous one.

    Raises GenerationUnusable for the published one if neither can be read.
    """
    try:
        return open_current(data, checked)
    except GenerationUnusable:
        for entry in published(data)[1:]:
            with suppress(GenerationUnusable):
                return open_published(data, entry, checked)
        raise


def open_published(
    data: Path, entry: CurrentEntry, checked: KnownDigests | None = None
) -> Generation:
    """Return the generation of an entry of CURRENT, all its files checked.

    `checked` as for `open_current`. Raises GenerationUnusable.
    """
    generation = open_described(data, entry)
    known = {} if checked is None else checked
    digests: KnownDigests = {}
    # All sizes before any content, which takes longer.
    identities = check_sizes(generation)
    read = _digests(generation, [name for name, found in identities.items() if found not in known])
    for name, found in identities.items():
        digests[found] = read[name] if name in read else known[found]
        if digests[found] != generation.manifest.files[name].sha256:
            raise _damaged(generation.file(name))
    if checked is not None:
        checked.clear()
        checked.update(digests)
    return generation


def open_described(data: Path, entry: CurrentEntry) -> Generation:
    """Return the generation of an entry of CURRENT after checking its manifest alone.

    Raises GenerationUnusable if that is damaged or of another version.
    """
    folder = data / GENERATIONS / entry.name
    return Generation(folder, _manifest(folder / MANIFEST, entry.manifest_sha256))


def _digests(generation: Generation, names: Sequence[str]) -> Mapping[str, str]:
    """Return the SHA-256 of files by name, read on all cores, the largest first."""
    files = generation.manifest.files
    ordered = sorted(names, key=lambda name: -files[name].size)
    with ThreadPoolExecutor(cores()) as pool:
        found = pool.map(_sha256, map(generation.file, ordered))
        return dict(zip(ordered, found, strict=True))


def damaged_files(generation: Generation) -> list[str]:
    """Return the names of the files that are missing or differ from their digest."""
    damaged = []
    for file, expected in generation.manifest.files.items():
        with suppress(GenerationUnusable):
            if _sha256(generation.file(file)) == expected.sha256:
                continue
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


def check_sizes(generation: Generation) -> dict[str, FileIdentity]:
    """Return the identities of all files by name.

    Raises GenerationUnusable if a file is missing or has another size than its digest says.
    """
    identities = {}
    folder = os.fspath(generation.folder)
    for name, expected in generation.manifest.files.items():
        path = f"{folder}/{name}"
        try:
            status = os.stat(path)  # noqa: PTH116, a tenth of the time of a Path
        except OSError:
            raise _damaged(generation.file(name)) from None
        if not S_ISREG(status.st_mode) or status.st_size != expected.size:
            raise _damaged(generation.file(name))
        identities[name] = identity_of(status)
    return identities


def number_of(name: str) -> int:
    """Return the number of a generation; each has a higher one than all before it."""
    return int(name.partition("-")[0])


def current_indices(data: Path) -> set[str]:
    """Return the keyword indices of the generations in CURRENT.

    Raises GenerationUnusable if no generation is published.
    """
    indices = set()
    for entry in published(data):
        with suppress(GenerationUnusable):
            indices.add(open_described(data, entry).manifest.lexical.index)
    return indices


def shared_digests(generation: Generation) -> Mapping[FileIdentity, FileDigest]:
    """Return the digests of the existing files, which the next generation may share."""
    digests = {}
    folder = os.fspath(generation.folder)
    for name, digest in generation.manifest.files.items():
        with suppress(FileNotFoundError):
            digests[identity_of(os.stat(f"{folder}/{name}"))] = digest  # noqa: PTH116
    return digests


def _sha256(path: Path) -> str:
    try:
        return FileDigest.of(path).sha256
    except OSError as error:
        raise GenerationUnusable(f"{path} cannot be read: {error.strerror}") from error


def _damaged(path: Path) -> GenerationUnusable:
    return GenerationUnusable(
        f"{path} is missing or damaged: `python -m indexer verify --repair` may repair it, "
        "`rollback` returns to the previous generation, or build the index again"
    )
