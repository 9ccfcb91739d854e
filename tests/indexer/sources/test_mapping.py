"""Files of one's own: a mapping names their columns, `inspect` helps to write it."""

import json
import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid.errors import SourceUnreadable
from indexer.films.clean import CleanedFilms, clean
from indexer.inspect import inspect_file, mapping_for
from indexer.sources import read_source
from indexer.sources.mapping import read_mapping
from tests.indexer.film_files import SHAWSHANK, kaggle_csv

MAPPING = """
separator = "/"
[columns]
title = "Film"
year = "Released"
description = "Plot"
genres = "Genre"
cast = "With"
id = "Code"
"""

HEADER = ["Code", "Film", "Released", "Genre", "With", "Plot", "Shelf"]

ALIEN = ["348", "Alien", "25 May 1979", "Horror/Sci-Fi", "Sigourney Weaver", "A tug lands.", "B"]

BLANK = ["tt0078748", "Untold", "", "", "", "", ""]


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    """Give the mapping in a file."""
    path = tmp_path / "my.toml"
    path.write_text(MAPPING, encoding="utf-8")
    return path


def read(path: Path, mapping: Path) -> CleanedFilms:
    """Return the films of a mapped file."""
    return clean(read_source(path, None, mapping))


def check(cleaned: CleanedFilms) -> None:
    """The two films came over whole."""
    alien, untold = cleaned.movies
    assert (alien.id, alien.title, alien.year) == (348, "Alien", 1979)
    assert alien.genres == ("Horror", "Sci-Fi")
    assert alien.cast == ("Sigourney Weaver",)
    assert alien.description == "A tug lands."
    assert (untold.id, untold.year, untold.genres) == (78748, None, ())
    assert cleaned.rejects == ()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_of_any_delimiter(tmp_path: Path, mapping: Path, delimiter: str) -> None:
    """The delimiter is recognised by the header."""
    path = tmp_path / "films.txt"
    path.write_text("\n".join(delimiter.join(row) for row in (HEADER, ALIEN, BLANK)), "utf-8")
    check(read(path, mapping))


def test_json_lines(tmp_path: Path, mapping: Path) -> None:
    """Lists may be lists, and are not split then."""
    films = [dict(zip(HEADER, row, strict=True)) for row in (ALIEN, BLANK)]
    films[0] |= {"Genre": ["Horror", "Sci-Fi"], "Released": 1979}  # type: ignore[dict-item]
    path = tmp_path / "films.jsonl"
    path.write_text("\n".join(map(json.dumps, films)), "utf-8")
    check(read(path, mapping))


def test_parquet(tmp_path: Path, mapping: Path) -> None:
    """Typed columns, lists and missing values come over; a known format needs no mapping."""
    columns: dict[str, list[object]] = {
        name: [one, other] for name, one, other in zip(HEADER, ALIEN, BLANK, strict=True)
    }
    columns["Released"] = [pd.Timestamp("1979-05-25"), pd.NaT]
    columns["Genre"] = [["Horror", "Sci-Fi"], None]
    frame = pd.DataFrame(columns)
    frame.to_parquet(tmp_path / "films.parquet")
    check(read(tmp_path / "films.parquet", mapping))
    known = pd.read_csv(kaggle_csv(tmp_path / "kaggle.csv", [SHAWSHANK]), dtype=str)
    known.to_parquet(tmp_path / "known.parquet")
    assert clean(read_source(tmp_path / "known.parquet")).movies[0].id == 111161


def test_a_damaged_parquet_file_is_told(tmp_path: Path) -> None:
    """What begins like Parquet and is none is an error, not a stack trace."""
    (tmp_path / "films.parquet").write_bytes(b"PAR1 and nothing")
    with pytest.raises(SourceUnreadable, match="damaged Parquet"):
        read_source(tmp_path / "films.parquet")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[columns", "not valid TOML"),
        ("", "names no title"),
        ("columns = 3", "columns is 3"),
        ('[columns]\nyear = "Released"', "names no title"),
        ('[columns]\ntitle = "Film"\nplot = "Plot"', "no field 'plot'"),
        ("[columns]\ntitle = 7", "title is 7"),
        ('separator = ""\n[columns]\ntitle = "Film"', "separator"),
        ('colour = "red"\n[columns]\ntitle = "Film"', "colour"),
    ],
)
def test_a_wrong_mapping_names_its_fault(tmp_path: Path, text: str, message: str) -> None:
    """The error says which key is wrong and what was expected."""
    (tmp_path / "my.toml").write_text(text)
    with pytest.raises(SourceUnreadable, match=message):
        read_mapping(tmp_path / "my.toml")


def test_a_column_that_is_not_there_is_named(tmp_path: Path, mapping: Path) -> None:
    """The columns that the file has are listed."""
    (tmp_path / "films.csv").write_text("Film,Plot\nAlien,A tug lands.\n")
    with pytest.raises(
        SourceUnreadable, match=r"line 5: year is the column 'released'.*one of 'film', 'plot'"
    ):
        read_source(tmp_path / "films.csv", None, mapping)
    with pytest.raises(SourceUnreadable, match="cannot be read"):
        read_source(tmp_path / "films.csv", None, tmp_path / "missing.toml")


def test_inspect_shows_films_and_rejects(tmp_path: Path, mapping: Path) -> None:
    """What was recognised, how a film would be indexed, and why a row is none."""
    path = tmp_path / "films.csv"
    path.write_text("\n".join(",".join(row) for row in (HEADER, ALIEN, ["9", *[""] * 6])), "utf-8")
    report = inspect_file(path, mapping, None)
    assert "1  no title" in report
    assert "Horror, Sci-Fi" in report
    assert "A tug lands." in report
    assert "line 3: no title" in report


def test_inspect_starts_a_mapping_that_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For an unknown file a mapping is written, never over one that is there, and it reads it."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "mine.csv"
    path.write_text(
        'Name,Date,Plot,Stars\nAlien,1979-05-25,A tug lands.,"S. Weaver, T. Skerritt"\n'
    )
    assert "was written to mine.mapping.toml" in inspect_file(path, None, None)
    written = tmp_path / "mine.mapping.toml"
    (film,) = read(path, written).movies
    assert (film.title, film.year, film.cast) == ("Alien", 1979, ("S. Weaver", "T. Skerritt"))
    written.write_text("mine\n")
    assert "is there already" in inspect_file(path, None, None)
    assert written.read_text() == "mine\n"


@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=6, unique=True))
def test_a_mapping_to_start_from_is_toml(columns: list[str]) -> None:
    """Whatever the columns are called, what is written can be read."""
    import tomllib

    assert tomllib.loads(mapping_for(["title", *columns]))["columns"]["title"] == "title"


@settings(max_examples=60)
@given(st.binary(max_size=200))
def test_every_record_is_accounted_for(garbage: bytes) -> None:
    """Whatever follows in a mapped file, it is refused, or each record is accounted for."""
    with tempfile.TemporaryDirectory() as folder:
        toml, path = Path(folder) / "my.toml", Path(folder) / "films.csv"
        toml.write_text(MAPPING)
        start = ";".join(HEADER) + "\n" + ";".join(ALIEN) + "\n"
        path.write_bytes(start.encode() + garbage)
        try:
            cleaned = read(path, toml)
        except SourceUnreadable:
            return
        found = len(cleaned.movies) + len(cleaned.rejects) + cleaned.duplicates + cleaned.blank
        assert found == cleaned.records
