"""Frames of raw values into clean films; whatever is left out is reported."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from hybrid.movie import Movie
from indexer.films.field_values import LISTS, NUMBERS, InvalidValue, is_nothing, parsed
from indexer.sources import Reject, Source
from indexer.sources.format import Fault


@dataclass(frozen=True)
class CleanedFilms:
    """The films of a source, sorted by id, and an account of everything else.

    `numbered` is whether the source has no ids and the films have the numbers of their records.
    `records` is the sum of the films, `rejects` (of reading and of cleaning, by line),
    `duplicates` and `blank`. `emptied` counts by field the numbers that could not be read in the
    films kept.
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


def clean(source: Source) -> CleanedFilms:
    """Make films of what was read; a record that cannot be one is rejected with its reason."""
    frame = source.frame if "id" in source.frame else source.frame.assign(id=source.frame["record"])
    fields = list(Movie.model_fields)
    columns = {field: _column(field, frame[field].tolist()) for field in fields}
    table = pd.DataFrame({name: column.values for name, column in columns.items()}, dtype=object)
    table["line"] = frame["line"]

    reasons = _reasons([column.faults for name, column in columns.items() if name not in NUMBERS])
    films = table.drop(index=list(reasons))
    # A number given to a record by us tells nothing of the film.
    repeated = films.duplicated([name for name in fields if name in source.frame])
    films = films[~repeated]
    clashes = _clashes(films)
    films = films.drop(index=list(clashes))

    movies = [Movie.model_validate(values) for values in films[fields].to_dict("records")]
    rejects = [
        Reject(int(frame["line"][row]), reason, str(frame["text"][row]))
        for row, reason in (reasons | clashes).items()
    ]
    return CleanedFilms(
        format=source.format,
        numbered="id" not in source.frame,
        movies=tuple(sorted(movies, key=lambda movie: movie.id)),
        rejects=tuple(sorted((*source.rejects, *rejects), key=lambda reject: reject.line)),
        duplicates=int(repeated.sum()),
        records=source.records,
        blank=source.blank,
        without_description=sum(movie.description is None for movie in movies),
        without_year=sum(movie.year is None for movie in movies),
        emptied=_emptied(columns, set(films.index)),
    )


@dataclass(frozen=True)
class _Column:
    values: list[object]
    faults: dict[int, str]


def _column(field: str, raw: Sequence[object]) -> _Column:
    """Parse a column; a value with a fault is empty, and the fault is noted by its row."""
    nothing = () if field in LISTS else None
    needed = field in ("id", "title")
    column = _Column([nothing] * len(raw), {})
    for row, value in enumerate(raw):
        try:
            if isinstance(value, Fault):
                column.faults[row] = value.reason
                continue
            if not is_nothing(value):
                column.values[row] = parsed(field, value)
            if needed and column.values[row] is None:
                column.faults[row] = f"no {field}: expected one for every film"
        except InvalidValue as error:
            column.faults[row] = f"{error.kind} {field}: {error.told}"
    return column


def _reasons(faults: Sequence[dict[int, str]]) -> dict[int, str]:
    """Return for each row with faults all of them."""
    rows = sorted(set().union(*faults))
    return {row: "; ".join(of[row] for of in faults if row in of) for row in rows}


def _clashes(films: pd.DataFrame) -> dict[int, str]:
    """Return the reasons against films whose id another film above has."""
    first: dict[int, int] = {}
    reasons = {}
    for row, id, line in zip(films.index, films["id"], films["line"], strict=True):
        if first.setdefault(id, line) != line:
            reasons[row] = (
                f"repeated id: {id} is on line {first[id]} with other content, "
                "expected one film an id"
            )
    return reasons


def _emptied(columns: dict[str, _Column], kept: set[int]) -> dict[str, int]:
    counts = {field: len(columns[field].faults.keys() & kept) for field in NUMBERS}
    return {field: count for field, count in counts.items() if count}
