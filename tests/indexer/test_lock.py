"""The locks of a data folder: one process writes, one merges."""

import os
import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest

from hybrid.errors import AnotherWriter, GenerationUnusable
from indexer.generations import lock
from indexer.generations.lock import MERGER, WRITER, deployment_id, merger_lock, writer_lock


def test_one_writes_at_a_time(tmp_path: Path) -> None:
    """Another one is an error at once, unless it has patience; afterwards anybody may write."""
    another = pytest.raises(AnotherWriter, match="another command is writing")
    with writer_lock(tmp_path / "data"), another:
        lock_and_leave(tmp_path / "data")
    lock_and_leave(tmp_path / "data")


def lock_and_leave(data: Path, patience: float = 0.0) -> None:
    """Hold the lock of who writes for a moment."""
    with writer_lock(data, patience):
        pass


def test_a_patient_writer_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks again at short intervals until the lock is free, or its patience is at an end."""
    slept: list[float] = []
    clock = [100.0]

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock[0] += seconds
        if len(slept) == 3:
            holder.close()

    monkeypatch.setattr(lock, "sleep", sleep)
    monkeypatch.setattr(lock, "monotonic", lambda: clock[0])
    with ExitStack() as holder:
        holder.enter_context(writer_lock(tmp_path))
        with pytest.raises(AnotherWriter):
            lock_and_leave(tmp_path, 1.5 * lock.LOCK_INTERVAL)
        assert slept == [lock.LOCK_INTERVAL] * 2
        lock_and_leave(tmp_path, 60.0)
        assert slept == [lock.LOCK_INTERVAL] * 3


def test_one_merges_at_a_time(tmp_path: Path) -> None:
    """Another one is told so, and may write."""
    with merger_lock(tmp_path) as first, merger_lock(tmp_path) as second:
        assert (first, second) == (True, False)
        lock_and_leave(tmp_path)
    with merger_lock(tmp_path) as again:
        assert again


@pytest.mark.parametrize("replaced", [False, True])
def test_a_lock_of_a_deleted_file_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replaced: bool
) -> None:
    """Somebody may have deleted the file between its opening and the lock: it is made anew."""
    opened: list[int] = []
    real = os.open

    def deleting(path: Path, *arguments: int) -> int:
        descriptor = real(path, *arguments)
        if path.name == WRITER and not opened:
            path.unlink()
            if replaced:
                os.close(real(path, os.O_CREAT, 0o644))
        opened.append(descriptor)
        return descriptor

    monkeypatch.setattr(os, "open", deleting)
    monkeypatch.setattr(lock, "sleep", lambda _: None)
    with writer_lock(tmp_path, 60.0):
        assert len(opened) >= 2
        assert (tmp_path / WRITER).exists()
        with pytest.raises(AnotherWriter):
            lock_and_leave(tmp_path)


@pytest.mark.parametrize("name", [WRITER, MERGER])
def test_a_lock_needs_no_permission_to_write(tmp_path: Path, name: str) -> None:
    """Its file is opened for reading, and readable by others."""
    mask = os.umask(0o022)
    lock_and_leave(tmp_path)
    with merger_lock(tmp_path):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o644
    os.umask(mask)


def test_a_deployment_keeps_its_name(tmp_path: Path) -> None:
    """Each data folder has its own, and another text is none."""
    name = deployment_id(tmp_path)
    assert deployment_id(tmp_path) == name
    (tmp_path / "other").mkdir()
    assert deployment_id(tmp_path / "other") != name
    shutil.copy(tmp_path / "DEPLOYMENT", tmp_path / "other")
    assert deployment_id(tmp_path / "other") == name
    for wrong in (name[:-1], name + "0", name.upper().replace("0", "G"), ""):
        (tmp_path / "DEPLOYMENT").write_text(wrong)
        with pytest.raises(GenerationUnusable, match="holds no UUID"):
            deployment_id(tmp_path)
