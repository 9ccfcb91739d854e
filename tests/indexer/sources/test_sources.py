"""Files become records with their lines, or an error that helps."""

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid.errors import SourceUnreadable
from indexer.films.clean import clean
from indexer.sources import read_source
from indexer.sources.records import csv_fields
from tests.indexer.film_files import (
    KAGGLE_COLUMNS,
    KAGGLE_ROWS,
    SHAWSHANK,
    csv_file,
    imdb_1000_csv,
    json_lines,
    kaggle_csv,
    write,
)

HEADER = "imdb_title_id,title,year,genre,description\n"

FILM = {"title": "Alien", "year": 1979}


def refusal(path: Path) -> str:
    """Return what the error says that must come."""
    with pytest.raises(SourceUnreadable) as caught:
        read_source(path)
    return caught.value.message


def test_kaggle_rows_keep_their_places(tmp_path: Path) -> None:
    """Lines count from 1 with the header, records from 0 without; a row over two lines is one."""
    source = read_source(kaggle_csv(tmp_path / "films.csv"))
    assert source.format == "Kaggle IMDb movies CSV"
    assert (source.records, source.blank, source.rejects) == (len(KAGGLE_ROWS), 0, ())
    assert source.frame["record"].tolist() == list(range(13))
    assert source.frame["line"].tolist() == [2, 3, 4, 5, 6, 7, 8, *range(10, 16)]
    assert source.frame["id"].tolist()[:2] == [111161, 68646]
    assert source.frame["year"].tolist()[3] == "2019"
    assert "\n" in source.frame["description"].tolist()[6]


def test_imdb_1000(tmp_path: Path) -> None:
    """Its columns are recognised, and its rank does not become an id."""
    row = {"Rank": "7", "Title": "La La Land", "Year": "2016", "Genre": "Comedy,Drama,Music"}
    row |= {"Runtime (Minutes)": "128", "Rating": "8.3", "Revenue (Millions)": "151.06"}
    source = read_source(imdb_1000_csv(tmp_path / "films.csv", [row]))
    film = source.frame.iloc[0]
    assert source.format == "IMDB-1000 CSV"
    assert "id" not in source.frame
    assert (film["duration_minutes"], film["rating"]) == ("128", "8.3")
    assert film["revenue_millions"] == "151.06"
    assert film["genres"] == ["Comedy", "Drama", "Music"]


def test_wikipedia(tmp_path: Path) -> None:
    """The article's lead is the description; keys that are absent leave None."""
    films = [FILM, FILM | {"extract": "A crew wakes early.", "cast": ["Sigourney Weaver"]}]
    source = read_source(json_lines(tmp_path / "films.jsonl", films))
    assert source.format == "Wikipedia JSON lines"
    assert source.frame["description"].tolist() == [None, "A crew wakes early."]
    assert source.frame["cast"].tolist() == [None, ["Sigourney Weaver"]]


def test_kaggle_with_numbers_for_ids(tmp_path: Path) -> None:
    """The bundled sample's columns are Kaggle's, with a whole number as `id`."""
    columns = ["id", *KAGGLE_COLUMNS[1:]]
    rows = [{"id": " 7 ", "title": "A", "year": "TV Movie 2019"}, {"id": "tt7", "title": "B"}]
    cleaned = clean(read_source(csv_file(tmp_path / "films.csv", columns, rows)))
    assert [(movie.id, movie.year) for movie in cleaned.movies] == [(7, 2019)]
    assert [reject.kind for reject in cleaned.rejects] == ["wrong id"]


def test_both_ids(tmp_path: Path) -> None:
    """With IMDb's ids beside others the file is Kaggle's."""
    path = csv_file(tmp_path / "films.csv", [*KAGGLE_COLUMNS, "id"], [SHAWSHANK | {"id": "5"}])
    assert read_source(path).frame["id"].tolist() == [111161]


def test_a_column_without_a_name_is_no_field(tmp_path: Path) -> None:
    """The row numbers that pandas writes under an empty name fill no field that has no column."""
    text = ",title,genre,description,year\n0,Alien,Horror,x,1979\n"
    (movie,) = clean(read_source(write(tmp_path / "films.csv", text))).movies
    assert (movie.directors, movie.rating, movie.metascore) == ((), None, None)


def test_columns_are_told_with_their_fields(tmp_path: Path) -> None:
    """What was found is known by name, that of no use too."""
    source = read_source(write(tmp_path / "films.csv", "Seen," + HEADER))
    assert source.columns == ("seen", "imdb_title_id", "title", "year", "genre", "description")
    assert source.fields["genres"] == "genre"
    assert "seen" not in source.fields.values()


def parquet_file(path: Path, columns: Mapping[str, object]) -> Path:
    """Write a Parquet file."""
    pq.write_table(pa.table(columns), path)
    return path


def test_parquet_of_known_columns(tmp_path: Path) -> None:
    """Columns with types give the same films as the texts of the CSV."""
    row = {name: [value] for name, value in SHAWSHANK.items()}
    typed = {
        "year": [1994],
        "date_published": [datetime(1994, 10, 14)],
        "duration": [142.0],
        "avg_vote": [9.3],
        "votes": [2278845],
        "genre": [["Drama"]],
    }
    source = read_source(parquet_file(tmp_path / "films", row | typed))
    assert source.format == "Kaggle IMDb movies CSV as Parquet"
    plain = clean(read_source(kaggle_csv(tmp_path / "films.csv", [SHAWSHANK])))
    assert clean(source).movies == plain.movies


def test_parquet_rows_have_their_places(tmp_path: Path) -> None:
    """A row's number is its line, over more rows than are read at a time, and `limit` counts them.

    What is missing is missing, whichever way it is written.
    """
    rows = 2_500
    years = [None if row == 1_200 else 10 if row == 2_100 else 1979 for row in range(rows)]
    path = parquet_file(
        tmp_path / "films.parquet",
        {
            "title": [f"Film {row}" for row in range(rows)],
            "year": pa.array(years, pa.float64()),
            "rating": [float("nan")] * rows,
            "genres": [["Drama", None]] * rows,
        },
    )
    source = read_source(path)
    cleaned = clean(source)
    assert source.format == "Wikipedia JSON lines as Parquet"
    assert (cleaned.records, len(cleaned.movies), cleaned.without_year) == (rows, rows - 1, 1)
    assert cleaned.movies[0].genres == ("Drama",)
    assert [(reject.line, reject.kind) for reject in cleaned.rejects] == [
        (2_101, "impossible year")
    ]
    assert cleaned.rejects[0].text.startswith('{"title": "Film 2100"')
    assert read_source(path, limit=1_100).records == 1_100


def test_parquet_that_cannot_be_read(tmp_path: Path) -> None:
    """Half a download, twice the same column and a gzipped file are told apart."""
    path = parquet_file(tmp_path / "films.parquet", {"title": ["A"], "Title": ["B"], "year": [1]})
    assert "columns given twice: 'title'" in refusal(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert "damaged Parquet file" in refusal(path)
    path.write_bytes(gzip.compress(whole))
    assert "a Parquet file that is gzipped" in refusal(path)
    parquet_file(path, {"film": ["A"]})
    assert "has the columns 'film'" in refusal(path)


def test_words_for_nothing_are_titles(tmp_path: Path) -> None:
    """pandas takes NA, None and nan for missing values; films are called so."""
    titles = ["NA", "None", "nan", "007"]
    rows = [SHAWSHANK | {"title": title} for title in titles]
    source = read_source(kaggle_csv(tmp_path / "films.csv", rows))
    assert source.frame["title"].tolist() == titles


@pytest.mark.parametrize("name", ["films.csv.gz", "films.csv", "films"])
def test_gzip_is_told_by_its_bytes(tmp_path: Path, name: str) -> None:
    """A gzipped file is read whatever it is called."""
    plain = kaggle_csv(tmp_path / "plain.csv")
    zipped = tmp_path / name
    zipped.write_bytes(gzip.compress(plain.read_bytes()))
    assert read_source(zipped).frame.equals(read_source(plain).frame)


def test_byte_order_mark_and_crlf(tmp_path: Path) -> None:
    """What Windows adds to a file changes nothing, in the header or elsewhere."""
    plain = kaggle_csv(tmp_path / "plain.csv", KAGGLE_ROWS[:4])
    windows = tmp_path / "windows.csv"
    windows.write_bytes(b"\xef\xbb\xbf" + plain.read_bytes().replace(b"\n", b"\r\n"))
    assert read_source(windows).frame.equals(read_source(plain).frame)


def test_header_is_compared_trimmed_and_without_case(tmp_path: Path) -> None:
    """Names in another case, with blanks, after blank lines and among unknown ones are found."""
    text = '\n IMDB_Title_ID ,TITLE,Year,Genre,Description,seen\ntt1,A,1999,"x, y",z,no\n'
    source = read_source(write(tmp_path / "films.csv", text))
    assert source.frame["genres"].tolist() == [["x", " y"]]
    assert source.frame["line"].tolist() == [3]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_limit_counts_records(tmp_path: Path, suffix: str) -> None:
    """`limit` stops after so many records, blank and rejected ones among them."""
    text = HEADER + "\ntt1\ntt2,B,1999,,\ntt3,C,1999,,\n"
    if suffix == ".jsonl":
        text = "\n{]\n" + (json.dumps(FILM) + "\n") * 2
    source = read_source(write(tmp_path / f"films{suffix}", text), limit=3)
    assert (source.records, source.blank, len(source.rejects)) == (3, 1, 1)
    assert source.frame["record"].tolist() == [2]


def test_broken_quoting_costs_one_record(tmp_path: Path) -> None:
    """Reading resumes at the line below the broken one, and blank lines are not rejects."""
    text = HEADER + 'tt1,"A,1999,,\n\ntt2,B,1999,,\ntt3,C,1999\ntt4,"D" E,1999,,\ntt5,F,1999,,\n'
    source = read_source(write(tmp_path / "films.csv", text))
    assert source.frame["title"].tolist() == ["B", "F"]
    assert source.frame["record"].tolist() == [2, 5]
    assert source.frame["line"].tolist() == [4, 7]
    assert [(r.line, r.kind, r.text) for r in source.rejects] == [
        (2, "broken quoting", 'tt1,"A,1999,,'),
        (5, "wrong number of fields", "tt3,C,1999"),
        (6, "broken quoting", 'tt4,"D" E,1999,,'),
    ]
    assert "3, expected 5" in source.rejects[1].reason


def test_record_too_wide_gives_back_its_lines(tmp_path: Path) -> None:
    """Quotes that happen to close two lines below cost the first line, not the film between."""
    text = HEADER + 'tt1,A,1999,,"x\ntt2,B,1999,,\n",too,many\ntt3,C,1999,,\n'
    source = read_source(write(tmp_path / "films.csv", text))
    assert source.frame["title"].tolist() == ["B", "C"]
    assert [reject.line for reject in source.rejects] == [2, 4]


def test_unclosed_quote_swallows_no_films(tmp_path: Path) -> None:
    """Thousands of films below an unclosed quote are all read."""
    films = "".join(f"tt{number},Film {number},1999,,\n" for number in range(1, 5001))
    source = read_source(write(tmp_path / "films.csv", HEADER + 'tt0,"Lost,1999,,\n' + films))
    assert len(source.frame) == 5000
    assert [reject.line for reject in source.rejects] == [2]


def test_quotes_unclosed_on_every_line_take_no_square_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines that each open a quote and keep the one above open cost a bounded part each: twice as
    many are parsed in about twice as many steps, not in four times as many."""
    parsed = 0

    def counting(lines: Iterable[str], delimiter: str = ",") -> tuple[list[str], int]:
        def counted() -> Iterator[str]:
            nonlocal parsed
            for line in lines:
                parsed += 1
                yield line

        return csv_fields(counted(), delimiter)

    monkeypatch.setattr("indexer.sources.records.csv_fields", counting)
    steps = []
    for lines in (1000, 2000):
        parsed = 0
        source = read_source(write(tmp_path / "films.csv", HEADER + 'a","\n' * lines))
        assert len(source.rejects) == lines
        steps.append(parsed)
    assert 1000 < steps[0] < steps[1] < 2.5 * steps[0]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("{", "no valid JSON"),
        ('"Alien"', "no film"),
        ("[1]", "no film"),
        ('{"title": "Alien", "Title ": "Aliens", "year": 1}', "repeated key"),
        ('{"title": "Alien", "year": NaN}', "no valid JSON"),
        ('{"title": "Alien", "year": -Infinity}', "no valid JSON"),
        (r'{"title": "\ud800", "year": 1979}', "no valid text"),
        ('{"title": ' + "[" * 100_000 + "}", "no film"),
        ('{"title": "' + "x" * 300_000 + '"}', "too long a line"),
        ('{"title": "' + "é" * 2_000_000 + '"}', "too long a line"),
        ('{"year": ' + "1" * 5000 + "}", "number of 5,000 digits"),
    ],
)
def test_json_that_is_no_film(tmp_path: Path, line: str, kind: str) -> None:
    """A line that is not an object of plain values is rejected, and the next one is read."""
    good = json.dumps(FILM)
    source = read_source(write(tmp_path / "films.jsonl", f"{good}\n{line}\n{good}\n"))
    assert source.frame["line"].tolist() == [1, 3]
    assert [reject.line for reject in source.rejects] == [2]
    assert source.rejects[0].reason.startswith(kind)
    assert source.rejects[0].text == line[:200]


def test_first_json_line_may_be_bad(tmp_path: Path) -> None:
    """The format is recognised by the objects that can be read."""
    source = read_source(write(tmp_path / "films.jsonl", "{oops\n" + json.dumps(FILM)))
    assert source.frame["record"].tolist() == [1]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "is empty"),
        (gzip.compress(b"", mtime=0), "is empty"),
        (b" \n\n", "only blank lines"),
        (gzip.compress(HEADER.encode() + b"tt1,A,1999,,\n", mtime=0)[:-9], "damaged gzip"),
        (gzip.compress(HEADER.encode(), mtime=0) + b"more", "damaged gzip"),
        (gzip.compress(gzip.compress(b"title", mtime=0), mtime=0), "gzipped twice"),
        (b"PK\x03\x04rest", "zip archive"),
        (b"PAR1rest", "Parquet"),
        (HEADER.encode("utf-16"), "iconv -f UTF-16 -t UTF-8"),
        (HEADER.encode("utf-16-le"), "iconv -f UTF-16LE -t UTF-8"),
        (HEADER.encode("utf-16-be"), "iconv -f UTF-16BE -t UTF-8"),
        (HEADER.encode() + b"tt1,Am\xe9lie,2001,,\n", "line 2, byte 7 (0xe9)"),
        (HEADER.encode() + b"tt1,Am\xe9lie,2001,,\n", "iconv -f WINDOWS-1252 -t UTF-8"),
        (HEADER.encode() + b"tt1,\x93Alien\x94,1979,,\n", "looks like WINDOWS-1252"),
        (HEADER.encode() + b"tt1,A\0B,2001,,\n", "line 2, byte 6 (0x00)"),
        (b"\x05\x06\xff\xfe\x01\n", "binary data"),
        (b"imdb_title_id;title;year\n", "semicolons (;); expected commas"),
        (b"title\tyear\n", "tabs; expected commas"),
        (b"title|year\n", "bars (|); expected commas"),
        (b"title,year\rA,1999\r", "carriage returns alone"),
        (b'"title,year\nA,1999\n', "line 1: the header cannot be read"),
        (b"title,year,Title \n", "given twice: 'title'"),
        (b"[{}]", "jq -c '.[]'"),
        (b'{\n"title": "A"\n}\n', "jq -c ."),
        (b'{"title": "A"}\n', "also needs 'year'"),
    ],
)
def test_files_of_another_kind(tmp_path: Path, data: bytes, found: str) -> None:
    """The error names the file and what it is instead, and the remedy where there is one."""
    path = tmp_path / "films.csv"
    path.write_bytes(data)
    message = refusal(path)
    assert found in message
    assert str(path) in message
    assert "expected" in message or "needs" in message


def test_missing_columns_are_named(tmp_path: Path) -> None:
    """Kaggle's file without its ids is not taken for another format, whose ids would differ."""
    columns = KAGGLE_COLUMNS[1:]
    message = refusal(csv_file(tmp_path / "films.csv", columns, []))
    assert "Kaggle IMDb movies CSV also needs 'imdb_title_id'" in message
    assert all(repr(column) in message for column in columns)
    assert "IMDB-1000 CSV, Wikipedia JSON lines" in message


def test_paths_that_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing file, a folder and a forbidden file are told apart."""
    assert "No such file" in refusal(tmp_path / "none.csv")
    assert "Is a directory" in refusal(tmp_path)

    def forbidden(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)  # root may read a file of any mode
    assert "Permission denied" in refusal(tmp_path / "films.csv")


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
@settings(max_examples=150)
@given(
    junk=st.one_of(
        st.binary(max_size=60),
        st.text('",\n\r{}[]:\\u d8tAé1', max_size=60).map(lambda text: text.encode()),
    ),
    share=st.floats(0, 1),
)
def test_every_record_is_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, junk: bytes, share: float
) -> None:
    """Junk anywhere in a file makes it unreadable, or every record is film, reject or counted."""
    path = tmp_path_factory.mktemp("junk") / f"films{suffix}"
    if suffix == ".csv":
        kaggle_csv(path)
    else:
        json_lines(path, [FILM, FILM, FILM | {"title": "Aliens", "cast": ["Bill Paxton"]}])
    data = path.read_bytes()
    cut = int(share * len(data))
    path.write_bytes(data[:cut] + junk + data[cut:])
    try:
        source = read_source(path)
    except SourceUnreadable:
        return
    cleaned = clean(source)
    accounted = len(cleaned.movies) + len(cleaned.rejects) + cleaned.duplicates + cleaned.blank
    assert accounted == cleaned.records == source.records
    assert all(reject.reason and reject.line > 0 for reject in cleaned.rejects)
