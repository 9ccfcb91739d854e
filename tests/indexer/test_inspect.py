"""A file is shown as it would be indexed, or with what it takes to read it."""

import tomllib
from pathlib import Path

import pytest

from hybrid.errors import SourceUnreadable
from indexer.films.clean import clean
from indexer.inspect import inspect, inspect_file, mapping_for, write_mapping
from indexer.sources import read_source
from tests.indexer.film_files import json_lines, kaggle_csv, write

OWN = (
    "Film;Release Date;Plot;Genre(s);Director Name;Content\n"
    "Alien;25.5.1979;A crew wakes. It is not alone.;Horror, Sci-Fi;Ridley Scott;x\n"
)


def guessed(*columns: str) -> dict[str, str]:
    """Return the columns that a mapping starts with, by their fields."""
    return dict(tomllib.loads(mapping_for(columns)).get("columns", {}))


def test_what_is_recognised(tmp_path: Path) -> None:
    """The report has the format, the fields, all counts, films and rejects with their lines."""
    inspection = inspect(kaggle_csv(tmp_path / "films.csv"))
    lines = [" ".join(line.split()) for line in inspection.report.splitlines()]
    assert inspection.mapping is None
    assert lines[0] == "films.csv is read as: Kaggle IMDb movies CSV"
    assert "'genre' genres" in lines
    assert "records 13" in lines
    assert "films 8 of them 1 without a description, 1 without a year" in lines
    assert "duplicates 1 exact, the first kept" in lines
    assert "rejected 4" in lines
    assert "1 impossible year" in lines
    assert "emptied 1 metascore: no number" in lines
    assert "2101 Cleopatra (1912)" in lines
    assert "17136 Metropolis" in lines
    assert "genres Drama, Sci-Fi" in lines
    assert "sentence 2 Bandits come after the harvest." in lines
    assert "The Godfather" not in inspection.report  # the fourth
    assert any(line.startswith("line 13: impossible year: '9168'") for line in lines)


def test_columns_of_no_use(tmp_path: Path) -> None:
    """Columns that are left out are shown, and that none gives a description is said."""
    film = {"title": "Alien", "year": 1979, "plot": "A crew wakes."}
    report = inspect(json_lines(tmp_path / "films.jsonl", [film])).report
    assert "-- not used" in next(line for line in report.splitlines() if "'plot'" in line)
    assert "No column gives a description" in report
    mapping = write(tmp_path / "my.toml", '[columns]\ntitle = "title"\ndescription = "plot"')
    report = inspect(tmp_path / "films.jsonl", mapping).report
    assert "No column gives a description" not in report
    assert "A crew wakes." in report


def test_what_is_not_recognised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing is listed for each format, and the mapping to start from reads the file."""
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path / "films.v1.csv.gz", OWN)
    inspection = inspect(path)
    assert "not recognised: CSV delimited by semicolons (;)" in inspection.report
    assert "'film', 'release date', 'plot'" in inspection.report
    assert "IMDB-1000 CSV: lacks 'title', 'genre', 'description', 'year'" in inspection.report
    assert inspection.mapping is not None
    assert "films.v1.mapping.toml" in write_mapping(inspection.mapping, path)
    (film,) = clean(read_source(path, mapping=Path("films.v1.mapping.toml"))).movies
    assert (film.title, film.year, film.released) == ("Alien", 1979, "25.5.1979")
    assert film.genres == ("Horror", "Sci-Fi")
    assert film.directors == ("Ridley Scott",)
    assert film.description == "A crew wakes. It is not alone."


def test_known_columns_between_other_delimiters(tmp_path: Path) -> None:
    """Kaggle's columns with semicolons lack nothing but the commas."""
    text = "imdb_title_id;title;year;genre;description\ntt1;A;1979;Drama;x\n"
    report = inspect(write(tmp_path / "films.csv", text)).report
    assert "Kaggle IMDb movies CSV: has its columns, but not its commas" in report


def test_json_lines_and_their_formats(tmp_path: Path) -> None:
    """Formats of another kind of file are not offered."""
    report = inspect(json_lines(tmp_path / "films.jsonl", [{"film": "A"}])).report
    assert "Wikipedia JSON lines: lacks 'title', 'year'" in report
    assert "Kaggle" not in report


def test_a_mapping_is_never_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mapping that is there, perhaps edited, stays, and the message says so."""
    monkeypatch.chdir(tmp_path)
    assert write_mapping("a", Path("/elsewhere/films.csv")).startswith(
        "It was written to films.mapping"
    )
    assert "stays as it is" in write_mapping("b", Path("/elsewhere/films.csv"))
    assert Path("films.mapping.toml").read_text() == "a"


def test_a_mapping_that_cannot_be_written_is_shown(tmp_path: Path) -> None:
    """If no file can be written, the report still has the mapping, and says why."""
    file = write(tmp_path / f"{'x' * 250}.csv", "Film Title,Released\nHeat,1995\n")
    report = inspect_file(file, None, None)
    assert 'title = "film title"' in report
    assert "could not be written" in report
    assert "File name too long" in report


def test_no_film_file_is_an_error(tmp_path: Path) -> None:
    """A mapping could not help a file that is not text."""
    path = tmp_path / "films.xlsx"
    path.write_bytes(b"PK\x03\x04")
    with pytest.raises(SourceUnreadable, match="Excel"):
        inspect(path)


def test_nothing_acts_on_the_terminal(tmp_path: Path) -> None:
    """Escape codes in a file's lines and names are not passed on."""
    text = "title,year,genre,description,\x1b[2Jx\n\x1b[31mA,soon,,,\n"
    assert "\x1b" not in inspect(write(tmp_path / "films.csv", text)).report
    assert "\x1b" not in inspect(write(tmp_path / "films.csv", "\x1b[2Jx,y\n")).report


def test_guesses_by_name() -> None:
    """Whole names go before last words, one column serves one field, and a date two."""
    assert guessed("Movie Title", "Year", "Overview", "Starring") == {
        "title": "Movie Title",
        "year": "Year",
        "description": "Overview",
        "cast": "Starring",
    }
    columns = guessed("movie_title", "director_name", "plot_keywords", "title_year", "genres")
    assert columns == {
        "title": "movie_title",
        "directors": "director_name",
        "keywords": "plot_keywords",
        "year": "title_year",
        "genres": "genres",
    }
    assert guessed("name", "release_date", "imdb_id", "studio_id") == {
        "id": "imdb_id",
        "title": "name",
        "year": "release_date",
        "released": "release_date",
    }
    assert guessed("Runtime (Minutes)", "Synopsis", "Original Title", "IMDb Rating") == {
        "duration_minutes": "Runtime (Minutes)",
        "description": "Synopsis",
        "original_title": "Original Title",
        "rating": "IMDb Rating",
    }


def test_no_title_to_be_seen() -> None:
    """A mapping without a title says what is to be filled in, and is TOML all the same."""
    mapping = mapping_for(["colour", 'a "b"\\\n\x7f', ""])
    assert "# title = (needed" in mapping
    assert tomllib.loads(mapping)["columns"] == {}
