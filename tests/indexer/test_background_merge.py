"""Merging the delta beside changes: when it begins, and what it leaves in the data folder."""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from subprocess import Popen
from typing import Any, cast

import pytest
from click.testing import CliRunner

from hybrid.errors import BuildFailed
from hybrid.settings import Settings
from hybrid.storage import durable, generation
from hybrid.storage.generation import (
    CURRENT,
    DELTA,
    DELTA_VECTORS,
    GENERATIONS,
    REJECTS,
    Generation,
    open_current,
    published,
)
from hybrid.storage.manifest import Delta, FileDigest, Manifest, identity
from hybrid.terminal.progress import counter
from indexer import group_commit
from indexer.background_merge import NICE, merge_delta, start_merge
from indexer.cli import main
from indexer.embedding import embed
from indexer.generations.cleanup import MERGE
from indexer.generations.lock import merger_lock, writer_lock
from indexer.generations.manifest import BaseStore
from indexer.generations.publish import Digests
from indexer.group_commit import open_writes
from indexer.merge import is_due, most_changes, write_base
from indexer.update import change, delete, upsert
from tests import corpus
from tests.fakes import HashingEncoder
from tests.stores import build_stores, open_group, put, tools

FILMS = corpus.films(60)
OTHER = FILMS[0].model_copy(update={"title": "Else"})


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a data folder with a base of FILMS and a delta of one film."""
    folder = tmp_path_factory.mktemp("merge") / "data"
    build_stores(folder, FILMS)
    put(folder, OTHER)
    return folder


def test_the_new_base_has_all_files(data: Path) -> None:
    """It has what the generation before it had but for the delta; what does not depend on the base
    is the same to the byte, rejected records among it."""
    before = open_current(data).manifest
    merged = merge_delta(data, tools(), always=True)
    assert merged
    assert open_current(data).manifest == merged
    assert before.files.keys() - merged.files.keys() <= {DELTA_VECTORS}
    same = [REJECTS, *(name for name in before.files if name.startswith(("encoder/", "tantivy/")))]
    assert len(same) > 5
    assert [merged.files[name] for name in same] == [before.files[name] for name in same]
    assert merged.delta == Delta()
    assert before.delta != Delta()
    assert (merged.counts, merged.model) == (before.counts, before.model)
    assert DELTA in merged.files


def test_nothing_is_left_beside_the_published_generations(data: Path) -> None:
    """Neither the base while it was written, nor the generation that was replaced."""
    assert merge_delta(data, tools(), always=True)
    assert not (data / MERGE).exists()
    names = {folder.name for folder in (data / GENERATIONS).iterdir()}
    assert names == {entry.name for entry in published(data)}


def test_what_a_crash_left_is_in_nobodys_way(data: Path) -> None:
    """The folder of a merge that was killed is removed by the next one."""
    for name in ("base", "snapshot"):
        (data / MERGE / name).mkdir(parents=True)
        (data / MERGE / name / "file").touch()
    assert merge_delta(data, tools(), always=True)
    assert not (data / MERGE).exists()


def test_a_merge_that_fails_leaves_nothing(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is as it was."""

    def fail(*_: object) -> None:
        raise BuildFailed("no space")

    monkeypatch.setattr("indexer.background_merge.write_base", fail)
    before = (data / CURRENT).read_text()
    with pytest.raises(BuildFailed, match="no space"):
        merge_delta(data, tools(), always=True)
    assert not (data / MERGE).exists()
    assert (data / CURRENT).read_text() == before


def test_one_process_merges(data: Path) -> None:
    """Another one has nothing to do, and leaves the files of the first alone."""
    with merger_lock(data) as held:
        assert held
        (data / MERGE).mkdir()
        assert merge_delta(data, tools(), always=True) is None
        assert (data / MERGE).exists()


def test_a_base_that_was_replaced_meanwhile_stays(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A merge of outdated films is dropped."""

    def interrupted(source: Generation, folder: Path) -> tuple[BaseStore, Digests]:
        build_stores(data, FILMS[:40])
        return write_base(source, folder)

    monkeypatch.setattr("indexer.background_merge.write_base", interrupted)
    assert merge_delta(data, tools(), always=True) is None
    assert open_current(data).manifest.counts.movies == 40
    assert not (data / MERGE).exists()


def test_current_is_written_once(data: Path) -> None:
    """Whoever published it knows that it is synced: only another process writes it once more."""
    backends = tools()
    for merge in (False, True):
        if merge:
            assert merge_delta(data, backends, always=True)
        else:
            change(data, delete([FILMS[1].id]), backends)
        file = identity(data / CURRENT)
        change(data, upsert(()), backends)
        assert identity(data / CURRENT) == file
        change(data, upsert(()), tools())
        assert identity(data / CURRENT) != file


def test_files_are_read_once(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that changes films reads what generations share when it begins, not at each one."""
    backends = tools()
    change(data, delete([FILMS[1].id]), backends)
    read: list[Path] = []
    sha256 = generation._sha256

    def reading(path: Path) -> str:
        read.append(path)
        return sha256(path)

    monkeypatch.setattr(generation, "_sha256", reading)
    change(data, delete([FILMS[2].id]), backends)
    large = {"catalogue.sqlite", "vectors-0.npy", "titles.arrays", "model.onnx"}
    assert not large & {path.name for path in read}
    read.clear()
    merge_delta(data, backends, always=True)
    assert not large & {path.name for path in read}


def test_a_delta_is_due_by_its_share() -> None:
    """At one percent of the films, but not below 256 changes, and always above 2,048."""
    assert [most_changes(films) for films in (0, 25_600, 30_000, 204_800, 10**7)] == [
        256,
        256,
        300,
        2048,
        2048,
    ]


@pytest.mark.parametrize(("films", "outdated", "due"), [(200, 56, False), (200, 57, True)])
def test_both_kinds_of_changes_count(data: Path, films: int, outdated: int, due: bool) -> None:
    """Films of the delta, and films of the base that they replace."""
    manifest = open_current(data).manifest
    delta = manifest.delta.model_copy(update={"films": films, "outdated": outdated})
    assert is_due(manifest.model_copy(update={"delta": delta})) == due


class Merger:
    """Stands for the process that merges; `code` is None while it runs."""

    pid = 4242

    def __init__(self) -> None:
        self.code: int | None = None
        self.events: list[str] = []

    def poll(self) -> int | None:
        """Return the exit code."""
        return self.code

    def terminate(self) -> None:
        """Ask it to end."""
        self.events.append("terminate")

    def wait(self) -> None:
        """Wait for its end."""
        self.events.append("wait")


def test_the_service_lets_a_process_merge(
    data: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One at a time, not again at once, and none without need; that of a service ends with it."""
    started: list[Merger] = []
    clock, due = [1000.0], [False]

    def start(folder: Path) -> Popen[bytes]:
        assert folder == data
        started.append(Merger())
        return cast("Popen[bytes]", started[-1])

    manifest = open_current(data).manifest
    monkeypatch.setattr(group_commit, "start_merge", start)
    monkeypatch.setattr(group_commit, "is_due", lambda given: given == manifest and due[0])
    group = open_group(data)
    group.delete(FILMS[0].id)  # so that the thread of the group waits for more
    with monkeypatch.context() as patched:
        patched.setattr(group_commit, "monotonic", lambda: clock[0])

        def count() -> int:
            group._merge_if_due(manifest)
            return len(started)

        assert count() == 0
        due[0] = True
        assert count() == 1
        clock[0] += group_commit.MERGE_AGAIN
        assert count() == 1
        started[0].code = 0
        assert count() == 2
        started[1].code = 3
        clock[0] += group_commit.MERGE_AGAIN - 1
        assert count() == 2
        assert "could not be merged" not in caplog.text
        clock[0] += 1
        assert count() == 3
        assert "could not be merged" in caplog.text
    group.close()
    assert [each.events for each in started] == [[], [], ["terminate", "wait"]]


def test_changes_are_answered_though_none_can_merge(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is published is published, and the service goes on."""
    asked: list[Manifest] = []

    def fail(_: Path) -> None:
        raise OSError("no process can be started")

    monkeypatch.setattr(group_commit, "start_merge", fail)
    monkeypatch.setattr(group_commit, "is_due", lambda given: not asked.append(given))  # type: ignore[func-returns-value]
    group = open_group(data)
    answers = [group.put(film, {"title": "Another"}) for film in (8001, 8002)]
    group.close()
    assert [answer.change for answer in answers] == ["added", "added"]
    assert [manifest.name for manifest in asked] == [answer.generation for answer in answers]


def test_a_change_removes_what_a_merge_left(data: Path) -> None:
    """Unless somebody still merges."""
    (data / MERGE / "base").mkdir(parents=True)
    with merger_lock(data) as held:
        assert held
        change(data, upsert(()), tools())
        assert (data / MERGE / "base").exists()
    change(data, upsert(()), tools())
    assert not (data / MERGE).exists()


def test_the_process_merges_this_folder(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the command that anybody can run, writes nothing to the terminal, and gives way to
    searches."""
    started: list[tuple[list[str], dict[str, object]]] = []
    priorities: list[tuple[int, int, int]] = []

    def start(command: list[str], **streams: object) -> Merger:
        started.append((command, streams))
        return Merger()

    monkeypatch.setattr("indexer.background_merge.subprocess.Popen", start)
    monkeypatch.setattr(os, "setpriority", lambda *given: priorities.append(given))
    start_merge(data)
    (command, streams) = started[0]
    assert priorities == [(os.PRIO_PROCESS, Merger.pid, NICE)]
    assert command[:3] == [sys.executable, "-m", "indexer"]
    assert streams == dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    for amount in ("LEAST", "SHARE"):
        monkeypatch.setattr(f"indexer.merge.{amount}", 0)
    monkeypatch.setattr("indexer.backends.backends_for", lambda *_, **__: tools())
    done = CliRunner().invoke(main, command[3:])
    assert done.exit_code == 0, done.output
    assert open_current(data).manifest.delta == Delta()


def test_a_service_that_cannot_settle_accepts_changes(
    data: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What crashes left is told, and left to the next writer."""
    failures = [RuntimeError("nobody thought of this")]

    def failing_once(*arguments: Any, **named: Any) -> Any:
        if failures:
            raise failures.pop()
        return change(*arguments, **named)

    monkeypatch.setattr(group_commit, "change", failing_once)
    group = open_group(data)
    assert group.put(8001, {"title": "Another"}).change == "added"
    group.close()
    assert "not all is tidy: nobody thought of this" in caplog.text


def test_the_service_writes_as_its_settings_say(tmp_path: Path) -> None:
    """In its data folder, with ten seconds of patience, its model and its limit of sentences."""
    settings = Settings(data=tmp_path / "data", max_sentences=3)

    def encoder_of(_: Generation) -> HashingEncoder:
        return HashingEncoder()

    group = open_writes(settings, encoder_of)
    group.close()
    assert group._data == tmp_path / "data"
    assert group._backends.patience == 10.0
    assert group._backends.encoder_of is encoder_of
    assert group._max_sentences == 3


def test_a_change_says_how_long_its_steps_took(data: Path) -> None:
    """Each by a name, in their order."""
    done = change(data, delete([FILMS[1].id]), tools())
    assert list(done.seconds) == (
        "recover open compare share model embed catalogue semantic keyword publish tidy".split()
    )
    nothing = change(data, upsert(()), tools())
    assert list(nothing.seconds) == "recover open compare tidy".split()
    assert all(seconds > 0 for seconds in done.seconds.values())


def test_a_new_base_is_on_disk_before_others_wait(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own files are synced and read while others write; what it shares is not."""
    events: list[str] = []
    sync_all, of = durable.sync_all, FileDigest.of

    def syncing(paths: Iterable[Path]) -> None:
        found = list(paths)
        events.extend(f"sync {path.name}" for path in found)
        sync_all(found)

    def reading(path: Path) -> FileDigest:
        events.append(f"read {path.name}")
        return of(path)

    @contextmanager
    def locking(folder: Path, patience: float) -> Iterator[None]:
        events.append("lock")
        with writer_lock(folder, patience):
            yield

    monkeypatch.setattr(durable, "sync_all", syncing)
    monkeypatch.setattr(FileDigest, "of", reading)
    monkeypatch.setattr("indexer.background_merge.writer_lock", locking)
    assert merge_delta(data, tools(), always=True)
    own = {"catalogue.sqlite", "columns.arrays", "titles.arrays", "suggestions.arrays"}
    second = events.index("lock", 1)
    assert {f"sync {name}" for name in own} <= set(events[:second])
    assert {f"read {name}" for name in own} <= set(events[:second])
    assert not {f"read {name}" for name in own} & set(events[second:])
    assert "sync vectors-0.npy" not in events[:second]


def test_a_service_shows_no_progress(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its log is not a terminal; a command shows how far it is."""
    hidden: list[bool] = []

    def showing(*arguments: Any, **named: Any) -> Any:
        hidden.append(named["hidden"])
        return counter(*arguments, **named)

    monkeypatch.setattr(embed, "counter", showing)
    for number, quiet in enumerate((True, False)):
        film = FILMS[2].model_copy(update={"description": f"It is number {number}."})
        change(data, upsert([film]), replace(tools(), quiet=quiet))
    assert hidden == [True, False]
