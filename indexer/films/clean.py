"""The records of a source as films; whatever is left out is reported."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from hybrid.bounds import LISTS, MAX_SENTENCES
from hybrid.movie import Movie
from indexer.films.field_values import NUMBERS, InvalidValue, is_empty, parse_value
from indexer.films.fit import fit
from indexer.sources import Reject, Source
from indexer.sources.format import Fault, as_objects


@dataclass(frozen=True)
class Cut:
    """A field of which a film keeps only the beginning: its line, the reason, and the film."""

    line: int
    film: int
    title: str
    field: str
    reason: str


@dataclass(frozen=True)
class CleanedFilms:
    """The films of a source, sorted by id, and what became of its other records.

    `numbered` says that the source has no ids and the films have the numbers of their records.
    `records` is the sum of the films, `rejects` (of reading and of cleaning, by line),
    `duplicates` and `blank`. `emptied` counts for each field the numbers of the films that could
    not be read. `cuts` has the fields that were too long, by line.
    """

    format: str
    numbered: bool
    movies: tuple[Movie, ...]
    rejects: tuple[Reject, ...]
    duplicates: int
    records: int
    blank: int
    without_description: int
    without_year: int
    emptied: dict[str, int]
    cuts: tuple[Cut, ...]


def clean(source: Source, max_sentences: int = MAX_SENTENCES) -> CleanedFilms:
    """Make films of what was read; a record that cannot be one is rejected with its reason.

    Of descriptions and lists that are too long the beginning is kept (`hybrid/bounds.py`), and of a
    description at most `max_sentences`.
    """
    frame, numbered = source.frame, "id" not in source.frame
    if numbered:
        frame = frame.assign(id=frame["record"])
    fields = list(Movie.model_fields)
    columns = {field: _column(field, frame[field], max_sentences) for field in fields}
    frame = frame.assign(**{name: as_objects(column.values) for name, column in columns.items()})

    reasons = _reasons([column.faults for name, column in columns.items() if name not in NUMBERS])
    films = frame.drop(index=list(reasons))
    # The number that we give to a record says nothing about the film.
    repeated = films.duplicated([name for name in fields if not (numbered and name == "id")])
    films = films[~repeated]
    clashes = _clashes(films)
    films = films.drop(index=list(clashes))

    rows = zip(*(films[field] for field in fields), strict=True)
    movies = [Movie.model_validate(dict(zip(fields, row, strict=True))) for row in rows]
    rejects = [
        Reject(frame["line"][row], reason, frame["text"][row])
        for row, reason in (reasons | clashes).items()
    ]
    return CleanedFilms(
        format=source.format,
        numbered=numbered,
        movies=tuple(sorted(movies, key=lambda movie: movie.id)),
        rejects=tuple(sorted((*source.rejects, *rejects), key=lambda reject: reject.line)),
        duplicates=int(repeated.sum()),
        records=source.records,
        blank=source.blank,
        without_description=sum(movie.description is None for movie in movies),
        without_year=sum(movie.year is None for movie in movies),
        emptied=_emptied(columns, set(films.index)),
        cuts=tuple(_cuts(columns, films)),
    )


@dataclass(frozen=True)
class _Column:
    values: list[object]
    faults: dict[int, str]
    excesses: dict[int, str]


def _column(field: str, raw: Iterable[object], max_sentences: int) -> _Column:
    """Parse the values of a field; one with a fault is empty, and the fault is noted by its row.

    One that is too long is cut, and what is too much is noted.
    """
    empty = () if field in LISTS else None
    column = _Column([], {}, {})
    for row, value in enumerate(raw):
        column.values.append(empty)
        try:
            if isinstance(value, Fault):
                column.faults[row] = value.reason
                continue
            if not is_empty(value):
                fitting, excess = fit(field, parse_value(field, value), max_sentences)
                column.values[row] = fitting
                if excess:
                    column.excesses[row] = excess
            if field in ("id", "title") and column.values[row] is None:
                column.faults[row] = f"no {field}: expected one for every film"
        except InvalidValue as error:
            column.faults[row] = f"{error.kind} {field}: {error.problem}"
    return column


def _reasons(faults: Sequence[dict[int, str]]) -> dict[int, str]:
    """Return the faults of each row that has any, joined."""
    rows = sorted(set().union(*faults))
    return {row: "; ".join(by_row[row] for by_row in faults if row in by_row) for row in rows}


def _clashes(films: pd.DataFrame) -> dict[int, str]:
    """Return the reasons to reject films that have the id of a film above, by row."""
    first: dict[int, int] = {}
    reasons = {}
    for row, film, line in zip(films.index, films["id"], films["line"], strict=True):
        if first.setdefault(film, line) != line:
            reasons[row] = (
                f"repeated id: {film} is on line {first[film]} with other content, "
                "expected one film an id"
            )
    return reasons


def _cuts(columns: dict[str, _Column], films: pd.DataFrame) -> Iterator[Cut]:
    cut = sorted(set().union(*(column.excesses for column in columns.values())) & set(films.index))
    for row in cut:
        line, film, title = (films[name][row] for name in ("line", "id", "title"))
        for field, column in columns.items():
            if row in column.excesses:
                yield Cut(line, film, title, field, f"cut {field}: {column.excesses[row]}")


def _emptied(columns: dict[str, _Column], kept: set[int]) -> dict[str, int]:
    counts = {field: len(columns[field].faults.keys() & kept) for field in NUMBERS}
    return {field: count for field, count in counts.items() if count}
