"""Frames of raw values into clean films; whatever is left out is reported."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from reprlib import repr as shown

import pandas as pd

from hybrid.movie import FIRST_YEAR, LAST_YEAR, MAX_ID, Movie, normalise
from indexer.sources import Reject, Source
from indexer.sources.format import LISTS, Fault

LONGEST_TITLE, LONGEST_GENRE, LONGEST_DESCRIPTION, LONGEST_OTHER = 1_000, 100, 100_000, 2_000

_LONGEST = {
    "title": LONGEST_TITLE,
    "original_title": LONGEST_TITLE,
    "genres": LONGEST_GENRE,
    "description": LONGEST_DESCRIPTION,
}
_WHOLE = "duration_minutes votes metascore reviews_from_users reviews_from_critics".split()
_NUMBERS = [*_WHOLE, "rating", "revenue_millions"]
_LARGEST = {"metascore": 100, "rating": 10, "revenue_millions": 1_000_000}
_INT32 = 2**31 - 1

_NUMBER = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?|[0-9]+(?:\.[0-9]*)?|\.[0-9]+")
# Those among the control characters that count as blanks are collapsed with the others.
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")


@dataclass(frozen=True)
class Cleaned:
    """The films of a source, sorted by id, and an account of everything else.

    `records` is the sum of the films, `rejects` (of reading and of cleaning, by line),
    `duplicates` and `blank`. `emptied` counts by field the numbers that could not be read in the
    films kept.
    """

    format: str
    movies: tuple[Movie, ...]
    rejects: tuple[Reject, ...]
    duplicates: int
    records: int
    blank: int
    without_description: int
    without_year: int
    emptied: dict[str, int]


def clean(source: Source) -> Cleaned:
    """Make films of what was read; a record that cannot be one is rejected with its reason."""
    frame = source.frame if "id" in source.frame else source.frame.assign(id=source.frame["record"])
    fields = list(Movie.model_fields)
    columns = {field: _column(field, frame[field].tolist()) for field in fields}
    parsed = pd.DataFrame({name: column.values for name, column in columns.items()}, dtype=object)
    parsed["line"] = frame["line"]

    reasons = _reasons([column.faults for name, column in columns.items() if name not in _NUMBERS])
    films = parsed.drop(index=list(reasons))
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
    return Cleaned(
        format=source.format,
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
    parse = _PARSERS.get(field, _text)
    nothing = () if field in LISTS else None
    needed = field in ("id", "title")
    column = _Column([nothing] * len(raw), {})
    for row, value in enumerate(raw):
        try:
            if isinstance(value, Fault):
                raise ValueError(value.reason)  # noqa: TRY004, TRY301
            if value is not None and not (isinstance(value, str) and not value.strip()):
                column.values[row] = parse(field, value)
            if needed and column.values[row] is None:
                raise ValueError(f"no {field}: expected one for every film")  # noqa: TRY301
        except ValueError as error:
            column.faults[row] = str(error)
    return column


def _text(field: str, value: object) -> str | None:
    if not isinstance(value, str):
        raise ValueError(f"wrong {field}: {shown(value)}, expected text")  # noqa: TRY004
    text = normalise(" ".join(_CONTROLS.sub("", value).split()))
    longest = _LONGEST.get(field, LONGEST_OTHER)
    if len(text) > longest:
        size = f"{len(text):,} characters, expected {longest:,} at most"
        raise ValueError(f"too long {field}: {shown(text)} of {size}")
    return text or None


def _names(field: str, value: object) -> tuple[str, ...]:
    """Return the texts of a list, each once: the first spelling of those equal but for case."""
    if not isinstance(value, list):
        raise ValueError(f"wrong {field}: {shown(value)}, expected a list of texts")  # noqa: TRY004
    unique: dict[str, str] = {}
    for name in (_text(field, entry) for entry in value):
        if name:
            unique.setdefault(name.casefold(), name)
    return tuple(unique.values())


def _id(field: str, value: object) -> int:
    if type(value) is int and 0 <= value <= MAX_ID:
        return value
    raise ValueError(
        f"wrong {field}: {shown(value)}, expected 0 to {MAX_ID} as its format writes it "
        "(348 or tt0111161)"
    )


def _year(field: str, value: object) -> int:
    number = _number_of(value)
    if FIRST_YEAR <= number <= LAST_YEAR and number % 1 == 0:
        return int(number)
    raise ValueError(
        f"impossible {field}: {shown(value)}, expected {FIRST_YEAR} to {LAST_YEAR}, or nothing"
    )


def _number(field: str, value: object) -> int | float:
    number = _number_of(value)
    if 0 <= number <= _LARGEST.get(field, _INT32):
        if field not in _WHOLE:
            return float(number)
        if number % 1 == 0:
            return int(number)
    raise ValueError(f"wrong {field}: {shown(value)}, expected a number")


def _number_of(value: object) -> int | float:
    """Return the number that a value is or writes out, else one that is in no range."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return float(value.replace(",", ""))
    # bool is an int to Python, but true is neither a year nor a number of votes.
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return float("nan")


_PARSERS: dict[str, Callable[[str, object], object]] = {
    "id": _id,
    "year": _year,
    **dict.fromkeys(LISTS, _names),
    **dict.fromkeys(_NUMBERS, _number),
}


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
    counts = {field: len(columns[field].faults.keys() & kept) for field in _NUMBERS}
    return {field: count for field, count in counts.items() if count}
