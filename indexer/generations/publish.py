"""Publishing a finished generation in one step."""

from collections.abc import Mapping, Sequence
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
from hybrid.storage.manifest import FileDigest, FileIdentity, Manifest, identity

Digests = Mapping[FileIdentity, FileDigest]
"""Digests of files that need not be read again: those shared with the generation before."""


def file_digests(folder: Path, known: Digests) -> dict[str, FileDigest]:
    """Return the digest of every file in `folder`; those that are `known` are not read."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): known.get(identity(path)) or FileDigest.of(path)
        for path in found
    }


def publish(data: Path, folder: Path, manifest: Manifest) -> Path:
    """Make the finished `folder` the published generation and return its new path.

    Replacing CURRENT is the only commit. Raises NotDurable if that is done but a power cut may
    undo it, OSError if something cannot be written.
    """
    manifest_file = folder / MANIFEST
    manifest_file.write_text(manifest.model_dump_json(indent=2), encoding="utf-8")
    for path in (folder, *folder.rglob("*")):
        durable.sync(path)
    digest = FileDigest.of(manifest_file).sha256
    final = data / GENERATIONS / manifest.name
    folder.rename(final)
    durable.sync(final.parent)
    _commit(data, [CurrentEntry(manifest.name, digest), *readable_entries(data)[:1]])
    return final


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
