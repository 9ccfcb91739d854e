"""Raw values become clean films, and what does not is accounted for."""

import json
import random
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid.bounds import LISTS
from hybrid.movie import FIRST_YEAR, LAST_YEAR, MAX_ID, Movie
from indexer.films.clean import CleanedFilms, clean
from indexer.films.field_values import NUMBERS, parse_value
from indexer.sources import read_source
from tests.indexer.film_files import (
    KAGGLE_FILMS,
    KAGGLE_ROWS,
    SHAWSHANK,
    json_lines,
    kaggle_csv,
    write,
)


@pytest.fixture(scope="module")
def kaggle(tmp_path_factory: pytest.TempPathFactory) -> CleanedFilms:
    """Give Kaggle's rows with all their wrinkles, read and cleaned."""
    path = kaggle_csv(tmp_path_factory.mktemp("kaggle") / "IMDb movies.csv.gz")
    return clean(read_source(path))


def films(tmp_path: Path, *objects: object) -> CleanedFilms:
    """Return what becomes of JSON lines."""
    return clean(read_source(json_lines(tmp_path / "films.jsonl", objects)))


def film(**values: object) -> dict[str, object]:
    """Return a film as JSON lines have it."""
    return {"title": "Alien", "year": 1979} | values


def test_kaggle_films(kaggle: CleanedFilms) -> None:
    """The films are kept in the order of their ids, and every other row is accounted for."""
    assert tuple(movie.id for movie in kaggle.movies) == KAGGLE_FILMS
    assert (kaggle.records, kaggle.duplicates, len(kaggle.rejects)) == (len(KAGGLE_ROWS), 1, 4)
    assert (kaggle.without_description, kaggle.without_year) == (1, 1)
    assert kaggle.emptied == {"metascore": 1}


def test_kaggle_rejects(kaggle: CleanedFilms) -> None:
    """A reject has its line, and its reason the value and what was expected."""
    found = [(reject.line, reject.kind, reject.reason) for reject in kaggle.rejects]
    assert [(line, kind) for line, kind, _ in found] == [
        (12, "no title"),
        (13, "impossible year"),
        (14, "wrong id"),
        (15, "repeated id"),
    ]
    assert f"'9168', expected {FIRST_YEAR} to {LAST_YEAR}" in found[1][2]
    assert "'nm0000229'" in found[2][2]
    assert "68646 is on line 3" in found[3][2]
    assert kaggle.rejects[2].text.startswith("nm0000229,Jaws")


def test_kaggle_values(kaggle: CleanedFilms) -> None:
    """Every field of a film comes through in its own type."""
    movies = {movie.id: movie for movie in kaggle.movies}
    assert movies[111161] == Movie(
        id=111161,
        title="The Shawshank Redemption",
        original_title="The Shawshank Redemption",
        year=1994,
        genres=("Drama",),
        description=SHAWSHANK["description"],
        cast=("Tim Robbins", "Morgan Freeman", "Bob Gunton"),
        directors=("Frank Darabont",),
        writers=("Stephen King", "Frank Darabont"),
        companies=("Castle Rock Entertainment",),
        countries=("USA",),
        languages=("English",),
        released="1994-10-14",
        duration_minutes=142,
        rating=9.3,
        votes=2278845,
        metascore=80,
        budget="$ 25000000",
    )
    assert movies[8206668].year == 2019
    assert movies[211915].title == "Amélie"
    assert movies[47478].genres == ("Action", "Drama")
    assert movies[47478].description == (
        "Farmers hire masterless swordsmen. Bandits come after the harvest."
    )
    matrix = movies[133093]
    assert (matrix.duration_minutes, matrix.votes, matrix.metascore) == (136, 1632315, None)
    assert matrix.companies == ("Warner Bros., Inc.",)


def test_every_field_is_cleaned() -> None:
    """A new field of Movie that is a list or a number must be named to the cleaner."""
    for name, field in Movie.model_fields.items():
        annotation = str(field.annotation)
        assert (name in LISTS) == ("tuple" in annotation), name
        numeric = "int" in annotation or "float" in annotation
        assert (name in NUMBERS or name in ("id", "year")) == numeric, name


def test_text_is_tidied(tmp_path: Path) -> None:
    """Blanks are collapsed, control characters removed, letters composed; HTML stays."""
    (movie,) = films(
        tmp_path,
        film(
            title=" A\u0000 \t Film\u00a0 ",
            extract="\n<b>Cafe\u0301</b>\r\n\n x ",
            genres=["  Film   noir", "", "FILM NOIR", "\u0007"],
        ),
    ).movies
    assert movie.title == "A Film"
    assert movie.description == "<b>Café</b> x"
    assert movie.genres == ("Film noir",)


@pytest.mark.parametrize("year", [1979, "1979", 1979.0, " 1979.0 ", "1,979"])
def test_years_in_any_dress(tmp_path: Path, year: object) -> None:
    """A year as number or text is the same year."""
    assert films(tmp_path, film(year=year)).movies[0].year == 1979


@pytest.mark.parametrize("year", [None, "", "  "])
def test_no_year_is_no_fault(tmp_path: Path, year: object) -> None:
    """A film without a year is kept and counted."""
    cleaned = films(tmp_path, film(year=year))
    assert cleaned.movies[0].year is None
    assert cleaned.without_year == 1


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"title": None}, "no title"),
        ({"title": "\u0001"}, "no title"),
        ({"title": "\u200b \u2060"}, "no title"),
        ({"title": 300}, "wrong title: 300, expected text"),
        ({"title": "x" * 1001}, "too long title"),
        ({"year": True}, "impossible year: True"),
        ({"year": FIRST_YEAR - 1}, "impossible year: 1869"),
        ({"year": LAST_YEAR + 1}, "impossible year: 2101"),
        ({"year": "1979.5"}, "impossible year: '1979.5'"),
        ({"year": 10**400}, "impossible year"),
        ({"year": "soon"}, "impossible year: 'soon'"),
        ({"cast": 5}, "wrong cast: 5, expected a list"),
        ({"cast": "Sigourney Weaver"}, "wrong cast: 'Sigourney Weaver', expected a list"),
        ({"cast": ["Ian Holm", 5]}, "wrong cast: 5, expected text"),
        ({"extract": {"text": "x"}}, "wrong description"),
    ],
)
def test_what_is_no_film(tmp_path: Path, values: dict[str, object], reason: str) -> None:
    """A film with an impossible value is rejected for it; its neighbour stays."""
    cleaned = films(tmp_path, film(title="Aliens"), film(**values))
    assert [movie.title for movie in cleaned.movies] == ["Aliens"]
    assert [reject.line for reject in cleaned.rejects] == [2]
    assert reason in cleaned.rejects[0].reason
    assert "expected" in cleaned.rejects[0].reason


def test_longest_texts_are_kept(tmp_path: Path) -> None:
    """A text as long as allowed is neither rejected nor cut."""
    longest = film(title="x" * 1000, genres=["y" * 100], extract="z" * 50_000)
    cleaned = films(tmp_path, longest)
    assert (cleaned.rejects, cleaned.cuts) == ((), ())


@pytest.mark.parametrize(
    "code",
    [0x200B, 0xFEFF, 0x2060, 0xAD, 0x115F, 0x1160, 0x3164, 0xFFA0, 0x2800, 0x301, 0x202E, 0x3000],
)
def test_texts_that_show_nothing(code: int) -> None:
    """Characters that show nothing are not a text alone, however many, but stay beside one that is
    seen."""
    assert parse_value("title", chr(code) * 3) is None
    assert parse_value("cast", [chr(code), "A"]) == ("A",)
    assert parse_value("title", f"A{chr(code)}B") is not None


@pytest.mark.parametrize("title", ["...", "M", "$", "\u0e01\u0e33", "\U0001f600", "\ue000"])
def test_short_titles_are_titles(title: str) -> None:
    """Whatever is seen is a text, if only a sign."""
    assert parse_value("title", title) == title


def test_all_faults_of_a_film_are_named(tmp_path: Path) -> None:
    """A reject shows all that is needed to correct it."""
    (reject,) = films(tmp_path, film(title="", year=5, cast=1)).rejects
    assert [part.partition(":")[0] for part in reject.reason.split("; ")] == [
        "no title",
        "impossible year",
        "wrong cast",
    ]


@pytest.mark.parametrize(
    "cell", ["abc", "n/a", "nan", "inf", "1e400", "-5", "9" * 400, "1,2", "92.5", str(2**31)]
)
def test_numbers_that_are_none_are_emptied(tmp_path: Path, cell: str) -> None:
    """A number of minutes that cannot be one costs the cell, not the film, and is counted."""
    path = kaggle_csv(tmp_path / "films.csv", [SHAWSHANK | {"duration": cell}])
    cleaned = clean(read_source(path))
    assert cleaned.movies[0].duration_minutes is None
    assert cleaned.emptied == {"duration_minutes": 1}


@pytest.mark.parametrize("value", [True, [5], {"n": 5}, float("nan"), float("inf")])
def test_json_values_that_are_no_numbers(value: object) -> None:
    """true is not 1, though Python's bool is an int."""
    with pytest.raises(ValueError, match="expected a whole number"):
        parse_value("votes", value)


def test_only_the_cells_of_films_kept_are_emptied(tmp_path: Path) -> None:
    """A cell of a duplicate or a reject is not counted a second time."""
    row = SHAWSHANK | {"votes": "many"}
    path = kaggle_csv(tmp_path / "films.csv", [row, row, row | {"title": ""}])
    assert clean(read_source(path)).emptied == {"votes": 1}


@pytest.mark.parametrize(
    ("written", "expected"),
    [("tt0000000", 0), ("TT7 ", 7), (f"tt{MAX_ID}", MAX_ID)],
)
def test_ids(tmp_path: Path, written: str, expected: int) -> None:
    """The number of an IMDb id is the film's id, exact up to the largest."""
    path = kaggle_csv(tmp_path / "films.csv", [SHAWSHANK | {"imdb_title_id": written}])
    assert clean(read_source(path)).movies[0].id == expected


@pytest.mark.parametrize("written", ["", "tt", "0111161", f"tt{MAX_ID + 1}", "tt" + "1" * 5000])
def test_ids_that_are_none(tmp_path: Path, written: str) -> None:
    """A missing, foreign or too large id is a reject."""
    path = kaggle_csv(tmp_path / "films.csv", [SHAWSHANK | {"imdb_title_id": written}])
    cleaned = clean(read_source(path))
    assert cleaned.movies == ()
    assert cleaned.rejects[0].kind == ("wrong id" if written else "no id")


def test_a_reject_takes_no_id(tmp_path: Path) -> None:
    """A film whose id only a reject above it has is kept."""
    rows = [SHAWSHANK | {"year": "9999"}, SHAWSHANK]
    cleaned = clean(read_source(kaggle_csv(tmp_path / "films.csv", rows)))
    assert [movie.id for movie in cleaned.movies] == [111161]


def test_duplicates_are_equal_when_clean(tmp_path: Path) -> None:
    """Without ids of the source the record's number is the id and does not tell films apart."""
    cleaned = films(tmp_path, film(), film(title="Alien "), film(year=1980), film(cast=["X"]))
    assert [movie.id for movie in cleaned.movies] == [0, 2, 3]
    assert cleaned.duplicates == 1


def test_header_alone_is_no_film(tmp_path: Path) -> None:
    """A file without rows gives no films and no error."""
    cleaned = clean(read_source(kaggle_csv(tmp_path / "films.csv", [])))
    assert (cleaned.movies, cleaned.records, cleaned.rejects) == ((), 0, ())


@settings(max_examples=60)
@given(
    years=st.lists(
        st.one_of(st.integers(1800, 2200), st.text("0123456789TV Mo.-", max_size=9)), max_size=9
    ),
    words=st.sampled_from(["", "TV Movie ", "Video  "]),
)
def test_years_of_kaggle(
    tmp_path_factory: pytest.TempPathFactory, years: list[int | str], words: str
) -> None:
    """A year within the bounds is read after any words; anything else is nothing or a reject."""
    rows = [
        {"imdb_title_id": f"tt{row}", "title": "A", "year": f"{words}{year}"}
        for row, year in enumerate(years)
    ]
    path = kaggle_csv(tmp_path_factory.mktemp("years") / "films.csv", rows)
    cleaned = clean(read_source(path))
    found = {movie.id: movie.year for movie in cleaned.movies}
    assert len(found) + len(cleaned.rejects) == len(years)
    for row, year in enumerate(years):
        if isinstance(year, int) and FIRST_YEAR <= year <= LAST_YEAR:
            assert found[row] == year
        elif isinstance(year, int):
            assert row not in found
        else:
            known = found.get(row)
            assert known is None or FIRST_YEAR <= known <= LAST_YEAR


def test_every_record_of_a_large_file(tmp_path: Path) -> None:
    """Of thousands of records, repeated ones and blank lines among them, each is a film or counted,
    under the id of its own record and with its title in its normal form."""
    choose = random.Random(3)
    written: list[str] = []
    duplicates = blank = bare = 0
    for number in range(3_000):
        title = "".join(choose.choices(["e\u0301", "\u00e9", "x", "  ", "\u00a0", "\t"], k=6))
        values = film(
            title=f"Film {number} {title}", year=1900 + number % 100, extract=f"A {number}."
        )
        if choose.random() < 0.05:
            del values["extract"]
            bare += 1
        written.append(json.dumps(values, ensure_ascii=choose.random() < 0.5))
        if choose.random() < 0.01:
            again = values | {"title": unicodedata.normalize("NFD", f" {values['title']} ")}
            written.append(json.dumps(again))
            duplicates += 1
        if choose.random() < 0.01:
            written.append("")
            blank += 1
    source = read_source(write(tmp_path / "films.jsonl.gz", "".join(f"{w}\n" for w in written)))
    cleaned = clean(source)
    assert min(duplicates, blank, bare) > 10
    assert (cleaned.records, cleaned.blank, cleaned.duplicates) == (len(written), blank, duplicates)
    assert (cleaned.rejects, cleaned.emptied) == ((), {})
    assert len(cleaned.movies) == 3_000
    assert (cleaned.without_description, cleaned.without_year) == (bare, 0)
    assert source.frame["record"].tolist() == [line - 1 for line in source.frame["line"]]
    for movie in cleaned.movies:
        title = json.loads(written[movie.id])["title"]
        assert movie.title == unicodedata.normalize("NFC", " ".join(title.split()))
