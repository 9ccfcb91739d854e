"""A model of a disk that forgets what was not synced.

`recording` notes what is done to the files below a folder; `cuts` gives the states that a power cut
at any moment may leave on the disk. After ALICE (Pillai et al., OSDI 2014) and CrashMonkey (Mohan
et al., OSDI 2018), with no promise that a real file system makes beyond POSIX:

- a name that was added to a folder, moved within it or removed from it is on the disk once that
  folder is synced, and until then may be or not, each by itself;
- the content of a file is on the disk once the file is synced, and until then may be there,
  missing, cut short or zeros, whether or not the file's name is there;
- what was not on the disk when a sync failed is not put there by the next one.

What is written or renamed outside of Python (SQLite, FAISS, Tantivy) is noticed at the next step
that is taken in Python, and syncs outside of Python count for nothing.
"""

import os
import random
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import Any
from unittest.mock import patch

Node = int
"""A file or folder, whatever its names."""

ROOT: Node = 0

Tree = dict[str, bytes]
"""The content of every file, by its path below the root."""


@dataclass(frozen=True)
class Entry:
    """A name in a folder comes to mean a node, or none; `old` is the name that it replaces."""

    folder: Node
    name: str
    node: Node | None
    old: str | None = None
    is_file: bool = False


@dataclass(frozen=True)
class Content:
    """A file is given a content."""

    node: Node
    content: bytes


@dataclass(frozen=True)
class Sync:
    """A file or folder was synced, or that failed."""

    node: Node
    failed: bool = False


Change = Entry | Content


@dataclass
class Disk:
    """What is on a disk: the names in each folder, and the content of each file."""

    names: dict[Node, dict[str, Node]] = field(default_factory=lambda: {ROOT: {}})
    contents: dict[Node, bytes] = field(default_factory=dict)

    def copy(self) -> "Disk":
        """Return a copy that can be changed."""
        names = {folder: dict(entries) for folder, entries in self.names.items()}
        return Disk(names, dict(self.contents))

    def apply(self, change: Change) -> None:
        """Do a change."""
        if isinstance(change, Content):
            self.contents[change.node] = change.content
            return
        entries = self.names.setdefault(change.folder, {})
        if change.old is not None:
            entries.pop(change.old, None)
        if change.node is None:
            entries.pop(change.name, None)
        else:
            entries[change.name] = change.node
            if change.is_file:
                self.contents.setdefault(change.node, b"")

    def tree(self, under: Node = ROOT, path: str = "") -> Tree:
        """Return the files below a folder."""
        found: Tree = {}
        for name, node in self.names.get(under, {}).items():
            if node in self.contents:
                found[path + name] = self.contents[node]
            else:
                found |= self.tree(node, f"{path}{name}/")
        return found


@dataclass
class Recording:
    """What was done below a folder: `before` it, each change and sync, and how many of them were
    done when each piece of work was acknowledged."""

    folder: Path
    left_out: Callable[[str], bool]
    before: Disk = field(default_factory=Disk)
    operations: list[Change | Sync] = field(default_factory=list)
    acknowledged: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._now = Disk()
        self._nodes = {self.folder.stat().st_ino: ROOT}
        self._stamps: dict[Node, tuple[int, int]] = {}
        self._lock = RLock()  # some files are synced in several threads
        self._count = ROOT
        self.look()
        self.before = self._now.copy()
        self.operations.clear()

    def acknowledge(self) -> None:
        """Note that all that was done so far must last from now on."""
        self.look()
        self.acknowledged.append(len(self.operations))

    def look(self, again: Node | None = None) -> None:
        """Note how the folder differs from when it was last looked at.

        A file is read if its size or time is another, or it is to be read `again`.
        """
        with self._lock:
            self._look(again)

    def _look(self, again: Node | None) -> None:
        found: dict[Node, dict[str, Node]] = {}
        inodes = {self.folder.stat().st_ino: ROOT}
        files: dict[Node, Path] = {}
        self._walk(self.folder, ROOT, found, inodes, files)
        self._nodes = inodes
        for folder in sorted(found.keys() | self._now.names.keys()):
            before = self._now.names.get(folder, {})
            self._compare(folder, before, found.get(folder, {}), files.keys())
        for node, path in sorted(files.items()):
            stat = path.stat()
            stamp = stat.st_size, stat.st_mtime_ns
            if self._stamps.get(node) != stamp or node == again:
                self._stamps[node] = stamp
                content = path.read_bytes()
                if self._now.contents.get(node) != content:
                    self._do(Content(node, content))

    def sync(self, descriptor: int, failed: bool) -> None:
        """Note that an open file was synced, or could not be."""
        with self._lock:
            node = self._nodes.get(os.fstat(descriptor).st_ino)
            if node is not None:
                self.look(again=node)
                self.operations.append(Sync(node, failed))

    def _walk(
        self,
        folder: Path,
        node: Node,
        found: dict[Node, dict[str, Node]],
        inodes: dict[int, Node],
        files: dict[Node, Path],
    ) -> None:
        entries = found.setdefault(node, {})
        for path in sorted(folder.iterdir()):
            if self.left_out(path.name):
                continue
            inode = path.stat().st_ino
            if inode not in inodes:
                if inode not in self._nodes:
                    self._count += 1
                inodes[inode] = self._nodes.get(inode, self._count)
            entries[path.name] = inodes[inode]
            if path.is_dir():
                self._walk(path, inodes[inode], found, inodes, files)
            else:
                files[inodes[inode]] = path

    def _compare(
        self,
        folder: Node,
        before: dict[str, Node],
        after: dict[str, Node],
        files: Collection[Node],
    ) -> None:
        gone = {node: name for name, node in before.items() if name not in after}
        for name, node in after.items():
            if before.get(name) != node:
                self._do(Entry(folder, name, node, gone.pop(node, None), node in files))
        for name in gone.values():
            self._do(Entry(folder, name, None))

    def _do(self, change: Change) -> None:
        self._now.apply(change)
        self.operations.append(change)


@contextmanager
def recording(folder: Path, left_out: Callable[[str], bool]) -> Iterator[Recording]:
    """Record what is done inside to all files below `folder` but those whose names are `left_out`.

    All that is there at the beginning is on the disk.
    """
    record = Recording(folder, left_out)
    with ExitStack() as patched:
        for name in ("rename", "replace", "link", "unlink", "mkdir", "rmdir"):
            patched.enter_context(patch.object(os, name, _noting(record, getattr(os, name))))
        patched.enter_context(patch.object(os, "fsync", _syncing(record, os.fsync)))
        yield record


def _noting(record: Recording, real: Callable[..., Any]) -> Callable[..., Any]:
    def noting(*arguments: Any, **named: Any) -> Any:
        record.look()
        try:
            return real(*arguments, **named)
        finally:
            record.look()

    return noting


def _syncing(record: Recording, real: Callable[[int], None]) -> Callable[[int], None]:
    def syncing(descriptor: int) -> None:
        record.look()
        try:
            real(descriptor)
        except OSError:
            record.sync(descriptor, failed=True)
            raise
        record.sync(descriptor, failed=False)

    return syncing


@dataclass(frozen=True)
class Cut:
    """A state that a power cut may leave, and how much work was acknowledged before it."""

    disk: Disk
    acknowledged: int


def cuts(record: Recording, choose: random.Random, number: int) -> Iterator[Cut]:
    """Give states that a power cut may leave: after each operation the one in which all is lost
    that was not synced, the one in which nothing is, and `number` others."""
    changes: list[Change] = []
    on_disk: list[bool] = []
    waiting: list[int] = []
    for done in range(len(record.operations) + 1):
        acknowledged = sum(done >= count for count in record.acknowledged)
        losable = [position for position, safe in enumerate(on_disk) if not safe]
        kept = {position: changes[position] for position in losable}
        for chosen in ({}, kept, *(_some(kept, choose) for _ in range(number if kept else 0))):
            disk = record.before.copy()
            for position, change in enumerate(changes):
                if on_disk[position]:
                    disk.apply(change)
                elif position in chosen:
                    disk.apply(chosen[position])
            yield Cut(disk, acknowledged)
        if done == len(record.operations):
            return
        operation = record.operations[done]
        if isinstance(operation, Sync):
            reached = [
                position for position in waiting if _holder(changes[position]) == operation.node
            ]
            waiting = [position for position in waiting if position not in reached]
            for position in reached:
                on_disk[position] = not operation.failed
        else:
            waiting.append(len(changes))
            changes.append(operation)
            on_disk.append(False)


def _holder(change: Change) -> Node:
    """Return the file or folder whose sync puts a change on the disk."""
    return change.folder if isinstance(change, Entry) else change.node


def _some(changes: dict[int, Change], choose: random.Random) -> dict[int, Change]:
    """Return one of the changes, all but one, or about half of them; some contents are torn."""
    positions = list(changes)
    one = choose.choice(positions)
    half = {position for position in positions if choose.random() < 0.5}
    kept = choose.choice(({one}, set(positions) - {one}, half))
    return {position: _torn(changes[position], choose) for position in kept}


def _torn(change: Change, choose: random.Random) -> Change:
    if isinstance(change, Entry):
        return change
    whole = change.content
    return Content(
        change.node, choose.choice((whole, whole, b"", whole[: len(whole) // 2], bytes(len(whole))))
    )


def write(tree: Tree, folder: Path) -> None:
    """Write files into a new folder."""
    for path, content in tree.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
