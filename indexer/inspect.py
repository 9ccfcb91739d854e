"""What a build would make of a file: its columns, its first films, its rejects."""

from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

from hybrid.movie import Movie
from indexer.clean import Cleaned, clean
from indexer.passages import sentence_spans
from indexer.sources import Unrecognised, read_source

SHOWN = 3

LIKELY = {
    "title": "title name film movie",
    "id": "id imdb_id imdbid tmdb_id code",
    "original_title": "original_title originaltitle",
    "year": "year released release_date date premiered",
    "genres": "genres genre category",
    "description": "description plot overview summary synopsis extract storyline",
    "cast": "cast actors stars starring",
    "directors": "directors director",
    "writers": "writers writer screenplay",
    "countries": "countries country",
    "languages": "languages language",
    "duration_minutes": "duration runtime minutes",
    "rating": "rating score vote_average",
    "votes": "votes vote_count",
}
"""Names that columns often have, by the field of a film that they then hold."""


def inspected(path: Path, mapping: Path | None, limit: int | None) -> str:
    """Return the report. Raises SourceUnreadable where the file cannot be read at all."""
    try:
        cleaned = clean(read_source(path, limit, mapping))
    except Unrecognised as unrecognised:
        return f"{unrecognised.message}\n\n{_start_mapping(path, unrecognised.columns)}"
    return "\n".join(_lines(path, cleaned))


def _lines(path: Path, cleaned: Cleaned) -> Iterator[str]:
    yield f"{path.name}: {cleaned.format}"
    yield (
        f"{cleaned.records:,} records: {len(cleaned.movies):,} films, {len(cleaned.rejects):,} "
        f"rejected, {cleaned.duplicates:,} duplicates, {cleaned.blank:,} blank lines"
    )
    yield (
        f"{cleaned.without_description:,} films have no description, "
        f"{cleaned.without_year:,} no year"
    )
    for field, count in cleaned.emptied.items():
        yield f"{count:,} numbers in {field} could not be read and are left out"
    for movie in cleaned.movies[:SHOWN]:
        yield ""
        yield from _film(movie)
    if cleaned.rejects:
        kinds = Counter(reject.kind for reject in cleaned.rejects).most_common()
        yield "\nRejected: " + ", ".join(f"{count:,} {kind}" for kind, count in kinds)
    for reject in cleaned.rejects[:SHOWN]:
        yield f"  line {reject.line}: {reject.reason}"
        yield f"    {reject.text[:100]}"


def _film(movie: Movie) -> Iterator[str]:
    """Show the fields that are set, and the sentences as they would be embedded."""
    for field, value in movie.model_dump(exclude_defaults=True, exclude={"description"}).items():
        yield f"  {field:22}{', '.join(value) if isinstance(value, tuple) else value}"
    description = movie.description or ""
    for number, (start, end) in enumerate(sentence_spans(description), start=1):
        yield f"  sentence {number:<13}{description[start:end]}"


def _start_mapping(path: Path, columns: Collection[str]) -> str:
    """Write a mapping that guesses what the columns are, unless there is one already."""
    file = Path(f"{path.name.partition('.')[0]}.mapping.toml")
    if file.exists():
        return f"{file} is there already: complete it, then run this again with --mapping {file}"
    file.write_text(mapping_for(columns), encoding="utf-8")
    return (
        f"A mapping to start from was written to {file}: look it through, then run\n"
        f"  python -m indexer inspect {path} --mapping {file}"
    )


def mapping_for(columns: Collection[str]) -> str:
    """Return TOML that maps the columns whose names say what they hold, and lists the others."""
    lines = ['separator = ","  # between the entries of a list in a cell', "", "[columns]"]
    free = list(columns)
    for field, names in LIKELY.items():
        found = next((name for name in names.split() if name in free), None)
        if found:
            free.remove(found)
            lines.append(f"{field} = {_quoted(found)}")
        elif field == "title":
            lines.append('# title = "COLUMN"  # which is needed')
    lines.append("")
    lines += [f"# not used: {_quoted(name)}" for name in free]
    lines.append(f"# fields there are: {', '.join(Movie.model_fields)}")
    return "\n".join(lines) + "\n"


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in escaped) + '"'
