"""The records of a source as films; whatever is left out is reported."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, fields, replace
from heapq import merge
from itertools import chain
from typing import NamedTuple, cast

import numpy as np

from hybrid.bounds import LISTS, MAX_SENTENCES
from hybrid.movie import Movie
from hybrid.ranking import Ids
from indexer.films.field_values import CUT, NUMBERS, InvalidValue, is_empty, parse_value
from indexer.films.fit import fit
from indexer.films.matching import hashes
from indexer.known_records import (
    NEW,
    KnownRecord,
    RecordRow,
    RecordRows,
    digest,
    table_of,
)
from indexer.sources import Reject, Source, start
from indexer.sources.format import Fault

FIELDS = tuple(Movie.model_fields)


@dataclass(frozen=True)
class Cut:
    """A field of which a film keeps only the beginning: its line, the reason, and the film."""

    line: int
    film: int
    title: str
    field: str
    reason: str


@dataclass(frozen=True)
class Outcome:
    """What became of the records of a source.

    `numbered` says that the source has no ids and the films have the numbers of their records.
    `records` is the sum of the films, `rejects` (of reading and of cleaning, by line),
    `duplicates` and `blank`. `emptied` counts for each field the numbers of the films that could
    not be read. `cuts` has the fields that were too long, by line.
    """

    format: str
    numbered: bool
    rejects: tuple[Reject, ...]
    duplicates: int
    records: int
    blank: int
    without_description: int
    without_year: int
    emptied: dict[str, int]
    cuts: tuple[Cut, ...]


@dataclass(frozen=True)
class CleanedFilms(Outcome):
    """The films of a source, or of a batch of it, sorted by id, and what became of its records."""

    movies: tuple[Movie, ...]

    def outcome(self) -> Outcome:
        """Return what became of the records, without the films."""
        return Outcome(**{field.name: getattr(self, field.name) for field in fields(Outcome)})


@dataclass(frozen=True)
class CleanedBatch(CleanedFilms):
    """A batch of films, of which `movies` are new, and others were known before.

    Of all films, sorted by id: `ids`, int64 (n,), as the source has them, and `rows` (n,) of the
    table of records. Rows of new films have NEW as `film`.
    """

    ids: Ids
    rows: RecordRows


def total(outcomes: Sequence[Outcome]) -> Outcome:
    """Return what became of the records of all batches, of which there is one at least."""
    emptied: Counter[str] = Counter()
    for outcome in outcomes:
        emptied.update(outcome.emptied)
    return replace(
        outcomes[0],
        rejects=tuple(chain.from_iterable(outcome.rejects for outcome in outcomes)),
        cuts=tuple(chain.from_iterable(outcome.cuts for outcome in outcomes)),
        emptied={field: emptied[field] for field in NUMBERS if field in emptied},
        **{name: sum(getattr(outcome, name) for outcome in outcomes) for name in _COUNTS},
    )


_COUNTS = ("duplicates", "records", "blank", "without_description", "without_year")


class _Films:
    """The films of a source that came before: digests of their content, and lines by id.

    They take some 250 bytes a film, where the films would take kilobytes.
    """

    def __init__(self) -> None:
        self._contents: set[int] = set()
        self._lines: dict[int, int] = {}

    def has(self, content: int) -> bool:
        """Whether there was a film of this digest before; now there is one."""
        known = content in self._contents
        self._contents.add(content)
        return known

    def clash(self, film: int, line: int) -> str | None:
        """Return why a film cannot be on this line too, None if it is the first of its id."""
        first = self._lines.setdefault(film, line)
        if first == line:
            return None
        return f"repeated id: {film} is on line {first} with other content, expected one film an id"


def clean(source: Source, max_sentences: int = MAX_SENTENCES) -> CleanedFilms:
    """Make films of what was read; a record that cannot be one is rejected with its reason.

    Of descriptions and lists that are too long the beginning is kept (`hybrid/bounds.py`), and of a
    description at most `max_sentences`.
    """
    batch = _clean(source, max_sentences, _Films())
    return CleanedFilms(**vars(batch.outcome()), movies=batch.movies)


def clean_batches(sources: Iterable[Source], max_sentences: int) -> Iterator[CleanedBatch]:
    """Make films of the batches of a source, as `clean` does of all of it."""
    before = _Films()
    return (_clean(source, max_sentences, before) for source in sources)


class _Candidate(NamedTuple):
    """A record that is a film unless it is one again: its number, where it is, its row of the table
    of records with the id that the source has, and of a new one its values."""

    number: int
    line: int
    text: str
    row: RecordRow
    film: int
    values: tuple[object, ...] | None


def _clean(source: Source, max_sentences: int, before: _Films) -> CleanedBatch:
    """Make films of a batch; `before` knows those of the batches before it."""
    frame, numbered = source.frame, "id" not in source.frame
    if numbered:
        frame = frame.assign(id=frame["record"])
    columns = {name: _column(name, frame[name].tolist(), max_sentences) for name in FIELDS}
    lines, texts = frame["line"].tolist(), frame["text"].tolist()
    faults = [column.faults for name, column in columns.items() if name not in NUMBERS]
    reasons = _reasons(faults)
    rejects = [Reject(lines[row], reason, texts[row]) for row, reason in reasons.items()]

    new = _new_candidates(source, columns, numbered, reasons.keys())
    known = (_known_candidate(record, numbered) for record in source.known)
    films: list[_Candidate] = []
    duplicates = 0
    for film in merge(new, known, key=lambda each: each.number):
        if before.has(film.row.values):
            duplicates += 1
        elif not numbered and (clash := before.clash(film.film, film.line)):
            rejects.append(Reject(film.line, clash, film.text))
        else:
            films.append(film)
    films.sort(key=lambda film: film.film)
    movies = {
        film.number: Movie.model_validate(dict(zip(FIELDS, film.values, strict=True)))
        for film in films
        if film.values
    }
    kept = {row: movies[n] for row, n in enumerate(frame["record"].tolist()) if n in movies}
    return CleanedBatch(
        format=source.format,
        numbered=numbered,
        movies=tuple(movies.values()),
        ids=np.array([film.film for film in films], np.int64),
        rows=table_of([film.row for film in films]),
        rejects=tuple(sorted((*source.rejects, *rejects), key=lambda reject: reject.line)),
        duplicates=duplicates,
        records=source.records,
        blank=source.blank,
        without_description=sum(not film.row.described for film in films),
        without_year=sum(not film.row.dated for film in films),
        emptied=_emptied(columns, kept.keys()),
        cuts=tuple(_cuts(columns, kept, lines)),
    )


def _new_candidates(
    source: Source, columns: Mapping[str, "_Column"], numbered: bool, rejected: Set[int]
) -> Iterator[_Candidate]:
    """Yield the rows of the frame that are not rejected."""
    unclear = {row for column in columns.values() for row in (*column.faults, *column.excesses)}
    records, digests = source.frame["record"].tolist(), source.digests.tolist()
    lines, texts = source.frame["line"].tolist(), source.frame["text"].tolist()
    rows = zip(*(column.values for column in columns.values()), strict=True)
    for row, values in enumerate(rows):
        if row in rejected:
            continue
        # What is to be reported again must be read again.
        record = 0 if row in unclear else digests[row]
        yield _Candidate(
            records[row],
            lines[row],
            texts[row],
            new_row(record, values, numbered),
            cast("int", values[0]),
            values,
        )


def new_row(record: int, values: tuple[object, ...], numbered: bool) -> RecordRow:
    """Return the row of a film that no catalogue has yet, of these values of FIELDS.

    `record` is the digest of its record.
    """
    film = dict(zip(FIELDS, values, strict=True))
    described, year = film["description"] is not None, film["year"]
    # The number that we give to a record says nothing about the film.
    content = int.from_bytes(digest(b"", repr(values[1:] if numbered else values)))
    page, title = hashes(film["href"], film["title"], year) if numbered else (0, 0)
    return RecordRow(record, content, page, title, NEW, 0, described, year is not None)


def _known_candidate(known: KnownRecord, numbered: bool) -> _Candidate:
    """Return a record that became a film before."""
    line, film = known.record.line, known.number if numbered else known.row.film
    return _Candidate(known.number, line.number, start(line), known.row, film, None)


@dataclass(frozen=True)
class _Column:
    values: list[object]
    faults: dict[int, str]
    excesses: dict[int, str]


def _column(field: str, raw: Sequence[object], max_sentences: int) -> _Column:
    """Parse the values of a field; one with a fault is empty, and the fault is noted by its row.

    One that is too long is cut, and what is too much is noted.
    """
    empty = () if field in LISTS else None
    column = _Column([empty] * len(raw), {}, {})
    if field not in ("id", "title") and raw.count(None) == len(raw):
        return column  # most files lack most fields
    is_cut = field in CUT
    for row, value in enumerate(raw):
        try:
            if isinstance(value, Fault):
                column.faults[row] = value.reason
                continue
            if not is_empty(value):
                parsed = parse_value(field, value)
                if is_cut:
                    parsed, excess = fit(field, parsed, max_sentences)
                    if excess:
                        column.excesses[row] = excess
                column.values[row] = parsed
            if field in ("id", "title") and column.values[row] is None:
                column.faults[row] = f"no {field}: expected one for every film"
        except InvalidValue as error:
            column.faults[row] = f"{error.kind} {field}: {error.problem}"
    return column


def _reasons(faults: Sequence[dict[int, str]]) -> dict[int, str]:
    """Return the faults of each row that has any, joined."""
    rows = sorted(set().union(*faults))
    return {row: "; ".join(by_row[row] for by_row in faults if row in by_row) for row in rows}


def _cuts(
    columns: Mapping[str, _Column], movies: Mapping[int, Movie], lines: Sequence[int]
) -> Iterator[Cut]:
    cut = set().union(*(column.excesses for column in columns.values())) & movies.keys()
    for row in sorted(cut):
        movie = movies[row]
        for field, column in columns.items():
            if row in column.excesses:
                reason = f"cut {field}: {column.excesses[row]}"
                yield Cut(lines[row], movie.id, movie.title, field, reason)


def _emptied(columns: Mapping[str, _Column], kept: Set[int]) -> dict[str, int]:
    counts = {field: len(columns[field].faults.keys() & kept) for field in NUMBERS}
    return {field: count for field, count in counts.items() if count}
