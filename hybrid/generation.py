"""A generation: one published state of all stores together, described by its manifest.

data/CURRENT                     name and manifest digest of the published generation
data/generations/<n>-<uuid>/     manifest.json, catalogue.sqlite, vectors.npy, sentences.faiss,
                                 encoder/, and tantivy/ where the keyword engine is embedded
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from hybrid.errors import GenerationUnusable

CURRENT = "CURRENT"
GENERATIONS = "generations"
MANIFEST = "manifest.json"
CATALOGUE = "catalogue.sqlite"
VECTORS = "vectors.npy"
FAISS_INDEX = "sentences.faiss"
REJECTS = "rejects.jsonl"

UNFINISHED = ".unfinished"
"""Ends the name of a generation's folder until it is whole."""


LexicalName = Literal["embedded", "elasticsearch"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Counts(_Part):
    """What became of the records of the source."""

    records: int
    movies: int
    rejected: int
    duplicates: int
    blank: int
    without_description: int
    without_year: int
    sentences: int


class ModelName(_Part):
    """What embedded the sentences, and must embed the queries."""

    name: str
    fingerprint: str
    dimension: int


class Lexical(_Part):
    """Where the keyword side of this generation is."""

    engine: LexicalName
    index: str


class Semantic(_Part):
    """How the semantic side finds candidates. `nprobe` and `recall_at_10` are measured."""

    engine: Literal["ivfpq", "exact"]
    lists: int | None = None
    sub_quantisers: int | None = None
    nprobe: int | None = None
    recall_at_10: float | None = None


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
    """Describes a generation, and all that is needed to open it."""

    format: Literal[2] = 2  # rises with what stands in any store: schema, analysis, similarity
    name: str
    created: str
    source: str
    source_sha256: str
    source_format: str
    counts: Counts
    model: ModelName
    lexical: Lexical
    semantic: Semantic
    files: dict[str, FileDigest]


@dataclass(frozen=True)
class Generation:
    """A published generation whose files are what the manifest says."""

    folder: Path
    manifest: Manifest

    def file(self, name: str) -> Path:
        """Return the path of one of its files."""
        return self.folder / name


def open_current(data: Path) -> Generation:
    """Return the published generation. Every byte is checked before anything parses it.

    Raises GenerationUnusable where none is published, or a file is missing or damaged.
    """
    name, digest = _current(data)
    folder = data / GENERATIONS / name
    manifest_file = folder / MANIFEST
    _check(manifest_file, digest)
    try:
        manifest = Manifest.model_validate_json(manifest_file.read_bytes())
    except ValidationError as error:
        raise GenerationUnusable(
            f"{manifest_file} was written by another version of this project: "
            f"build the index again ({error.error_count()} fields do not fit)"
        ) from error
    for file, expected in manifest.files.items():
        if _size(folder / file) != expected.size:
            raise _damaged(folder / file)
        _check(folder / file, expected.sha256)
    return Generation(folder, manifest)


def current_name(data: Path) -> str | None:
    """Return the name of the published generation, None where there is none."""
    return _current(data)[0] if (data / CURRENT).exists() else None


def _current(data: Path) -> tuple[str, str]:
    try:
        text = (data / CURRENT).read_text(encoding="ascii")
        name, digest = text.split()
    except FileNotFoundError:
        raise GenerationUnusable(
            f"no index in {data}: make one with `python -m indexer build SOURCE --data {data}`"
        ) from None
    except (OSError, ValueError) as error:
        raise GenerationUnusable(f"{data / CURRENT} cannot be read: {error}") from error
    if "/" in name or name.startswith("."):
        raise GenerationUnusable(f"{data / CURRENT} names no generation")
    return name, digest


def _check(path: Path, sha256: str) -> None:
    try:
        found = FileDigest.of(path).sha256
    except OSError as error:
        raise GenerationUnusable(f"{path} cannot be read: {error.strerror}") from error
    if found != sha256:
        raise _damaged(path)


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def _damaged(path: Path) -> GenerationUnusable:
    return GenerationUnusable(
        f"{path} is missing or not as it was written: restore it, or build the index again"
    )
