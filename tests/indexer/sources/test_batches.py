"""Files read in batches become what they become when they are read at once."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid.errors import SourceUnreadable
from indexer.films.clean import clean
from indexer.films.film_file import FileOptions, film_batches, read_films
from indexer.sources import read_source
from tests.indexer.film_files import csv_file, write

RECORD = st.builds(
    lambda film, title, year, votes: {"id": film, "title": title, "year": year, "votes": votes},
    st.integers(0, 5).map(str),
    st.sampled_from(["Alien", "Aliens", ""]),
    st.sampled_from(["1979", "1986", "4000", ""]),
    st.sampled_from(["7", "n/a", ""]),
)
MAPPING = '[columns]\nid = "id"\ntitle = "title"\nyear = "year"\nvotes = "votes"\n'


@settings(max_examples=60)
@given(
    records=st.lists(st.one_of(RECORD, st.just("{broken"), st.just("")), max_size=30),
    size=st.integers(1, 7),
    limit=st.none() | st.integers(1, 20),
)
@pytest.mark.parametrize("with_ids", [True, False])
def test_batches_are_the_whole(
    tmp_path_factory: pytest.TempPathFactory,
    records: list[object],
    size: int,
    limit: int | None,
    with_ids: bool,
) -> None:
    """Films, rejects, duplicates and counts are the same, wherever a batch ends: a film is compared
    with those of batches before, too."""
    folder = tmp_path_factory.mktemp("batches")
    lines = [each if isinstance(each, str) else json.dumps(each) for each in records]
    last = json.dumps({"id": "9", "title": "Last", "year": "1999", "votes": "1"})
    file = write(folder / "films.jsonl", "".join(f"{line}\n" for line in (last, *lines)))
    mapping = MAPPING if with_ids else MAPPING.replace('id = "id"\n', "")
    options = FileOptions(write(folder / "mapping.toml", mapping), limit)
    whole = clean(read_source(file, limit, options.mapping))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("indexer.sources.BATCH", size)
        assert read_films(file, options).cleaned == whole


def test_a_column_that_comes_late_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line of JSON may lack some keys: a mapping's column may first be in a later batch."""
    monkeypatch.setattr("indexer.sources.BATCH", 1)
    films = [{"title": "Alien"}, {"title": "Aliens"}, {"title": "Heat", "made": 1995}]
    file = write(tmp_path / "films.jsonl", "".join(json.dumps(film) + "\n" for film in films))
    mapping = write(tmp_path / "m.toml", '[columns]\ntitle = "title"\nyear = "made"\n')
    movies = read_films(file, FileOptions(mapping)).cleaned.movies
    assert [movie.year for movie in movies] == [None, None, 1995]
    mapping.write_text('[columns]\ntitle = "title"\nyear = "shown"\n')
    with pytest.raises(SourceUnreadable, match="shown"):
        next(film_batches(file, FileOptions(mapping)))


def test_no_more_is_read_than_a_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file larger than memory can be read: the first batch comes before the rest is looked at."""
    monkeypatch.setattr("indexer.sources.BATCH", 2)
    rows = [{"Rank": "1", "Title": f"Film {n}", "Genre": "", "Description": "", "Year": ""}
            for n in range(5)]  # fmt: skip
    file = csv_file(tmp_path / "films.csv", list(rows[0]), rows)
    with file.open("ab") as out:
        out.write(b"\xff\xff\n")
    batches = film_batches(file)
    assert [movie.title for movie in next(batches).movies] == ["Film 0", "Film 1"]
    with pytest.raises(SourceUnreadable, match="not UTF-8"):
        list(batches)
