"""A file of films as it is read, and what the manifest records of it."""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from hybrid.bounds import MAX_SENTENCES
from hybrid.errors import BuildFailed
from hybrid.storage.manifest import FileDigest
from indexer.films.clean import CleanedBatch, CleanedFilms, Cut, Outcome, clean_batches, total
from indexer.films.film_spool import FilmSpool
from indexer.known_records import NONE, KnownRecords, RecordRows
from indexer.sources import Reject, read_batches


@dataclass(frozen=True)
class SourceFile:
    """A file that was read, and what became of its records."""

    name: str
    sha256: str
    cleaned: Outcome

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


@dataclass(frozen=True)
class FilmsOfFile(SourceFile):
    """A file with its films, sorted by id."""

    cleaned: CleanedFilms


@dataclass(frozen=True)
class FileOptions:
    """How a file of films is read.

    `mapping` names the columns of a file in a format of its own; `limit` is the maximum number of
    records; `name` is recorded instead of the file's own, without the folders before it; of a
    description `max_sentences` are kept at most.
    """

    mapping: Path | None = None
    limit: int | None = None
    name: str | None = None
    max_sentences: int = MAX_SENTENCES


AS_IT_IS = FileOptions()


def film_batches(
    source: Path, options: FileOptions = AS_IT_IS, known: RecordRows = NONE
) -> Iterator[CleanedBatch]:
    """Yield the films of a file and what became of its records, in batches, one at least.

    Records of the table `known` are not read again. Raises SourceUnreadable if the file cannot be
    read.
    """
    table = KnownRecords.of(known).read_so(options.max_sentences)
    batches = read_batches(source, options.limit, options.mapping, table)
    return clean_batches(batches, options.max_sentences)


def spool_films(
    source: Path, options: FileOptions, spool: FilmSpool, known: RecordRows = NONE
) -> SourceFile:
    """Read the films of a file into a spool, `known` as for `film_batches`.

    Raises like `read_films`, or OSError.
    """
    outcomes: list[Outcome] = []
    for batch in film_batches(source, options, known):
        outcomes.append(batch.outcome())
        spool.add(batch.ids, batch.rows, batch.movies)
    return source_file(source, options, total(outcomes), len(spool))


def read_films(source: Path, options: FileOptions = AS_IT_IS) -> FilmsOfFile:
    """Read the films of a file, all at once.

    Raises SourceUnreadable if it cannot be read, BuildFailed if it holds no film.
    """
    batches = list(film_batches(source, options))
    movies = sorted(chain.from_iterable(batch.movies for batch in batches), key=lambda m: m.id)
    cleaned = CleanedFilms(
        **vars(total([batch.outcome() for batch in batches])), movies=tuple(movies)
    )
    return FilmsOfFile(**vars(source_file(source, options, cleaned, len(movies))))


def source_file(source: Path, options: FileOptions, outcome: Outcome, films: int) -> SourceFile:
    """Return a file whose records became so many films. Raises BuildFailed if there is none."""
    if not films:
        raise BuildFailed(f"{source} holds no film: {_first(outcome.rejects)}")
    # A name may hold any bytes, a manifest only text.
    recorded = os.fsencode(Path(options.name or source).name).decode("utf-8", "replace")
    return SourceFile(recorded, FileDigest.of(source).sha256, outcome)


def _first(rejects: Iterable[Reject]) -> str:
    reasons = [f"line {reject.line}: {reject.reason}" for reject in rejects]
    return "; ".join(reasons[:3]) or "there is no record in it"
