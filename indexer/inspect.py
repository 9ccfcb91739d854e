"""A report on a file of films, before anything is built from it."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from textwrap import shorten

from hybrid.bounds import MAX_SENTENCES
from hybrid.movie import Movie
from hybrid.terminal.text import printable
from hybrid.text.sentences import sentence_spans
from indexer.films.clean import CleanedFilms, clean
from indexer.sources import Source, UnknownFormat, formats_in, read_source
from indexer.sources.records import quoted

FILMS, REJECTS, COLUMNS = 3, 5, 100
"""Maximum numbers shown in a report."""

_GUESSES = {  # last the fields whose words are in the names of other columns as well
    "id": "id imdb_id imdb_title_id tmdb_id movie_id film_id movieid filmid tconst",
    "original_title": "original_title original_name original_film_title orig_title",
    "year": "year released release_year release_date date_published date premiere premiered",
    "released": "release_date date_published released date premiere premiered",
    "genres": "genres genre category categories",
    "keywords": "keywords keyword plot_keywords tags tag",
    "cast": "cast actors actor stars star starring",
    "directors": "directors director directed_by",
    "writers": "writers writer screenplay screenwriter screenwriters written_by",
    "companies": "production_companies production_company companies company studio studios",
    "countries": "countries country production_countries origin",
    "languages": "languages language spoken_languages",
    "duration_minutes": "runtime duration running_time runtime_minutes duration_minutes minutes",
    "votes": "votes vote_count num_votes num_voted_users",
    "rating": "rating vote_average avg_vote imdb_rating imdb_score score",
    "metascore": "metascore metacritic",
    "budget": "budget",
    "thumbnail": "thumbnail poster poster_url poster_link image",
    "description": "description overview plot plot_summary summary synopsis storyline extract",
    "title": "title movie_title film_title movie_name film_name name names film movie",
}


_NOTES = {
    "id": "  # a number, or one after tt; without this line films are numbered as they come",
    "year": "  # a year, or a date that begins or ends with one",
}


@dataclass(frozen=True)
class Inspection:
    """A report and, if the format is not recognised, a mapping to start from.

    The mapping is TOML. If no column looks like a title, it must be completed first.
    """

    report: str
    mapping: str | None = None


def inspect(
    path: Path,
    mapping: Path | None = None,
    limit: int | None = None,
    max_sentences: int = MAX_SENTENCES,
) -> Inspection:
    """Read a file of films as `build` would. Raises SourceUnreadable."""
    try:
        source = read_source(path, limit, mapping)
    except UnknownFormat as error:
        report = _not_recognised(path, error)
        return Inspection("\n".join(report), mapping_for(error.columns))
    return Inspection("\n".join(_recognised(path, source, clean(source, max_sentences))))


def _recognised(path: Path, source: Source, cleaned: CleanedFilms) -> Iterator[str]:
    yield f"{printable(path.name)} is read as: {source.format}"
    yield from _columns(source)
    yield from _counts(cleaned)
    if cleaned.movies:
        yield f"\nThe first films by id, as they would be indexed ({FILMS} at most)"
    for movie in cleaned.movies[:FILMS]:
        yield from _film(movie)
    if cleaned.rejects:
        yield f"\nThe first rejects ({REJECTS} at most)"
    for reject in cleaned.rejects[:REJECTS]:
        yield f"  line {reject.line:,}: {printable(reject.reason)}"
        yield f"    {_short(printable(reject.text))}"
    if cleaned.cuts:
        yield f"\nThe first fields that are cut ({REJECTS} at most)"
    for cut in cleaned.cuts[:REJECTS]:
        yield f"  line {cut.line:,}, {_short(printable(cut.title))}: {cut.reason}"


def _not_recognised(path: Path, error: UnknownFormat) -> Iterator[str]:
    yield f"{printable(path.name)} is not recognised: {error.kind} with the columns"
    yield f"  {printable(quoted(error.columns))}"
    yield f"\nFormats known, {error.container}"
    for known in formats_in(error.container):
        missing = known.missing(error.columns)
        lacks = f"lacks {quoted(missing)}" if missing else "has its columns, but not its commas"
        yield f"  {known.name}: {lacks}"
    yield "\nA mapping to start from"


def _columns(source: Source) -> Iterator[str]:
    fields: dict[str, list[str]] = {column: [] for column in source.columns}
    for field, column in source.fields.items():
        fields[column].append(field)
    yield "\nColumn of the file -> field of a film"
    for column, names in islice(fields.items(), COLUMNS):
        yield f"  {_short(printable(repr(column)), 40):<40}  {', '.join(names) or '-- not used'}"
    if len(fields) > COLUMNS:
        yield f"  and {len(fields) - COLUMNS:,} more"
    if "description" not in source.fields:
        yield "  No column gives a description: these films are found by keywords only, unless a"
        yield "  mapping names a column for it (--mapping)."


def _counts(cleaned: CleanedFilms) -> Iterator[str]:
    yield "\nWhat becomes of the records"
    yield f"  records     {cleaned.records:>9,}"
    yield (
        f"  films       {len(cleaned.movies):>9,}  of them {cleaned.without_description:,} without "
        f"a description, {cleaned.without_year:,} without a year"
    )
    yield f"  duplicates  {cleaned.duplicates:>9,}  exact, the first kept"
    yield f"  blank lines {cleaned.blank:>9,}"
    yield f"  rejected    {len(cleaned.rejects):>9,}"
    for kind, number in Counter(reject.kind for reject in cleaned.rejects).most_common():
        yield f"              {number:>9,}  {printable(kind)}"
    for field, number in cleaned.emptied.items():
        yield f"  emptied     {number:>9,}  {field}: no number"
    for field, number in Counter(cut.field for cut in cleaned.cuts).items():
        yield f"  cut         {number:>9,}  {field}: too long, the beginning kept"


def _film(movie: Movie) -> Iterator[str]:
    year = f" ({movie.year})" if movie.year else ""
    yield f"\n  {movie.id}  {movie.title}{year}"
    for field, value in movie:
        if value not in (None, ()) and field not in ("id", "title", "year", "description"):
            text = ", ".join(value) if isinstance(value, tuple) else str(value)
            yield f"    {field:<22} {_short(text)}"
    text = movie.description or ""
    for number, (start, end) in enumerate(sentence_spans(text), 1):
        yield f"    {f'sentence {number}':<22} {text[start:end]}"


def _short(text: str, most: int = 100) -> str:
    return shorten(text, most, placeholder=" ...") if " " in text[:most] else text[:most]


def inspect_file(
    path: Path, mapping: Path | None, limit: int | None, max_sentences: int = MAX_SENTENCES
) -> str:
    """Return the report; a mapping to start from is written to a file, and shown as well."""
    result = inspect(path, mapping, limit, max_sentences)
    if result.mapping is None:
        return result.report
    return f"{result.report}\n\n{result.mapping}\n{write_mapping(result.mapping, path)}"


def write_mapping(mapping: str, path: Path) -> str:
    """Write a mapping for `path` to the current folder unless it exists; return what to do next."""
    file = Path(f"{Path(path.name.removesuffix('.gz')).stem}.mapping.toml")
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(mapping)
    except FileExistsError:
        return (
            f"{file} is there already and stays as it is; look with it: "
            f"--mapping {file}, or remove it to get a new one"
        )
    except OSError as error:
        return (
            f"It could not be written to {file} ({error.strerror}): save it as a file, check it, "
            "then look again with --mapping FILE"
        )
    return f"It was written to {file}: check it, then look again with --mapping {file}"


def mapping_for(columns: Sequence[str]) -> str:
    """Return a mapping of fields to the columns whose names look like theirs."""
    fields = _guess(columns)
    left = [column for column in columns if column not in fields.values()]
    others = [field for field in Movie.model_fields if field not in fields]
    lines = [
        "# Which column of the file is which field of a film; a guess by the names, to be checked.",
        'separator = ","  # between the entries of a list in a cell, such as the genres',
        "",
        "[columns]",
        *([] if "title" in fields else ["# title = (needed: put here the column of the titles)"]),
        *(f"{field} = {_toml(fields[field])}{_NOTES.get(field, '')}" for field in fields),
        "",
        f"# Columns not used: {', '.join(map(_toml, left)) or 'none'}",
        f"# Fields not given: {', '.join(others)}",
    ]
    return "\n".join(lines) + "\n"


def _guess(columns: Sequence[str]) -> dict[str, str]:
    """Return fields with their columns: by the whole name first, then by its last word."""
    free = [column for column in columns if column.strip()]
    found: dict[str, str] = {}
    for name_of in (_joined, _last_word):
        for field, guesses in _GUESSES.items():
            names = [_joined(guess) for guess in guesses.split()]
            matches = [column for column in free if name_of(column) in names]
            if field in found or not matches or (field == "id" and name_of is _last_word):
                continue  # many things have ids: "director id" is not the film's
            found[field] = min(matches, key=lambda column: names.index(name_of(column)))
            # A date gives the year and is kept whole as well.
            if field != "year" or "date" not in found[field]:
                free.remove(found[field])
    return {field: found[field] for field in Movie.model_fields if field in found}


def _words(column: str) -> list[str]:
    """Return the words of a name, without those in brackets, as in "Runtime (Minutes)"."""
    return re.findall(r"[^\W_]+", re.sub(r"\(.*?\)|\[.*?\]", " ", column.casefold()))


def _joined(column: str) -> str:
    return "".join(_words(column))


def _last_word(column: str) -> str:
    """Return the last word of a name, but of "director name" the one before."""
    words = _words(column)
    if len(words) > 1 and words[-1] in ("name", "names"):
        words.pop()
    return words[-1] if words else ""


def _toml(text: str) -> str:
    """Return a TOML string: that of JSON but for one character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
