"""Faults at a chosen step of what a writer does to the disk and to its engines.

A step is a write, a sync, a rename, a replacement, a link or a removal below one folder, or a
commit of an engine, before and after. Steps are counted in the order in which they come, which is
the same in every run; each has a kind.
"""

import errno
import io
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any
from unittest.mock import patch

from elasticsearch import helpers

from hybrid.engines.lexical.tantivy_writer import TantivyWriter
from hybrid.storage.generation import CURRENT
from indexer import background_merge, merge
from indexer import build as building
from indexer import change as making

Fault = Callable[[int, str], None]
"""Takes the number and the kind of a step that is about to be done, and may end it."""


@dataclass
class Steps:
    """The kinds of the steps so far, each given to `fault` before it is done."""

    folder: Path
    fault: Fault
    kinds: list[str] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def take(self, kind: str) -> None:
        """Count a step. Some files are synced in several threads."""
        with self.lock:
            self.kinds.append(kind)
            number = len(self.kinds)
        self.fault(number, kind)

    def ours(self, path: object) -> bool:
        """Whether a path lies below the folder."""
        return isinstance(path, str | os.PathLike) and Path(path).is_relative_to(self.folder)


def never(number: int, kind: str) -> None:
    """Do nothing: steps are only counted."""


def kill(at: int) -> Fault:
    """Return what kills the process before step `at`."""

    def fault(number: int, kind: str) -> None:
        if number == at:
            os.kill(os.getpid(), signal.SIGKILL)

    return fault


def fail(at: int, code: int, times: float) -> Fault:
    """Return what fails step `at` and those that follow, so many, with an error of the system."""

    def fault(number: int, kind: str) -> None:
        if at <= number < at + times:
            raise OSError(code, os.strerror(code))

    return fault


@contextmanager
def failing_syncs(data: Path, times: float) -> Iterator[None]:
    """Fail so many syncs of the data folder, from when its CURRENT is another than now."""
    real, failed = os.fsync, 0
    before = (data / CURRENT).read_text()

    def failing(descriptor: int) -> None:
        nonlocal failed
        ours = os.path.samestat(os.fstat(descriptor), data.stat())
        if ours and failed < times and (data / CURRENT).read_text() != before:
            failed += 1
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(descriptor)

    with patch.object(os, "fsync", failing):
        yield
    assert failed


class _Written:
    """A file whose every write is a step."""

    def __init__(self, file: Any, steps: Steps) -> None:
        self._file = file
        self._steps = steps

    def write(self, data: Any) -> int:
        self._steps.take("write")
        written: int = self._file.write(data)
        return written

    def __enter__(self) -> "_Written":
        self._file.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._file.__exit__(*error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@contextmanager
def counted(folder: Path, fault: Fault) -> Iterator[Steps]:
    """Count the steps of what is done inside, and give each to `fault`."""
    steps = Steps(folder, fault)
    with ExitStack() as patched:
        for name, kind in {
            "rename": "rename",
            "replace": "replace",
            "link": "link",
            "unlink": "remove",
            "mkdir": "mkdir",
        }.items():
            patched.enter_context(patch.object(os, name, _counting(steps, name, kind)))
        patched.enter_context(patch.object(os, "fsync", _syncing(steps)))
        patched.enter_context(patch.object(io, "open", _opening(steps)))
        for owner, name, kind in (
            (making, "change_catalogue", "catalogue"),
            (background_merge, "change_catalogue", "catalogue"),
            (merge, "merge_catalogue", "catalogue"),
            (building, "write_catalogue", "catalogue"),
            (TantivyWriter, "_commit", "commit"),
            (shutil, "copyfile", "copy"),
            (helpers.actions, "_process_bulk_chunk", "bulk"),
        ):
            patched.enter_context(patch.object(owner, name, _around(steps, owner, name, kind)))
        yield steps


def _counting(steps: Steps, name: str, kind: str) -> Callable[..., Any]:
    real = getattr(os, name)

    def counting(path: Any, *arguments: Any, **named: Any) -> Any:
        # What is removed by its place in an open folder is below ours, too.
        if steps.ours(path) or named.get("dir_fd") is not None:
            steps.take(kind)
        return real(path, *arguments, **named)

    return counting


def _syncing(steps: Steps) -> Callable[[int], None]:
    real = os.fsync

    def syncing(descriptor: int) -> None:
        steps.take("sync")
        real(descriptor)

    return syncing


def _opening(steps: Steps) -> Callable[..., Any]:
    real = io.open

    def opening(path: Any, mode: str = "r", *arguments: Any, **named: Any) -> Any:
        file = real(path, mode, *arguments, **named)
        return _Written(file, steps) if {"w", "x"} & set(mode) and steps.ours(path) else file

    return opening


def _around(steps: Steps, owner: Any, name: str, kind: str) -> Callable[..., Any]:
    real = getattr(owner, name)

    def around(*arguments: Any, **named: Any) -> Any:
        steps.take(kind)
        done = real(*arguments, **named)
        steps.take(kind)
        return done

    return around
