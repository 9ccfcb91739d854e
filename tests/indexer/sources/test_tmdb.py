"""TMDB's file: JSON in cells, dates for years, zeros for unknowns."""

import json
from pathlib import Path

import pytest

from indexer.films.clean import clean
from indexer.sources import read_source
from tests.indexer.film_files import Row, csv_file

COLUMNS = (
    "budget genres homepage id keywords original_language original_title overview popularity "
    "production_companies production_countries release_date revenue runtime spoken_languages "
    "status tagline title vote_average vote_count"
).split()


def named(*names: str) -> str:
    """Return names as TMDB writes them into a cell."""
    return json.dumps([{"id": number, "name": name} for number, name in enumerate(names)])


ALIEN = {
    "budget": "11000000",
    "genres": named("Horror", "Science Fiction"),
    "id": "348",
    "keywords": named("android", "space ship"),
    "original_title": "Alien",
    "overview": "A tug answers a signal, and something comes aboard with the crew.",
    "production_companies": named("Brandywine, Ltd.", "Twentieth Century-Fox"),
    "production_countries": '[{"iso_3166_1": "GB", "name": "United Kingdom"}]',
    "release_date": "1979-05-25",
    "revenue": "104931801",
    "runtime": "117",
    "spoken_languages": '[{"iso_639_1": "en", "name": "English"}]',
    "title": "Alien",
    "vote_average": "7.9",
    "vote_count": "4470",
}

UNKNOWN = {"id": "7", "title": "Some Film", "genres": "[]", "budget": "0", "revenue": "0"}


def read(path: Path, *rows: Row) -> Path:
    """Write the rows as TMDB does."""
    return csv_file(path / "tmdb_5000_movies.csv", COLUMNS, rows)


def test_a_film_comes_over_whole(tmp_path: Path) -> None:
    """Names, year, sums and id are taken out of their form."""
    source = read_source(read(tmp_path, ALIEN))
    assert source.format == "TMDB movies CSV"
    (film,) = clean(source).movies
    assert (film.id, film.title, film.year, film.released) == (348, "Alien", 1979, "1979-05-25")
    assert film.genres == ("Horror", "Science Fiction")
    assert film.keywords == ("android", "space ship")
    assert film.companies == ("Brandywine, Ltd.", "Twentieth Century-Fox")
    assert (film.countries, film.languages) == (("United Kingdom",), ("English",))
    assert (film.duration_minutes, film.rating, film.votes) == (117, 7.9, 4470)
    assert film.budget == "$ 11000000"
    assert film.revenue_millions == pytest.approx(104.931801)


def test_zero_and_nothing_are_unknown(tmp_path: Path) -> None:
    """A film without date, sums or text is kept, with nothing in their place."""
    cleaned = clean(read_source(read(tmp_path, UNKNOWN | {"runtime": "0.0"})))
    (film,) = cleaned.movies
    unknown = film.year, film.budget, film.revenue_millions, film.duration_minutes
    assert unknown == (None, None, None, None)
    assert film.description is None
    assert cleaned.emptied == {}


@pytest.mark.parametrize(
    ("column", "cell", "field"),
    [
        ("genres", "Horror, Drama", "genres"),
        ("genres", '[{"id": 1}]', "genres"),
        ("keywords", '[{"name": "cut', "keywords"),
        ("production_companies", "7", "companies"),
        ("genres", "[" * 5000, "genres"),
        ("spoken_languages", '[{"name": "\\ud800"}]', "spoken_languages"),
        ("id", "tt348", "id"),
        ("id", "-3", "id"),
    ],
)
def test_a_broken_cell_rejects_its_film_by_name(
    tmp_path: Path, column: str, cell: str, field: str
) -> None:
    """What cannot be read is rejected with its line and field; the other films stay."""
    cleaned = clean(read_source(read(tmp_path, ALIEN | {column: cell}, UNKNOWN)))
    assert [film.id for film in cleaned.movies] == [7]
    (reject,) = cleaned.rejects
    assert reject.line == 2
    assert field in reject.kind


def test_a_broken_cell_is_told_by_its_column(tmp_path: Path) -> None:
    """The reason has the column of the file, where the JSON breaks and what was expected."""
    cell = named("Brandywine")[:-1]
    cleaned = clean(read_source(read(tmp_path, ALIEN | {"production_companies": cell})))
    (reject,) = cleaned.rejects
    assert reject.kind == "broken JSON in production_companies"
    assert "at character" in reject.reason
    assert 'expected a list like [{"id": 28, "name": "Action"}]' in reject.reason


def test_sums_that_are_none(tmp_path: Path) -> None:
    """What is not a number stays for the cleaner to count; a budget is text and may be any."""
    row = ALIEN | {"budget": "unknown", "revenue": "much", "runtime": "-1"}
    cleaned = clean(read_source(read(tmp_path, row)))
    assert cleaned.movies[0].budget == "unknown"
    assert cleaned.emptied == {"duration_minutes": 1, "revenue_millions": 1}


def test_names_that_are_empty_are_left_out(tmp_path: Path) -> None:
    """TMDB has languages with an empty name; the film keeps the others."""
    row = ALIEN | {"spoken_languages": named("", "English"), "keywords": ""}
    (film,) = clean(read_source(read(tmp_path, row))).movies
    assert film.languages == ("English",)
    assert film.keywords == ()
