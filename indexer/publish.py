"""A generation is written in a folder of its own and becomes the published one in one step."""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from uuid import uuid4

from hybrid import durable, encoder
from hybrid.engines.protocols import LexicalWriter
from hybrid.errors import (
    AnotherWriter,
    BuildFailed,
    EngineUnavailable,
    GenerationUnusable,
    NotDurable,
)
from hybrid.generation import (
    CATALOGUE,
    CURRENT,
    GENERATIONS,
    MANIFEST,
    UNFINISHED,
    FileDigest,
    FileIdentity,
    Generation,
    Manifest,
    Published,
    identity,
    kept_indices,
    number_of,
    open_published,
    published,
)

NAME = re.compile(rf"[0-9]+-[0-9a-f]{{12}}({re.escape(UNFINISHED)})?")

WRITER = "WRITER"
"""Name of the file that is locked."""

PATIENCE = 60.0
"""Seconds that verify, repair and rollback wait for another that writes."""

LOCK_INTERVAL = 0.02
"""Seconds between two attempts to get the lock: less than a service leaves it between changes."""

Digests = Mapping[FileIdentity, FileDigest]
"""Of files that need not be read again: those shared with the generation before."""


@contextmanager
def only_writer(data: Path, patience: float = 0.0) -> Iterator[None]:
    """Hold the data folder's lock, which dies with its process.

    Raises AnotherWriter if one has held it for `patience` seconds.
    """
    durable.make_folder(data)
    until = monotonic() + patience
    while True:
        # Not to be written to: some folders are only looked at.
        flags = os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW
        with os.fdopen(os.open(data / WRITER, flags, 0o644)) as file:
            if _locked(file.fileno(), data / WRITER):
                yield
                return
        if monotonic() >= until:
            raise AnotherWriter(
                f"another command is writing to {data}: wait for it, or use another --data folder"
            )
        sleep(LOCK_INTERVAL)


def _locked(descriptor: int, file: Path) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    # Somebody may have deleted it since it was opened, and another locked one made anew.
    try:
        return os.path.samestat(file.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def deployment_id(data: Path) -> str:
    """Return the UUID of this data folder, made on first use: it marks what is ours."""
    file = data / "DEPLOYMENT"
    if not file.exists():
        durable.replace(file, uuid4().hex)
    found = file.read_bytes().decode("ascii", "replace").strip()
    if not re.fullmatch("[0-9a-f]{32}", found):
        raise GenerationUnusable(
            f"{file} holds no UUID: restore it, or delete it and build the index again"
        )
    return found


def unfinished_folder(data: Path) -> Path:
    """Make a folder for a generation in the making, `<n>-<uuid>.unfinished`, n above all others."""
    durable.make_folder(data / GENERATIONS)
    there = (data / GENERATIONS).glob("*")
    numbers = [number_of(folder.name) for folder in there if NAME.fullmatch(folder.name)]
    name = f"{max(numbers, default=0) + 1}-{uuid4().hex[:12]}"
    folder = data / GENERATIONS / f"{name}{UNFINISHED}"
    folder.mkdir()
    return folder


@contextmanager
def nothing_stays(folder: Path, writer: LexicalWriter) -> Iterator[None]:
    """Remove what was written, whatever stops the making of a generation before it is published."""
    final = folder.with_name(folder.name.removesuffix(UNFINISHED))
    try:
        yield
    except BaseException:
        if _may_be_published(folder.parents[1], final):
            # What stops us after the commit must not undo it.
            raise
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(final, ignore_errors=True)
        # What cannot be undone now is undone by the next writer.
        with suppress(BuildFailed, EngineUnavailable):
            writer.discard()
        raise


def _may_be_published(data: Path, final: Path) -> bool:
    """Whether CURRENT names a generation or, where that cannot be read, was about to."""
    try:
        return any(line.name == final.name for line in published(data))
    except GenerationUnusable:
        return (data / CURRENT).exists() and final.exists()


def link(source: Path, target: Path) -> None:
    """Share a file, or every file of a folder, with another generation."""
    if source.is_dir():
        target.mkdir()
        for file in source.iterdir():
            link(file, target / file.name)
    else:
        target.hardlink_to(source)


def share(before: Generation, folder: Path) -> None:
    """Take over the model, and a copy of the catalogue to be changed."""
    link(before.file(encoder.FOLDER), folder / encoder.FOLDER)
    shutil.copyfile(before.file(CATALOGUE), folder / CATALOGUE)


def digests(folder: Path, known: Digests) -> dict[str, FileDigest]:
    """Return the digest of every file in `folder`; those that are `known` are not read."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): known.get(identity(path)) or FileDigest.of(path)
        for path in found
    }


def publish(data: Path, folder: Path, manifest: Manifest) -> Path:
    """Make the finished `folder` the published generation and return its new place.

    Replacing CURRENT is the only commit. Raises NotDurable where the commit is done but may be
    lost, OSError where something cannot be written.
    """
    manifest_file = folder / MANIFEST
    manifest_file.write_text(manifest.model_dump_json(indent=2), encoding="utf-8")
    for path in (folder, *folder.rglob("*")):
        durable.sync(path)
    digest = FileDigest.of(manifest_file).sha256
    final = data / GENERATIONS / manifest.name
    folder.rename(final)
    durable.sync(final.parent)
    _commit(data, [Published(manifest.name, digest), *_readable(data)[:1]])
    return final


def rollback(data: Path) -> tuple[str, str]:
    """Publish the generation before the published one again; return the names of both.

    Raises GenerationUnusable where there is none to go back to, or it is damaged, NotDurable or
    OSError where CURRENT cannot be written.
    """
    lines = published(data)
    if len(lines) == 1:
        raise GenerationUnusable(
            f"there is no generation before {lines[0].name}: one is kept, and going back takes it; "
            "update or build from the source"
        )
    open_published(data, lines[1])
    _commit(data, lines[1:])
    return lines[0].name, lines[1].name


def recover(data: Path) -> None:
    """Put CURRENT on the disk, then remove what others left unfinished: a writer begins with it.

    Who died or failed in the middle of a commit may have replaced CURRENT but not synced it. Until
    it is written again, a power cut may bring back the one before, and what that names must stay.
    Raises OSError.
    """
    if lines := _readable(data):
        _write_current(data, lines)
    collect(data)


def collect(data: Path) -> None:
    """Remove all generations that CURRENT does not name, unless it cannot be read.

    Who reads one of them has its files open, and goes on. What is not named like a generation is
    not ours and stays.
    """
    kept = {line.name for line in _readable(data)}
    for folder in (data / GENERATIONS).iterdir() if kept else ():
        if not NAME.fullmatch(folder.name) or folder.name in kept:
            continue
        if folder.is_symlink():
            folder.unlink()
        elif folder.is_dir():
            shutil.rmtree(folder)


def tidy(data: Path, writer: LexicalWriter) -> list[str]:
    """Remove what is outdated. The generation is published: a failure here is only a warning."""
    try:
        collect(data)
        return writer.tidy(kept_indices(data))
    except (BuildFailed, EngineUnavailable, OSError) as error:
        return [f"what is outdated was not all removed, the next command will: {error}"]


def _readable(data: Path) -> tuple[Published, ...]:
    """Return the lines of CURRENT, none where it is missing or damaged: that a build mends."""
    try:
        return published(data)
    except GenerationUnusable:
        return ()


def _write_current(data: Path, lines: Sequence[Published]) -> None:
    """Write CURRENT, on the disk on return. Raises OSError, though it may be written even then."""
    text = "".join(f"{line.name} {line.manifest_sha256}\n" for line in lines)
    try:
        durable.replace(data / CURRENT, text)
    except OSError:
        # The system reports a lost write once, so only writing everything again helps.
        durable.replace(data / CURRENT, text)


def _commit(data: Path, lines: Sequence[Published]) -> None:
    """Publish the first of `lines`. Raises NotDurable where only the last sync failed, OSError."""
    try:
        _write_current(data, lines)
    except OSError as error:
        if _readable(data) != tuple(lines):
            raise
        raise NotDurable(
            f"generation {lines[0].name} is published, but a power cut may undo that "
            f"({error.strerror}): check the disk, then make this change again, or any other"
        ) from error
