"""A build from file to published generation, and that nothing half-done is ever published."""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from hybrid.engines.factory import open_semantic
from hybrid.engines.lexical.writer_protocol import Previous
from hybrid.errors import (
    BuildFailed,
    EngineUnavailable,
    GenerationUnusable,
    NotDurable,
    SourceUnreadable,
)
from hybrid.movie import Movie
from hybrid.query import Filters
from hybrid.ranking import Ranking
from hybrid.settings import Precision
from hybrid.storage import durable
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.generation import (
    CATALOGUE,
    CURRENT,
    FAISS_INDEX,
    REJECTS,
    open_current,
    piece_file,
    published,
)
from hybrid.storage.manifest import Lexical
from hybrid.vectors import QueryVector, Vectors
from indexer.build import BuildOptions, BuildResult, build
from indexer.embedding.cache import CACHE
from indexer.generations.lock import writer_lock
from tests import corpus
from tests.command import read_until
from tests.fakes import FakeLexical, HashingEncoder
from tests.indexer.film_files import KAGGLE_FILMS, KAGGLE_ROWS, json_lines, kaggle_csv

QUIET = BuildOptions(quiet=True)


def run(
    source: Path, data: Path, writer: FakeLexical | None = None, limit: int | None = None
) -> BuildResult:
    """Build with the stand-ins for the keyword engine and the model."""
    lexical = writer or FakeLexical()
    options = BuildOptions(limit=limit, quiet=True)
    return build(source, data, "hashing", HashingEncoder(), lambda *_: lexical, options)


@pytest.fixture
def kaggle(tmp_path: Path) -> Path:
    """Give a Kaggle file with every wrinkle."""
    return kaggle_csv(tmp_path / "IMDb movies.csv", KAGGLE_ROWS)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Give a data folder that is not there yet."""
    return tmp_path / "data"


def test_everything_is_under_the_same_ids(kaggle: Path, data: Path) -> None:
    """Catalogue, keyword engine and vectors hold the same films, and the manifest counts them."""
    lexical = FakeLexical()
    built = run(kaggle, data, lexical)
    generation = open_current(data)
    assert generation.manifest == built.manifest
    catalogue = Catalogue(generation.folder)
    assert tuple(catalogue.columns.ids.tolist()) == KAGGLE_FILMS == tuple(sorted(lexical.movies))
    counts = generation.manifest.counts
    vectors = np.load(generation.file(piece_file(0)))
    assert len(vectors) == counts.sentences == catalogue.sentences.counts.sum()
    assert (catalogue.sentences.counts == 0).sum() == counts.without_description == 1
    accounted = counts.movies + counts.rejected + counts.duplicates + counts.blank
    assert counts.records == accounted
    catalogue.close()


def test_rejects_are_kept_with_line_and_reason(kaggle: Path, data: Path) -> None:
    """What was left out can be read beside the index."""
    built = run(kaggle, data)
    rejects = [json.loads(line) for line in (built.folder / REJECTS).read_text().splitlines()]
    assert len(rejects) == built.manifest.counts.rejected == 4
    assert all(reject["line"] > 1 and reject["reason"] and reject["text"] for reject in rejects)


def test_small_sets_are_scanned_and_large_ones_indexed(kaggle: Path, data: Path) -> None:
    """Below 256 sentences the exact engine answers; above, IVFPQ with a measured nprobe."""
    assert run(kaggle, data).manifest.semantic.engine == "exact"
    assert not (open_current(data).file(FAISS_INDEX)).exists()
    many = json_lines(data / "many.jsonl", map(as_wikipedia, corpus.films(500)))
    semantic = run(many, data).manifest.semantic
    assert semantic.engine == "ivfpq"
    assert semantic.recall_at_10 is not None
    assert semantic.recall_at_10 > 0.95
    generation = open_current(data)
    catalogue = Catalogue(generation.folder)
    engine = open_semantic(generation, catalogue)
    vector = np.load(generation.file(piece_file(0)))[0]
    assert len(engine.search(QueryVector(vector), Filters(), 50)) == 50
    catalogue.close()


def as_wikipedia(movie: Movie) -> dict[str, object]:
    """Return the film as the Wikipedia file has it."""
    return {
        "title": movie.title,
        "year": movie.year,
        "cast": [],
        "genres": list(movie.genres),
        "extract": movie.description,
    }


def test_films_without_any_description_are_still_indexed(data: Path) -> None:
    """A file that only keyword search can use makes an index without a vector."""
    rows = [{"title": f"Film {n}", "year": 1950, "cast": [], "genres": []} for n in range(3)]
    data.mkdir()
    run(json_lines(data / "bare.jsonl", rows), data)
    generation = open_current(data)
    catalogue = Catalogue(generation.folder)
    engine = open_semantic(generation, catalogue)
    found = engine.search(QueryVector(np.ones(8, np.float32)), Filters(), 5)
    assert isinstance(found, Ranking)
    assert len(found) == 0
    catalogue.close()


def test_a_second_build_embeds_nothing_again(kaggle: Path, data: Path) -> None:
    """Vectors come from the cache, equal to the bit, and an unknown text alone is embedded."""
    first = run(kaggle, data)
    before = np.load(open_current(data).file(piece_file(0)))
    again = run(kaggle, data)
    assert first.embedded.encoded == first.embedded.distinct
    assert again.embedded.encoded == 0
    assert np.array_equal(np.load(open_current(data).file(piece_file(0))), before)
    changed = [*KAGGLE_ROWS[:2], dict(KAGGLE_ROWS[2]) | {"description": "Something else entirely."}]
    assert run(kaggle_csv(kaggle, changed), data).embedded.encoded == 1


class Other(HashingEncoder):
    """Another model, whose vectors are others."""

    fingerprint = "other-64"

    def export(self, folder: Path, texts: Sequence[str], precision: Precision) -> None:
        """Write something that differs from the first."""
        folder.mkdir()
        (folder / "words").write_text("other")

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return float32 (len(texts), 64), every row of length 1."""
        return np.roll(super().encode(texts), 1, axis=1)


def test_another_model_embeds_every_sentence(kaggle: Path, data: Path) -> None:
    """The vectors of one model in the cache are not taken for those of another."""
    before = run(kaggle, data)
    after = build(kaggle, data, "other", Other(), lambda *_: FakeLexical(), QUIET)
    assert after.embedded.encoded == after.embedded.distinct == before.embedded.distinct
    stored = np.load(after.folder / piece_file(0))
    assert np.array_equal(stored, np.roll(np.load(before.folder / piece_file(0)), 1, axis=1))


def test_another_model_is_exported(kaggle: Path, data: Path) -> None:
    """An index is searched with the model that made it, which is shared only if it is the same."""
    run(kaggle, data)
    build(kaggle, data, "other", Other(), lambda *_: FakeLexical(), QUIET)
    generation = open_current(data)
    assert generation.manifest.model.fingerprint == Other.fingerprint
    assert generation.file("encoder/words").read_text() == "other"
    again = build(kaggle, data, "other", Other(), lambda *_: FakeLexical(), QUIET)
    assert (again.folder / "encoder/words").samefile(generation.file("encoder/words"))


def test_limit_reads_the_first_records(kaggle: Path, data: Path) -> None:
    """Only so many records are read."""
    assert run(kaggle, data, limit=3).manifest.counts.records == 3


class Broken(FakeLexical):
    """A keyword engine that fails when it is written to."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
        self.discarded = False
        super().__init__()

    def write(self, movies: Iterable[Movie], gone: Collection[int], total: int) -> Lexical:
        """Fail."""
        raise self.error

    def discard(self) -> None:
        """Note that it was asked to clean up."""
        self.discarded = True


@pytest.mark.parametrize(
    "error",
    [
        EngineUnavailable("gone"),
        BuildFailed("refused"),
        OSError(28, "No space"),
        KeyboardInterrupt(),
    ],
)
def test_a_failed_build_leaves_the_old_state(
    kaggle: Path, data: Path, error: BaseException
) -> None:
    """Whatever stops a build, the published generation stays and nothing of the new one does."""
    before = run(kaggle, data).manifest
    broken = Broken(error)
    with pytest.raises(type(error)):
        run(kaggle, data, broken)
    assert broken.discarded
    assert open_current(data).manifest == before
    assert [folder.name for folder in (data / "generations").iterdir()] == [before.name]


@pytest.mark.parametrize(
    ("error", "times"), [(KeyboardInterrupt(), 1), (OSError(28, "No space left"), 2)]
)
def test_a_failing_sync_leaves_the_old_state_or_the_new(
    kaggle: Path, data: Path, error: BaseException, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each sync of a build fails in turn, with as many of the next ones as it takes that the commit
    is not tried again: before the commit nothing of the new generation stays, and after it all."""
    run(kaggle, data)
    real, outcomes, failed = durable.sync, set(), times
    for first in itertools.count(1):
        if not failed:
            break  # there are not so many syncs
        before = published(data)
        calls = failed = 0

        def failing(path: Path, first: int = first) -> None:
            nonlocal calls, failed
            calls += 1
            if calls >= first and failed < times:
                failed += 1
                raise error
            real(path)

        monkeypatch.setattr(durable, "sync", failing)
        broken = Working()
        with suppress(OSError, KeyboardInterrupt, NotDurable):
            run(kaggle, data, broken)
        after = published(data)
        assert open_current(data).manifest.name == after[0].name
        assert broken.discarded == (broken.created and after == before), first
        left = {folder.name for folder in (data / "generations").iterdir()}
        assert {line.name for line in (*before, *after)} >= left >= {line.name for line in after}
        outcomes.add("old" if after == before else "new")
    assert outcomes == {"old", "new"}
    assert first > 10


class Working(FakeLexical):
    """A keyword engine that notes which calls it got."""

    created = discarded = False

    def prepare(self, base: Previous | None) -> None:
        """Note that a generation was begun."""
        self.created = True

    def discard(self) -> None:
        """Note that it was given up."""
        self.discarded = True


def test_what_is_not_ours_stays(kaggle: Path, data: Path) -> None:
    """Files and folders of other names beside the generations are neither removed nor counted."""
    run(kaggle, data)
    others = ["1-backup", ".DS_Store", "2-notes.txt"]
    (data / "generations" / others[0]).mkdir()
    for name in others[1:]:
        (data / "generations" / name).touch()
    for _ in range(3):
        assert run(kaggle, data).warnings == []
    assert set(others) < {path.name for path in (data / "generations").iterdir()}


def test_a_pipe_is_refused(tmp_path: Path, data: Path) -> None:
    """What cannot be read twice is not a source."""
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(SourceUnreadable, match="not a regular file"):
        run(tmp_path / "pipe.csv", data)


def test_nothing_is_published_of_a_bad_file(tmp_path: Path, data: Path) -> None:
    """A file that is none, and one whose every row is rejected, make no index and say why."""
    with pytest.raises(SourceUnreadable):
        run(tmp_path / "missing.csv", data)
    rows = [{"imdb_title_id": "x", "title": "", "year": "1"}]
    with pytest.raises(BuildFailed, match="line 2"):
        run(kaggle_csv(tmp_path / "bad.csv", rows), data)
    with pytest.raises(BuildFailed, match="no record"):
        run(kaggle_csv(tmp_path / "none.csv", []), data)
    with pytest.raises(GenerationUnusable, match="no index"):
        open_current(data)


def test_two_generations_are_kept(kaggle: Path, data: Path) -> None:
    """The published one and the one before stay; older and unfinished ones go."""
    names = [run(kaggle, data).manifest.name for _ in range(3)]
    (data / "generations" / f"4-{'0' * 12}.unfinished").mkdir()
    names.append(run(kaggle, data).manifest.name)
    assert sorted(folder.name for folder in (data / "generations").iterdir()) == names[-2:]
    assert [name.split("-")[0] for name in names] == ["1", "2", "3", "4"]


class Watching(FakeLexical):
    """Remembers which indices were said to stay."""

    kept: Collection[str] = ()

    def write(self, movies: Iterable[Movie], gone: Collection[int], total: int) -> Lexical:
        """Have an index of its own name."""
        return super().write(movies, gone, total).model_copy(update={"index": "watching"})

    def tidy(self, kept: Collection[str]) -> list[str]:
        """Remember, and warn."""
        self.kept = kept
        return ["watched"]


def test_the_writer_is_told_what_stays(kaggle: Path, data: Path) -> None:
    """After the publication the keyword side may remove all but the kept generations."""
    run(kaggle, data)
    watching = Watching()
    second = run(kaggle, data, watching)
    assert set(watching.kept) == {"fake", "watching"}
    assert second.warnings == ["watched"]


def test_one_writer_at_a_time(kaggle: Path, data: Path) -> None:
    """A second build is refused while one is at work, and allowed once its process is dead."""
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, pathlib, indexer.generations.lock as p\n"
            "with p.writer_lock(pathlib.Path(sys.argv[1])):\n"
            "    print('held', flush=True); sys.stdin.read()",
            str(data),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout
    assert holder.stdin
    assert read_until(holder, "held\n") == "held\n"
    with pytest.raises(BuildFailed, match="another command"):
        run(kaggle, data)
    os.kill(holder.pid, 9)
    holder.wait()
    holder.stdin.close()
    holder.stdout.close()
    with writer_lock(data):
        pass
    run(kaggle, data)


@pytest.mark.parametrize("name", [CATALOGUE, piece_file(0), REJECTS, "manifest.json"])
@pytest.mark.parametrize("damage", ["flip", "cut", "append", "remove"])
def test_damage_is_refused_by_name(kaggle: Path, data: Path, name: str, damage: str) -> None:
    """A file that is not as it was written is named, and nothing is opened."""
    file = run(kaggle, data).folder / name
    content = file.read_bytes()
    if damage == "flip":
        middle = len(content) // 2
        file.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    elif damage == "cut":
        file.write_bytes(content[:-1])
    elif damage == "append":
        file.write_bytes(content + b"\0")
    else:
        file.unlink()
    with pytest.raises(GenerationUnusable, match=name):
        open_current(data)


@pytest.mark.parametrize("text", ["", "one two three", "../../etc x", "7-gone 00", "\xff"])
def test_a_damaged_current_is_refused(kaggle: Path, data: Path, text: str) -> None:
    """CURRENT that names nothing is an error with a message, not a crash."""
    run(kaggle, data)
    (data / CURRENT).write_text(text, encoding="latin-1")
    with pytest.raises(GenerationUnusable):
        open_current(data)


def test_a_damaged_cache_says_what_to_do(kaggle: Path, data: Path) -> None:
    """A cache that is not a database stops the build with the remedy, and is not overwritten."""
    data.mkdir()
    (data / CACHE).write_bytes(b"no database" * 100)
    with pytest.raises(BuildFailed, match="delete the file"):
        run(kaggle, data)
