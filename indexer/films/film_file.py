"""A file of films as it was read, and what the manifest records of it."""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hybrid.bounds import MAX_SENTENCES
from hybrid.errors import BuildFailed
from hybrid.storage.manifest import FileDigest
from indexer.films.clean import CleanedFilms, Cut, clean
from indexer.sources import Reject, read_source


@dataclass(frozen=True)
class SourceFile:
    """The films of a file, and what became of its other records."""

    name: str
    sha256: str
    cleaned: CleanedFilms

    @property
    def manifest(self) -> dict[str, Any]:
        """The fields of the manifest about the file."""
        return {
            "source": self.name,
            "source_sha256": self.sha256,
            "source_format": self.cleaned.format,
        }

    @property
    def counts(self) -> dict[str, int]:
        """The counts of the manifest about its records."""
        return {
            "records": self.cleaned.records,
            "rejected": len(self.cleaned.rejects),
            "duplicates": self.cleaned.duplicates,
            "blank": self.cleaned.blank,
        }

    def write_rejects(self, file: Path) -> None:
        """Write every reject as a line of JSON: its line, the reason, and the start of its text.

        Below them is every field that was cut, with its film.
        """
        found: tuple[Reject | Cut, ...] = (*self.cleaned.rejects, *self.cleaned.cuts)
        lines = (json.dumps(asdict(each), ensure_ascii=False) + "\n" for each in found)
        file.write_text("".join(lines), encoding="utf-8")


def read_films(
    source: Path,
    limit: int | None = None,
    mapping: Path | None = None,
    name: str | None = None,
    max_sentences: int = MAX_SENTENCES,
) -> SourceFile:
    """Read the films of a file; `mapping` names the columns of a file in a format of its own.

    `name` is recorded instead of the file's own, without the folders before it. Of a description
    `max_sentences` are kept at most. Raises
    SourceUnreadable if it cannot be read, BuildFailed if it holds no film.
    """
    cleaned = clean(read_source(source, limit, mapping), max_sentences)
    if not cleaned.movies:
        raise BuildFailed(f"{source} holds no film: {_first(cleaned.rejects)}")
    # A name may hold any bytes, a manifest only text.
    recorded = os.fsencode(Path(name or source).name).decode("utf-8", "replace")
    return SourceFile(recorded, FileDigest.of(source).sha256, cleaned)


def _first(rejects: Iterable[Reject]) -> str:
    reasons = [f"line {reject.line}: {reject.reason}" for reject in rejects]
    return "; ".join(reasons[:3]) or "there is no record in it"
