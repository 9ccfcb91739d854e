"""A disk that fails: at every step in turn, once and for ever; and one that is really full."""

import errno
import itertools
import json
import math
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hybrid.errors import HybridError, NotDurable
from hybrid.storage.generation import CURRENT, open_current
from indexer.generations.cleanup import MERGE
from indexer.verify import verify
from tests.command import Index, run
from tests.faults.injection import counted, fail, never
from tests.faults.work import AFTER, BEFORE, FILMS, do, fresh, published_state
from tests.stores import put, tools

EVERY = int(os.environ.get("FAULTS_EVERY", "6"))
"""Every so many steps of a work one is failed; 1 fails each, in every way."""

WAYS = [*itertools.product((errno.EIO, errno.ENOSPC), (1, math.inf)), (errno.EIO, 2)]
"""Errors, and how many steps in a row fail with them."""


def failing(work: str, data: Path, step: int, code: int, times: float) -> Exception | None:
    """Do a piece of work on a disk that fails at a step; return what stopped it."""
    try:
        with counted(data, fail(step, code, times)):
            do(work, data)
    except (HybridError, OSError) as error:
        return error
    return None


def commit(kinds: list[str]) -> range:
    """Return the steps of the commit: the file that replaces CURRENT is synced, put in its place,
    not there any more, and its folder synced."""
    replaced = len(kinds) - kinds[::-1].index("replace")
    steps = range(replaced - 1, replaced + 3)
    assert [kinds[step - 1] for step in steps] == ["sync", "replace", "remove", "sync"]
    return steps


@pytest.mark.parametrize("work", ["upsert", "update", "build", "rollback", "merge", "replace"])
def test_every_step_fails_in_turn(work: str, built: Path, tmp_path: Path) -> None:
    """Whichever step fails and however: the old state or the new one, never a mix; an error that
    is for users, or none; and the next change works. Those of the commit are failed in all ways."""
    data = fresh(built, tmp_path / "count")
    with counted(data, never) as steps:
        do(work, data)
    every_way = commit(steps.kinds)
    for step, kind in enumerate(steps.kinds, start=1):
        if step % EVERY and step not in every_way:
            continue
        in_turn = [WAYS[step // EVERY % len(WAYS)]]
        for code, times in WAYS if EVERY == 1 or step in every_way else in_turn:
            case = f"{work}, step {step} ({kind}), {errno.errorcode[code]}, {times} times"
            data = fresh(built, tmp_path / "work")
            stopped = failing(work, data, step, code, times)
            found = published_state(data)
            assert found in (BEFORE, AFTER[work]), case
            assert stopped is not None or found == AFTER[work], case
            if isinstance(stopped, NotDurable):
                assert found == AFTER[work], case
            put(data, FILMS[50].model_copy(update={"title": "The next change"}))
            assert len(list((data / "generations").iterdir())) == 2, case
            assert not (data / MERGE).exists(), case
    assert verify(data, tools()).clean


def test_a_failure_before_the_commit_leaves_no_litter(built: Path, tmp_path: Path) -> None:
    """What was written is removed at once where the disk allows it."""
    data = fresh(built, tmp_path / "count")
    with counted(data, never) as steps:
        do("upsert", data)
    renamed = len(steps.kinds) - steps.kinds[::-1].index("rename")
    for step in (10, 25, renamed):
        data = fresh(built, tmp_path / "work")
        text = (data / CURRENT).read_text()
        assert failing("upsert", data, step, errno.EIO, times=1) is not None
        assert (data / CURRENT).read_text() == text
        assert len(list((data / "generations").iterdir())) == 2


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """Give a file system of its own, of so many bytes."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        missing = f"no file system can be mounted here, as root may: {done.stderr.strip()}"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    try:
        yield folder
    finally:
        # Lazily: what was opened there and not yet collected would keep it busy.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Give a file system of two megabytes."""
    with small_disk(tmp_path / "disk", 2 * 1024**2) as folder:
        yield folder


def test_a_full_disk(disk: Path, built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With less and less room left, a change fails with a message and the old state serves; once
    there is room it succeeds."""
    monkeypatch.setattr("hybrid.engines.lexical.tantivy_writer.WRITER_BYTES", 15_000_000)
    data = Path(shutil.copytree(built, disk / "data"))
    filler = disk / "filler"
    messages = []
    for left in (0, 4, 16, 64, 128, 192, 256, 320):
        fill(filler, left * 1024)
        try:
            do("upsert", data)
        except (HybridError, OSError) as error:
            messages.append(str(error))
            filler.unlink()
            assert published_state(data) == BEFORE
        else:
            break
    print(*dict.fromkeys(messages), sep="\n")
    assert messages
    assert all(messages)
    filler.unlink(missing_ok=True)
    do("upsert", data)
    assert published_state(data) == AFTER["upsert"]
    assert verify(data, tools()).clean
    assert open_current(data)


@pytest.mark.parametrize("index", ["embedded"], indirect=True)
def test_what_a_full_disk_says(index: Index, tmp_path: Path) -> None:
    """The command ends with 1 and a line that says what is missing; searches go on; once there is
    room the same command succeeds."""
    film = json.dumps({"id": 5, "title": "The Lighthouse Machine", "description": "It dreams."})
    size = sum(file.stat().st_size for file in index.data.rglob("*"))
    with small_disk(tmp_path / "disk", size + 8 * 1024**2) as disk:
        at = {"HYBRID_DATA": str(shutil.copytree(index.data, disk / "data"))}
        for left in (0, 64 * 1024):
            fill(disk / "filler", left)
            done = run("indexer", "upsert", typed=film, **at)
            assert (done.returncode, done.stdout) == (1, "")
            assert done.stderr.startswith("Error: ")
            assert done.stderr.count("\n") == 1
            assert re.search("No space left on device|disk is full", done.stderr)
            assert run("hybrid", "search", "lighthouse machine", **at).returncode == 0
            assert run("indexer", "verify", **at).returncode == 0
        (disk / "filler").unlink()
        done = run("indexer", "upsert", typed=film, **at)
        assert done.returncode == 0, done.stderr
        assert "The Lighthouse Machine" in run("hybrid", "search", "lighthouse", **at).stdout


def fill(file: Path, left: int) -> None:
    """Leave only so many bytes of the disk."""
    file.unlink(missing_ok=True)
    free = os.statvfs(file.parent)
    with file.open("wb") as out:
        out.write(b"x" * max(free.f_bavail * free.f_bsize - left, 0))
