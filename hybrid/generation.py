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
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from hybrid.errors import GenerationUnusable

CURRENT = "CURRENT"
GENERATIONS = "generations"
MANIFEST = "manifest.json"
CATALOGUE = "catalogue.sqlite"
FAISS_INDEX = "sentences.faiss"
REJECTS = "rejects.jsonl"

UNFINISHED = ".unfinished"
"""Ends the name of a generation's folder until it is whole."""


LexicalName = Literal["embedded", "elasticsearch"]

FileIdentity = tuple[int, int, int, int]
"""Device, inode, size and time of the last change in ns: the same file, unless the disk lies."""

Checked = dict[FileIdentity, str]
"""SHA-256 of the files that a process has read: what generations share is read once."""


PIECES = "vectors-"
"""Begins the names of the files of vectors."""


def piece_file(number: int) -> str:
    """Return the name of the file that holds this piece of the vectors."""
    return f"{PIECES}{number}.npy"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Counts(_Part):
    """What became of the records of the last source, and how many films there are now.

    `hand_changes` are the films that were changed by hand since then.
    """

    records: int
    movies: int
    rejected: int
    duplicates: int
    blank: int
    without_description: int
    without_year: int
    sentences: int
    hand_changes: int = 0  # so that manifests of earlier versions can be read


class ModelName(_Part):
    """What embedded the sentences, and must embed the queries."""

    name: str
    fingerprint: str
    dimension: int


class Lexical(_Part):
    """Where the keyword side of this generation is, and by which analysis it was written.

    `uuid` is Elasticsearch's own name of the index: one made anew under the same name is another.
    """

    engine: LexicalName
    index: str
    analysis: str
    uuid: str | None = None


class Semantic(_Part):
    """How the semantic side finds candidates. `nprobe` and `recall_at_10` are measured.

    `changed` counts the sentences that came or went since the index was trained, and
    `changed_when_measured` is what it was when the recall was measured.
    """

    engine: Literal["ivfpq", "exact"]
    lists: int | None = None
    sub_quantisers: int | None = None
    nprobe: int | None = None
    recall_at_10: float | None = None
    changed: int = 0
    changed_when_measured: int = 0


class FileDigest(_Part):
    """What a file must be, byte for byte."""

    sha256: str
    size: int

    @classmethod
    def of(cls, path: Path) -> "FileDigest":
        """Return the digest of a file as it is now."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(sha256=digest, size=path.stat().st_size)


class Manifest(_Part):
    """Describes a generation, and all that is needed to open it.

    `base` is the generation that this one changed, None for a build. `pieces` are the numbers of
    the vectors' files.
    """

    format: Literal[3] = 3  # rises with what stands in any store: schema, analysis, similarity
    name: str
    created: str
    base: str | None = None
    source: str
    source_sha256: str
    source_format: str
    counts: Counts
    ids_sha256: str
    model: ModelName
    lexical: Lexical
    semantic: Semantic
    pieces: tuple[int, ...]
    files: dict[str, FileDigest]


@dataclass(frozen=True)
class Generation:
    """The folder of a generation and its manifest."""

    folder: Path
    manifest: Manifest

    def file(self, name: str) -> Path:
        """Return the path of one of its files."""
        return self.folder / name


@dataclass(frozen=True)
class Published:
    """A line of CURRENT: a generation and the SHA-256 of its manifest."""

    name: str
    manifest_sha256: str


def published(data: Path) -> tuple[Published, ...]:
    """Return the published generation and, if there is one to go back to, the one before.

    Raises GenerationUnusable where none is published.
    """
    file = data / CURRENT
    try:
        lines = file.read_text(encoding="ascii").splitlines()
        found = tuple(Published(*line.split()) for line in lines)
    except FileNotFoundError:
        raise GenerationUnusable(
            f"no index in {data}: make one with `python -m indexer build SOURCE --data {data}`"
        ) from None
    except (OSError, ValueError, TypeError) as error:
        raise GenerationUnusable(f"{file} cannot be read: {error}") from error
    if not found or any("/" in line.name or line.name.startswith(".") for line in found):
        raise GenerationUnusable(f"{file} names no generation")
    return found


def open_current(data: Path, checked: Checked | None = None) -> Generation:
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


def open_readable(data: Path, checked: Checked | None = None) -> Generation:
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


def open_published(data: Path, line: Published, checked: Checked | None = None) -> Generation:
    """Return the generation that a line of CURRENT names. Raises GenerationUnusable."""
    generation = open_described(data, line)
    check_sizes(generation)
    before = {} if checked is None else checked
    found: Checked = {}
    for file, expected in generation.manifest.files.items():
        _check(generation.file(file), expected.sha256, before, found)
    if checked is not None:
        checked.clear()
        checked.update(found)
    return generation


def open_described(data: Path, line: Published) -> Generation:
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


def identity(path: Path) -> FileIdentity:
    """Return what tells a file from all others, and from itself before it was changed."""
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def shared_digests(generation: Generation) -> Mapping[FileIdentity, FileDigest]:
    """Return what the manifest says of the files that a next generation may share."""
    files = generation.manifest.files
    there = {generation.file(name): digest for name, digest in files.items()}
    return {identity(path): digest for path, digest in there.items() if path.exists()}


def _check(path: Path, sha256: str, before: Checked, found: Checked) -> None:
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
