"""The cache of embeddings loses what no generation needs any more, and nothing else."""

import multiprocessing
import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid.errors import BuildFailed, GenerationUnusable
from hybrid.movie import Movie
from indexer.build import BuildOptions, BuildResult, build
from indexer.cli import main
from indexer.embedding.cache import CACHE
from indexer.films.film_file import FileOptions, read_films
from indexer.generations.lock import writer_lock
from indexer.tidy import tidy
from indexer.update import UpdateResult, change, match_source
from tests.fakes import FakeLexical, HashingEncoder
from tests.stores import build_stores, films_file, of_source, put, remove, tools

FILMS = [Movie(id=n, title=f"Film {n}", description=f"Sentence {n}.") for n in range(6)]


def entries(data: Path) -> int:
    """Return how many vectors the cache holds."""
    with closing(sqlite3.connect(data / CACHE)) as cache:
        (found,) = cache.execute("SELECT count(*) FROM sentences").fetchone()
    return int(found)


def build_fakes(data: Path, films: Sequence[Movie]) -> BuildResult:
    """Build an index of these films, the keyword side in memory."""
    file = films_file(data.with_name("source"), films)
    options = BuildOptions(file.with_name("mapping.toml"), quiet=True)
    return build(file, data, "x", HashingEncoder(), lambda *_: FakeLexical(), options)


def update(data: Path, films: Sequence[Movie]) -> UpdateResult:
    """Update the index from a file of these films."""
    file = films_file(data.with_name("update"), films)
    read = read_films(file, FileOptions(file.with_name("mapping.toml")))
    return change(data, match_source(of_source(films), False, False, "discard"), tools(), read)


def test_what_no_build_needs_is_dropped(tmp_path: Path) -> None:
    """A sentence goes when so many builds in a row did without it, not before; both sizes are
    reported, and the file is as small as what is left."""
    data = tmp_path / "data"
    many = [
        FILMS[0].model_copy(update={"id": n, "description": f"Old {n}."}) for n in range(10, 910)
    ]
    build_stores(data, [*FILMS[:3], *many])
    for _ in range(2):
        build_stores(data, FILMS[:3])
        before, after = tidy(data, 3)
        assert (before.entries, after.entries) == (903, 903)
    build_stores(data, FILMS[:3])
    before, after = tidy(data, 3)
    assert (before.entries, after.entries) == (903, 3)
    assert after.size == (data / CACHE).stat().st_size < before.size / 5
    assert build_stores(data, FILMS[:4]).embedded.encoded == 1


def test_what_the_last_two_generations_hold_stays(tmp_path: Path) -> None:
    """However long ago it was embedded, and though changes never asked for it again."""
    data = tmp_path / "data"
    build_stores(data, FILMS)
    for title in "abc":
        update(data, [FILMS[0].model_copy(update={"title": title}), *FILMS[1:]])
    tidy(data, 1)
    assert entries(data) == 6
    update(data, FILMS[:3])
    tidy(data, 1)
    assert entries(data) == 6
    assert build_stores(data, FILMS).embedded.encoded == 0


def test_updates_count_like_builds(tmp_path: Path) -> None:
    """A film that an update took away is remembered for as many builds as asked, however long it
    had been in the index; changes by hand do not count."""
    data = tmp_path / "data"
    build_stores(data, FILMS)
    for number in range(4):
        update(data, [FILMS[0].model_copy(update={"title": f"{number}"}), *FILMS[1:]])
    update(data, FILMS[:5])
    for number in range(4):
        put(data, FILMS[0].model_copy(update={"title": f"By hand {number}"}))
    update(data, FILMS[:5])
    tidy(data, 3)
    assert entries(data) == 6
    update(data, FILMS[:4])
    update(data, FILMS[:3])
    tidy(data, 3)
    assert entries(data) == 5


@pytest.mark.parametrize("by_hand", [True, False])
def test_a_film_that_left_otherwise_is_remembered_as_long(tmp_path: Path, by_hand: bool) -> None:
    """Whether it was removed by hand or by a build: the updates before that kept it needed it."""
    data = tmp_path / "data"
    build_stores(data, FILMS)
    for number in range(3):
        update(data, [FILMS[0].model_copy(update={"title": f"{number}"}), *FILMS[1:]])
    if by_hand:
        remove(data, 5)
    build_stores(data, FILMS[:4])
    build_stores(data, FILMS[:3])
    tidy(data, 3)
    assert entries(data) == 6


def test_a_cache_of_an_earlier_version(tmp_path: Path) -> None:
    """What it holds counts as needed when it was taken over."""
    data = tmp_path / "data"
    build_stores(data, FILMS)
    with closing(sqlite3.connect(data / CACHE)) as cache, cache:
        cache.execute("DROP TABLE uses")
        cache.execute("PRAGMA user_version = 0")
    for left in (6, 6, 1):
        build_stores(data, FILMS[:1])
        tidy(data, 3)
        assert entries(data) == left


@settings(max_examples=8)
@given(
    st.lists(st.sets(st.integers(0, 5), min_size=1), min_size=1, max_size=6),
    st.integers(1, 3),
)
def test_the_newest_builds_embed_nothing_again(
    tmp_path_factory: pytest.TempPathFactory, builds: list[set[int]], unused: int
) -> None:
    """Whatever was built in whatever order: what a sentence of the last builds needs is there, and
    what only older ones needed is not."""
    data = tmp_path_factory.mktemp("any") / "data"
    for films in builds:
        build_fakes(data, [FILMS[film] for film in sorted(films)])
    tidy(data, unused)
    kept = set().union(*builds[-max(unused, 2) :])
    assert entries(data) == len(kept)
    again = build_fakes(data, [FILMS[film] for film in sorted(kept)])
    assert again.embedded.encoded == 0


def test_damage_and_another_writer_stop_it(tmp_path: Path) -> None:
    """Where it cannot know what is needed it drops nothing, and it waits its turn."""
    data = tmp_path / "data"
    build_stores(data, FILMS)
    build_stores(data, FILMS[:1])
    build_stores(data, FILMS[1:2])
    (catalogue, _) = sorted(data.rglob("catalogue.sqlite"))
    content = catalogue.read_bytes()
    catalogue.write_bytes(content[:-1])
    with pytest.raises(GenerationUnusable, match=r"catalogue\.sqlite"):
        tidy(data, 1)
    assert entries(data) == 6
    catalogue.write_bytes(content)
    with (
        patch("indexer.generations.lock.PATIENCE", 0.0),
        writer_lock(data),
        pytest.raises(BuildFailed, match="another command"),
    ):
        tidy(data, 1)
    assert entries(data) == 6
    (data / CACHE).write_bytes(b"no database" * 1000)
    with pytest.raises(BuildFailed, match="delete the file"):
        tidy(data, 1)


class Dying(sqlite3.Connection):
    """A connection whose process dies before a statement."""

    statement = ""

    def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
        """Die or execute."""
        if sql.startswith(self.statement):
            os._exit(9)
        return super().execute(sql, *arguments)


def _die(data: Path, statement: str) -> None:
    Dying.statement = statement
    connect = sqlite3.connect
    with patch("sqlite3.connect", lambda *a, **named: connect(*a, **named, factory=Dying)):
        tidy(data, 1)


@pytest.mark.parametrize(
    "statement", ["DELETE FROM uses", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"]
)
def test_a_crash_leaves_the_cache_whole(tmp_path: Path, statement: str) -> None:
    """Wherever it dies, the cache can be read and what is needed is there; the next run ends it."""
    data = tmp_path / "data"
    build_stores(data, FILMS)
    for _ in range(2):
        build_stores(data, FILMS[:2])
    process = multiprocessing.get_context("fork").Process(target=_die, args=(data, statement))
    process.start()
    process.join(60)
    code = process.exitcode
    process.kill()  # nothing happens to one that has ended
    assert code == 9
    with closing(sqlite3.connect(data / CACHE)) as cache:
        assert cache.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert entries(data) == (2 if statement == "VACUUM" else 6)
    tidy(data, 1)
    assert entries(data) == 2
    assert build_stores(data, FILMS[:2]).embedded.encoded == 0


def test_the_command_tells_both_sizes(tmp_path: Path) -> None:
    """Sentences and megabytes, before and after."""
    data = tmp_path / "data"
    build_stores(data, FILMS)
    for _ in range(2):
        build_stores(data, FILMS[:2])
    done = CliRunner().invoke(main, ["tidy", "--builds", "1", "--data", str(data)])
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert [line.split()[:3] for line in lines] == [
        ["before", "6", "sentences,"],
        ["after", "2", "sentences,"],
    ]
    nothing = CliRunner().invoke(main, ["tidy", "--data", str(tmp_path / "none")])
    assert (nothing.exit_code, "no index" in nothing.output) == (1, True)
