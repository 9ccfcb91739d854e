"""Publishing a finished generation in one step."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from hybrid.errors import GenerationUnusable, NotDurable
from hybrid.storage import durable
from hybrid.storage.generation import (
    CURRENT,
    GENERATIONS,
    MANIFEST,
    CurrentEntry,
    open_published,
    published,
)
from hybrid.storage.manifest import FileDigest, FileIdentity, Manifest, identity_of

Digests = Mapping[FileIdentity, FileDigest]
"""Digests of files that need not be read again: those shared with the generation before."""


def file_digests(folder: Path, known: Digests) -> dict[str, FileDigest]:
    """Return the digest of every file in `folder`; those that are `known` are not read."""
    root = os.fspath(folder)
    found = sorted(
        os.path.join(parent, name)  # noqa: PTH118, a tenth of the time of a Path
        for parent, _, names in os.walk(root)
        for name in names
    )
    return {
        os.path.relpath(path, root): known.get(identity_of(os.stat(path)))  # noqa: PTH116
        or FileDigest.of(Path(path))
        for path in found
    }


def publish(
    data: Path, folder: Path, manifest: Manifest, instead: CurrentEntry | None = None
) -> Path:
    """Make the finished `folder` the published generation and return its new path.

    The one before is that which was published, or if this one is published `instead` of an entry of
    the same films, the one before that. Replacing CURRENT is the only commit. Raises NotDurable if
    that is done but a power cut may undo it, OSError if something cannot be written.
    """
    manifest_file = folder / MANIFEST
    manifest_file.write_text(manifest.model_dump_json(indent=2), encoding="utf-8")
    durable.sync_all(_unshared(folder))
    digest = FileDigest.of(manifest_file).sha256
    final = data / GENERATIONS / manifest.name
    folder.rename(final)
    before = [entry for entry in readable_entries(data) if entry != instead][:1]
    durable.sync(final.parent)
    _commit(data, [CurrentEntry(manifest.name, digest), *before])
    return final


def _unshared(folder: Path) -> Iterator[Path]:
    """Yield a folder and all in it but the files that a published generation has, too.

    Those were synced before that was published.
    """
    for parent, _, names in os.walk(folder):
        yield Path(parent)
        for name in names:
            file = os.path.join(parent, name)  # noqa: PTH118, a tenth of the time of a Path
            if os.stat(file).st_nlink == 1:  # noqa: PTH116
                yield Path(file)


def publish_previous(data: Path) -> tuple[str, str]:
    """Publish the generation before the published one again; return the names of both.

    Raises GenerationUnusable if there is none to go back to or it is damaged, NotDurable or OSError
    if CURRENT cannot be written.
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


def readable_entries(data: Path) -> tuple[CurrentEntry, ...]:
    """Return the lines of CURRENT, none if it is missing or damaged, which a build repairs."""
    try:
        return published(data)
    except GenerationUnusable:
        return ()


def write_current(data: Path, lines: Sequence[CurrentEntry]) -> None:
    """Write and sync CURRENT. Raises OSError, though it may be written even then."""
    text = "".join(f"{line.name} {line.manifest_sha256}\n" for line in lines)
    try:
        durable.replace(data / CURRENT, text)
    except OSError:
        # The system reports a lost write once, so only writing everything again helps.
        durable.replace(data / CURRENT, text)


def _commit(data: Path, lines: Sequence[CurrentEntry]) -> None:
    """Publish the first of `lines`. Raises NotDurable if only the last sync failed, or OSError."""
    try:
        write_current(data, lines)
    except OSError as error:
        if readable_entries(data) != tuple(lines):
            raise
        raise NotDurable(
            f"generation {lines[0].name} is published, but a power cut may undo that "
            f"({error.strerror}): check the disk, then make this change again, or any other"
        ) from error
