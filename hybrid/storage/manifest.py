"""A generation: one published state of all stores together, described by its manifest.

data/CURRENT                     name and manifest digest of the published generation, and in a
                                 second line those of the one before
data/generations/<n>-<uuid>/     manifest.json, catalogue.sqlite, vectors-<m>.npy, sentences.faiss,
                                 encoder/, and tantivy/ where the keyword engine is embedded

A generation shares the files that did not change with the one before: they are hard links.
"""

import hashlib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

LexicalName = Literal["embedded", "elasticsearch"]

FileIdentity = tuple[int, int, int, int]
"""Device, inode, size and time of the last change in ns: the same file, unless the disk lies."""


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


def identity(path: Path) -> FileIdentity:
    """Return what tells a file from all others, and from itself before it was changed."""
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
