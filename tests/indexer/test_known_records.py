"""Records that are known give what they would give if they were read again."""

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hybrid.errors import BuildFailed
from hybrid.movie import Movie
from hybrid.storage.arrays import read_arrays
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.catalogue_changes import change_catalogue
from hybrid.storage.catalogue_writer import write_catalogue
from hybrid.storage.generation import (
    RECORDS,
    Generation,
    open_current,
    open_described,
    published,
)
from indexer.background_merge import merge_delta
from indexer.change import Changes
from indexer.cli import main
from indexer.films.clean import Outcome, new_row, total
from indexer.films.film_file import AS_IT_IS, FileOptions, film_batches, spool_films
from indexer.films.film_spool import film_spool
from indexer.films.matching import MatchKey, MatchKeys
from indexer.films.sentences import cut
from indexer.known_records import NONE, RecordRows, SourceRecords, records_of
from indexer.repair import repair
from indexer.update import HandChanges, change, match_source
from tests import corpus
from tests.indexer.film_files import json_lines, kaggle_csv, write
from tests.stores import build_stores, films_file, put, tools

FILMS = corpus.films(12)
NEW = Movie(id=5000, title="The Lighthouse Machine", description="It dreams. Of the sea.")

FIELDS = "id title year href description votes".split()
RECORD: st.SearchStrategy[dict[str, str]] = st.builds(
    dict,
    id=st.integers(0, 4).map(str),
    title=st.sampled_from(["Alien", " Alien", "Heat", ""]),
    year=st.sampled_from(["1979", "1979.0", "4000", ""]),
    href=st.sampled_from(["", "Alien_(film)"]),
    description=st.sampled_from(["", "One. Two. Three.", "One."]),
    votes=st.sampled_from(["7", "n/a", ""]),
)
SAME = dict.fromkeys(FIELDS, "") | {"id": "1", "title": "Alien"}
LINE = st.one_of(RECORD.map(json.dumps), st.sampled_from(["{broken", ""]))
FIRST = json.dumps(dict.fromkeys(FIELDS, "") | {"id": "9", "title": "First"})
BY_HAND = st.dictionaries(st.integers(0, 5), st.sampled_from(["edited", "removed"]), max_size=3)


def changes_by(
    folder: Path, lines: Sequence[str], known: RecordRows, numbered: bool, hand: HandChanges
) -> tuple[Changes, Outcome]:
    """Return the change that follows a source of these lines, and what became of its records."""
    file = write(folder / "films.jsonl", "".join(f"{line}\n" for line in (FIRST, *lines)))
    columns = "".join(f'{name} = "{name}"\n' for name in FIELDS[numbered:])
    mapping = write(folder / "mapping.toml", f"[columns]\n{columns}")
    with film_spool(folder) as spool, patch("indexer.sources.BATCH", 3):
        batches = list(film_batches(file, FileOptions(mapping, max_sentences=2), known))
        for batch in batches:
            spool.add(batch.ids, batch.rows, batch.movies)
        with closing(Catalogue(folder)) as catalogue:
            changes = match_source(spool, numbered, False, hand)(catalogue)
    return changes, total([batch.outcome() for batch in batches])


def table(folder: Path, changes: Changes) -> RecordRows:
    """Return the table of records that these changes write."""
    assert changes.records
    changes.records.write(folder / RECORDS)
    (rows,) = read_arrays(folder / RECORDS)
    return rows.copy()


def change_by_hand(folder: Path, done: dict[int, str]) -> None:
    """Edit and remove films, numbered by their order, and add one."""
    with closing(Catalogue(folder)) as catalogue:
        films = list(catalogue.all_films())
    some = [(films[number], what) for number, what in done.items() if number < len(films)]
    edited = [m.model_copy(update={"year": 1950}) for m, what in some if what == "edited"]
    added = [Movie(id=3, title="Heat")] if all(m.id != 3 for m in films) and done else []
    gone = [movie.id for movie, what in some if what == "removed"]
    change_catalogue(folder, cut([*edited, *added]), gone)


@settings(max_examples=30)
@given(
    before=st.lists(LINE, max_size=10),
    kept=st.lists(st.integers(0, 9), max_size=10),
    new=st.lists(LINE, max_size=4),
    done=BY_HAND,
    numbered=st.booleans(),
    hand=st.sampled_from(["keep", "discard"]),
)
@example(
    before=[json.dumps(SAME), json.dumps(SAME | {"description": "One."})],
    kept=[1, 0],
    new=[],
    done={},
    numbered=True,
    hand="discard",
)
def test_known_records_change_nothing(
    tmp_path_factory: pytest.TempPathFactory,
    before: list[str],
    kept: list[int],
    new: list[str],
    done: dict[int, str],
    numbered: bool,
    hand: HandChanges,
) -> None:
    """An update that knows the records of the last source changes what one does that reads them
    all again: whatever is new, repeated or in another order, and whatever was changed by hand."""
    empty, folder = tmp_path_factory.mktemp("empty"), tmp_path_factory.mktemp("known")
    write_catalogue(empty, [])
    built, _ = changes_by(empty, before, NONE, numbered, hand)
    known = table(empty, built)
    write_catalogue(folder, [(film.movie, film.spans) for film in cut(built.films)])
    change_by_hand(folder, done)
    lines = [*(before[n] for n in kept if n < len(before)), *new]
    changed, outcome = changes_by(folder, lines, known, numbered, hand)
    rows = table(folder, changed)
    expected, expected_outcome = changes_by(folder, lines, NONE, numbered, hand)
    assert outcome == expected_outcome
    assert (changed.films, changed.gone, changed.kept) == (
        expected.films,
        expected.gone,
        expected.kept,
    )
    assert rows.tolist() == table(folder, expected).tolist()


def file_of_titles(folder: Path, kind: str, titles: Sequence[str]) -> Path:
    """Write films of these titles, in a file of a known format."""
    if kind == "json":
        films = [{"title": title, "year": 1990} for title in titles]
        return json_lines(folder / "films.jsonl", films)
    rows = [{"imdb_title_id": f"tt{n}", "title": title} for n, title in enumerate(titles)]
    file = kaggle_csv(folder / "films.csv", rows)
    if kind == "csv":
        return file
    pq.write_table(pa_csv.read_csv(file), folder / "films.parquet")
    return folder / "films.parquet"


@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_a_known_record_is_not_read(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In any kind of file only a record that differs is read; all are if they are to be read in
    another way, or by another version of the code."""
    (whole,) = film_batches(file_of_titles(tmp_path, kind, ["Alien", "Heat"]))
    records = SourceRecords(whole.rows, np.array([0, 1]), np.array([7, 8]))
    records.write(tmp_path / RECORDS)
    (known,) = read_arrays(tmp_path / RECORDS)
    file = file_of_titles(tmp_path, kind, ["Alien", "Heat 2"])

    def titles(known: RecordRows, options: FileOptions = AS_IT_IS) -> list[str]:
        (batch,) = film_batches(file, options, known)
        assert batch.ids.tolist() == [0, 1]
        return [movie.title for movie in batch.movies]

    assert titles(known) == ["Heat 2"]
    assert titles(known, FileOptions(max_sentences=7)) == ["Alien", "Heat 2"]
    monkeypatch.setattr("indexer.known_records._code", lambda: b"another")
    assert titles(known) == ["Alien", "Heat 2"]


def test_films_are_matched_by_the_hashes_of_rows() -> None:
    """A film of a numbered source has the hashes of the films of the catalogue."""
    for movie in (*FILMS, NEW.model_copy(update={"href": "Lighthouse", "year": 1950})):
        row = new_row(1, tuple(vars(movie).values()), numbered=True)
        keys = MatchKeys.of([MatchKey.of(movie)])
        assert (row.page, row.title) == (keys.pages[0], keys.titles[0])


def test_generations_hand_the_table_on(tmp_path: Path) -> None:
    """A build writes it; changes by hand, merges and repairs keep it; an update writes its own. A
    damaged one is not believed, and a repair leaves it out."""
    data = tmp_path / "data"
    build_stores(data, FILMS)
    assert new_films(data, FILMS) == []
    put(data, FILMS[0].model_copy(update={"year": 1950}))
    assert merge_delta(data, tools(), always=True)
    repair(data, tools(), embed_again=False)
    assert new_films(data, [*FILMS, NEW]) == [NEW.id]
    update(data, [*FILMS[2:], NEW])
    assert new_films(data, [*FILMS[1:], NEW]) == [FILMS[1].id]
    file = open_current(data).file(RECORDS)
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    assert len(new_films(data, FILMS, open_described(data, published(data)[0]))) == len(FILMS)
    repair(data, tools(), embed_again=False)
    assert not open_current(data).file(RECORDS).exists()
    assert len(new_films(data, FILMS)) == len(FILMS)


def new_films(
    data: Path, films: Sequence[Movie], generation: Generation | None = None
) -> list[int]:
    """Return the ids of the films of a source that are not known by a generation."""
    file = films_file(data.with_name("again"), films)
    options = FileOptions(file.with_name("mapping.toml"))
    known = records_of(generation or open_current(data))
    return [m.id for batch in film_batches(file, options, known) for m in batch.movies]


def update(data: Path, films: Sequence[Movie]) -> None:
    """Update the index from a file of these films."""
    file = films_file(data.with_name("update"), films)
    options = FileOptions(file.with_name("mapping.toml"))
    with film_spool(data) as spool:
        read = spool_films(file, options, spool, records_of(open_current(data)))
        change(data, match_source(spool, False, False, "discard"), tools(), read)


def test_the_command_reads_what_is_new(tmp_path: Path) -> None:
    """`update` uses the table of the published generation."""
    data = tmp_path / "data"
    build_stores(data, FILMS)
    file = films_file(tmp_path / "update", FILMS)
    options = ["--mapping", str(file.with_name("mapping.toml")), "--data", str(data), "--quiet"]
    with patch("indexer.films.clean.new_row") as new_row:
        done = CliRunner().invoke(main, ["update", str(file), *options])
    assert "Nothing changed" in done.output
    assert not new_row.called


def test_what_another_update_changed_meanwhile(tmp_path: Path) -> None:
    """A film that is known but stored no longer cannot be written: that is said, not guessed."""
    write_catalogue(tmp_path, [])
    built, _ = changes_by(tmp_path, [], NONE, numbered=True, hand="keep")
    with pytest.raises(BuildFailed, match="update it again"):
        changes_by(tmp_path, [], table(tmp_path, built), numbered=True, hand="keep")
