"""Merging the delta beside changes: when it begins, and what it leaves in the data folder."""

import shutil
from pathlib import Path
from subprocess import Popen
from typing import cast

import pytest

from hybrid.errors import BuildFailed
from hybrid.storage import generation
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
from hybrid.storage.manifest import Delta, Manifest, identity
from indexer import group_commit
from indexer.background_merge import merge_delta
from indexer.generations.cleanup import MERGE
from indexer.generations.lock import merger_lock
from indexer.generations.manifest import BaseStore
from indexer.generations.publish import Digests
from indexer.merge import is_due, most_changes, write_base
from indexer.update import change, delete, upsert
from tests import corpus
from tests.stores import build_stores, open_group, put, tools

FILMS = corpus.films(60)
OTHER = FILMS[0].model_copy(update={"title": "Else"})


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a data folder with a base of FILMS and a delta of one film."""
    folder = tmp_path_factory.mktemp("merge") / "data"
    build_stores(folder, FILMS)
    put(folder, OTHER)
    return folder


@pytest.fixture
def data(changed: Path, tmp_path: Path) -> Path:
    """Give a copy of it to be changed."""
    return Path(shutil.copytree(changed, tmp_path / "data"))


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
