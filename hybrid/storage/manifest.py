"""The manifest of a generation: its engines, model, counts and files."""

import hashlib
import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from hybrid.settings import Precision

LexicalName = Literal["embedded", "elasticsearch"]

FileIdentity = tuple[int, int, int, int]
"""Device, inode, size and time of the last change in ns: equal only for an unchanged file."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Counts(_Part):
    """What became of the records of the last source, and the number of films now.

    `hand_changes` counts the films that were changed by hand since then.
    """

    records: int
    movies: int
    rejected: int
    duplicates: int
    blank: int
    without_description: int
    without_year: int
    sentences: int
    hand_changes: int = 0


class QueryEncoder(_Part):
    """The precision in which the model embeds queries; that of sentences is always float32.

    With int8 the other figures compare it with float32, by parts of 200 sentences: the cosines of
    both vectors of a text, and the mean share of the ten best films that are found by both.
    """

    precision: Precision = "float32"
    least_cosine: float | None = None
    mean_cosine: float | None = None
    overlap_at_10: float | None = None


class Prompts(_Part):
    """What stands before each query and before each sentence of a film when a model embeds it."""

    query: str = ""
    document: str = ""


class ModelName(_Part):
    """A model that embedded the sentences and must embed the queries.

    `export` is the version of its export: a build exports the model again if it has another one.
    `weight` is that of its vectors beside those of other models; if it is `centred`, a mean is
    subtracted from them first.
    """

    name: str
    fingerprint: str
    dimension: int
    export: int = 1  # and below: so that manifests of earlier versions can be read
    queries: QueryEncoder = QueryEncoder()
    prompts: Prompts = Prompts()
    weight: float = 1.0
    centred: bool = False


class Lexical(_Part):
    """The keyword index of this generation, and the digest of its analysis.

    `uuid` is Elasticsearch's own id of the index, which changes if the index is created again under
    the same name.
    """

    engine: LexicalName
    index: str
    analysis: str
    uuid: str | None = None


class Semantic(_Part):
    """How the semantic side finds candidates. `nprobe` and `recall_at_10` are measured.

    `changed` counts the sentences added or removed since the index was trained, and
    `changed_when_measured` is that count when the recall was measured.
    """

    engine: Literal["ivfpq", "exact"]
    lists: int | None = None
    sub_quantisers: int | None = None
    nprobe: int | None = None
    recall_at_10: float | None = None
    changed: int = 0
    changed_when_measured: int = 0


class MatchThreshold(_Part):
    """What the films of a query of up to `words` words must reach for one to match really.

    `strength` and `lead` are those of `hybrid/fusion/confidence.py`.
    """

    words: int
    strength: float
    lead: float


class Delta(_Part):
    """Films in the delta, and films of the base that do not count."""

    films: int = 0
    outdated: int = 0


class FileDigest(_Part):
    """SHA-256 and size in bytes of a file."""

    sha256: str
    size: int

    @classmethod
    def of(cls, path: Path) -> "FileDigest":
        """Return the digest of a file. Raises OSError."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(sha256=digest, size=path.stat().st_size)


class Manifest(_Part):
    """Describes a generation: everything that is needed to open it.

    `previous` is the generation that this one is a change of, None for a build. The vectors of the
    models `beside` follow those of `model`, all in one vector. `ids_sha256` is the
    digest of the ids of the base, `pieces` are the numbers of its vector files, `semantic` is its
    index. `files` are the digests of all files by name.
    """

    format: Literal[6] = 6  # increase it when the format of any store changes
    name: str
    created: str
    previous: str | None = None
    source: str
    source_sha256: str
    source_format: str
    counts: Counts
    ids_sha256: str
    model: ModelName
    beside: tuple[ModelName, ...] = ()
    lexical: Lexical
    semantic: Semantic
    pieces: tuple[int, ...]
    match: tuple[MatchThreshold, ...] = ()
    delta: Delta = Delta()
    files: dict[str, FileDigest]

    @property
    def models(self) -> tuple[ModelName, ...]:
        """All models, in the order of their vectors."""
        return (self.model, *self.beside)


def identity(path: Path) -> FileIdentity:
    """Return the identity of a file, which changes with its content. Raises OSError."""
    return identity_of(path.stat())


def identity_of(status: os.stat_result) -> FileIdentity:
    """Return the identity of a file of this status."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
