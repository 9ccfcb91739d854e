"""Files of any columns become films by a mapping, or an error says what is wrong with it."""

import csv
import io
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid.errors import SourceUnreadable
from hybrid.movie import Movie
from indexer.films.clean import CleanedFilms, clean
from indexer.sources import read_source
from tests.indexer.film_files import json_lines, write

MAPPING = """
name = "my films"
separator = "/"
[columns]
id = "Code"
title = "Film"
year = "Released"
released = "Released"
genres = "Genre"
description = "Plot"
budget = "Cost"
"""

CSV_TEXT = (
    "Code,Film,Released,Genre,Plot,Cost,Seen\n"
    'tt0078748,Alien,25.5.1979,Horror / Sci-Fi,"A signal, answered.",11000000,yes\n'
)

ALIEN = Movie(
    id=78748,
    title="Alien",
    year=1979,
    released="25.5.1979",
    genres=("Horror", "Sci-Fi"),
    description="A signal, answered.",
    budget="11000000",
)


def read(
    folder: Path, file: Path, mapping: str = MAPPING, limit: int | None = None
) -> CleanedFilms:
    """Return what becomes of `file` by a mapping."""
    return clean(read_source(file, limit, write(folder / "my.toml", mapping)))


def refusal(folder: Path, file: Path, mapping: str) -> str:
    """Return what the error says that must come."""
    with pytest.raises(SourceUnreadable) as caught:
        read(folder, file, mapping)
    return caught.value.message


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_of_any_delimiter(tmp_path: Path, delimiter: str) -> None:
    """Whichever stands between the columns, the film is the same; lists have their own sign."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(csv.reader(CSV_TEXT.splitlines()))
    cleaned = read(tmp_path, write(tmp_path / "films.csv", text.getvalue()))
    assert cleaned.format == "my films"
    assert cleaned.movies == (ALIEN,)


def test_the_delimiter_that_finds_the_columns(tmp_path: Path) -> None:
    """Names with commas in them do not make a file one of commas."""
    path = write(tmp_path / "films.csv", "Film;cast, crew, extras\nAlien;Sigourney Weaver\n")
    mapping = '[columns]\ntitle = "Film"\ncast = "Cast, crew, extras"'
    assert read(tmp_path, path, mapping).movies[0].cast == ("Sigourney Weaver",)


def test_json_lines(tmp_path: Path) -> None:
    """Lists may be lists, of texts or of objects with names, and texts may be numbers."""
    films = [
        {"Code": 78748, "Film": "Alien", "Released": "25.5.1979", "Cost": 11000000}
        | {"Genre": ["Horror", {"id": 2, "name": "Sci-Fi"}], "Plot": "A signal, answered."},
        {"Code": 5, "Film": 1917, "Released": 2019, "Genre": "War/Drama"},
    ]
    cleaned = read(tmp_path, json_lines(tmp_path / "films.jsonl", films))
    assert cleaned.rejects == ()
    assert cleaned.movies[1] == ALIEN
    assert (cleaned.movies[0].title, cleaned.movies[0].year) == ("1917", 2019)
    assert cleaned.movies[0].genres == ("War", "Drama")


def test_parquet(tmp_path: Path) -> None:
    """Typed columns give the same film; an id that was once missing somewhere is a float."""
    table = {
        "Code": [78748.0, None],
        "Film": ["Alien", "Aliens"],
        "Released": [date(1979, 5, 25), None],
        "Genre": [[{"id": 27, "name": "Horror"}, {"id": 878, "name": "Sci-Fi"}], None],
        "Plot": ["A signal, answered.", None],
        "Cost": [11000000.0, None],
    }
    path = tmp_path / "films.parquet"
    pq.write_table(pa.table(table), path)
    cleaned = read(tmp_path, path)
    assert cleaned.movies == (ALIEN.model_copy(update={"released": "1979-05-25"}),)
    assert [(reject.line, reject.kind) for reject in cleaned.rejects] == [(2, "no id")]


def test_without_ids_records_are_counted(tmp_path: Path) -> None:
    """A title is all that is needed: the record's number is the id, and a comma parts lists."""
    path = write(tmp_path / "films.csv", 'Film,Genre\nA,\n\nB,"x, y"\n')
    movies = read(tmp_path, path, '[columns]\ntitle = "film"\ngenres = " GENRE "').movies
    assert [(movie.id, movie.title, movie.genres) for movie in movies] == [
        (0, "A", ()),
        (2, "B", ("x", "y")),
    ]


def test_lists_as_json_in_a_cell(tmp_path: Path) -> None:
    """A cell that begins with a bracket is JSON, and a broken one is reported with its column."""
    cells = ['["a", "b/c"]', '[{"name": "d"}]', '["e"', "f/g"]
    rows = "".join(
        f'{row},"{cell.replace(chr(34), chr(34) * 2)}"\n' for row, cell in enumerate(cells)
    )
    path = write(tmp_path / "films.csv", "Film,Genre\n" + rows)
    mapping = 'separator = "/"\n[columns]\ntitle = "Film"\ngenres = "Genre"'
    cleaned = read(tmp_path, path, mapping)
    assert [movie.genres for movie in cleaned.movies] == [("a", "b/c"), ("d",), ("f", "g")]
    assert [(reject.line, reject.kind) for reject in cleaned.rejects] == [
        (4, "broken JSON in genre")
    ]


@pytest.mark.parametrize(
    ("written", "year"),
    [
        ("1979", 1979),
        ("1979-05-25", 1979),
        ("1979/5", 1979),
        ("1979-05-25T20:00:00Z", 1979),
        ("25.05.1979", 1979),
        ("5/25/1979", 1979),
        ("May 25, 1979", 1979),
        ("TV Movie 1979", 1979),
        ("1979.0", 1979),
        ("", None),
    ],
)
def test_years_in_dates(tmp_path: Path, written: str, year: int | None) -> None:
    """A date has its year anywhere, at the beginning or the end."""
    path = write(tmp_path / "films.csv", f'Film,Released\nAlien,"{written}"\n')
    mapping = '[columns]\ntitle = "Film"\nyear = "Released"'
    assert read(tmp_path, path, mapping).movies[0].year == year


@pytest.mark.parametrize(
    "written", ["soon", "1979.5", "19790525", "25.5.79", "0000-00-00", "12345"]
)
def test_what_has_no_year(tmp_path: Path, written: str) -> None:
    """Digits that are not the year of a date are not taken for one."""
    path = write(tmp_path / "films.csv", f"Film,Released\nAlien,{written}\n")
    mapping = '[columns]\ntitle = "Film"\nyear = "Released"'
    assert [reject.kind for reject in read(tmp_path, path, mapping).rejects] == ["impossible year"]


@pytest.mark.parametrize(
    ("mapping", "found"),
    [
        ('[columns]\ntitle = "Film"\ntitel = "Film"', "line 3: a film has no field 'titel'"),
        ('[columns]\ntitle = "Film"\nyear = "Jahr"', "line 3: year is the column 'jahr', which"),
        ('[columns]\ntitle = "Film"\nyear = "Jahr"', "expected one of 'code', 'film', 'released'"),
        ('[columns]\nyear = "Released"', "names no title"),
        ("", "names no title"),
        ('title = "Film"', "line 1: unknown key 'title'; put title under a line [columns]"),
        ('[colums]\ntitle = "Film"', "line 1: unknown key 'colums'; expected name, separator"),
        (f"a = {'9' * 5000}", "has a number or a nesting that is too long"),
        (f"separator = 0x{'f' * 5000}", "has a number or a nesting that is too long"),
        (f"a = {'[' * 5000}", "has a number or a nesting that is too long"),
        ("[columns]\ntitle = 5", "line 2: title is 5; expected the name of a column in quotes"),
        ('[columns]\ntitle = " "', "line 2: title is ' '"),
        ('columns = "Film"', "line 1: columns is 'Film'; expected a table [columns]"),
        ('separator = 5\n[columns]\ntitle = "Film"', "line 1: separator is 5; expected text"),
        ('separator = ""\n[columns]\ntitle = "Film"', "line 1: separator is empty"),
        ("[columns]\ntitle = Film", "not valid TOML: Invalid value (at line 2"),
        ('[columns]\ntitle = "Film"\ntitle = "Film"', "not valid TOML"),
    ],
)
def test_wrong_mappings(tmp_path: Path, mapping: str, found: str) -> None:
    """The error has the mapping's name, the line or key and what was expected."""
    message = refusal(tmp_path, write(tmp_path / "films.csv", CSV_TEXT), mapping)
    assert found in message
    assert str(tmp_path / "my.toml") in message


def test_mappings_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing mapping and one in another encoding are told apart; a byte order mark is none."""
    films = write(tmp_path / "films.csv", CSV_TEXT)
    mapping = tmp_path / "other.toml"
    with pytest.raises(SourceUnreadable, match=r"other\.toml cannot be read: No such file"):
        read_source(films, mapping=mapping)
    mapping.write_bytes('[columns]\ntitle = "Fílm"'.encode("latin-1"))
    with pytest.raises(SourceUnreadable, match="not UTF-8"):
        read_source(films, mapping=mapping)
    mapping.write_text(MAPPING, encoding="utf-8-sig")
    assert clean(read_source(films, mapping=mapping)).movies == (ALIEN,)


def test_a_mapping_goes_before_what_is_known(tmp_path: Path) -> None:
    """A file in known columns is read as the mapping says if there is one."""
    path = json_lines(tmp_path / "films.jsonl", [{"title": "A", "year": 1979, "plot": "x"}])
    cleaned = read(tmp_path, path, '[columns]\ntitle = "title"\ndescription = "plot"')
    assert (cleaned.movies[0].description, cleaned.movies[0].year) == ("x", None)


CELLS = st.text(st.sampled_from('a1/;,"\n\t|[]{}: é\u0301\u0007') | st.characters(codec="utf-8"))


@settings(max_examples=150)
@given(
    rows=st.lists(st.lists(CELLS, min_size=4, max_size=4), max_size=6),
    delimiter=st.sampled_from(",;\t|"),
    junk=st.sampled_from(["", "\n", '"', "x;y\n", "\n\n,,,,,\n"]),
)
def test_every_record_is_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], delimiter: str, junk: str
) -> None:
    """Of any cells, between whole rows or before junk, each record is a film or counted."""
    folder = tmp_path_factory.mktemp("mapped")
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(
        [["Code", "Film", "Released", "Genre"], *rows]
    )
    mapping = '[columns]\nid = "Code"\ntitle = "Film"\nyear = "Released"\ngenres = "Genre"'
    try:
        cleaned = read(folder, write(folder / "films.csv", text.getvalue() + junk), mapping)
    except SourceUnreadable as error:
        assert "\0" in text.getvalue(), error  # noqa: PT017
        return
    accounted = len(cleaned.movies) + len(cleaned.rejects) + cleaned.duplicates + cleaned.blank
    assert accounted == cleaned.records
    if not junk and "\r" not in text.getvalue():
        assert cleaned.records == len(rows)
