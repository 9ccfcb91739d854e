"""A generation is written in a folder of its own and becomes the published one in one step."""

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from hybrid.engines.lexical.writer_protocol import LexicalWriter
from hybrid.engines.semantic import encoder
from hybrid.errors import (
    BuildFailed,
    EngineUnavailable,
    GenerationUnusable,
)
from hybrid.storage import durable
from hybrid.storage.generation import (
    CATALOGUE,
    CURRENT,
    GENERATIONS,
    UNFINISHED,
    Generation,
    number_of,
    published,
)
from hybrid.storage.manifest import FileDigest, FileIdentity

NAME = re.compile(rf"[0-9]+-[0-9a-f]{{12}}({re.escape(UNFINISHED)})?")

Digests = Mapping[FileIdentity, FileDigest]
"""Of files that need not be read again: those shared with the generation before."""


def create_draft_folder(data: Path) -> Path:
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
    link(before.file(encoder.ENCODER_FOLDER), folder / encoder.ENCODER_FOLDER)
    shutil.copyfile(before.file(CATALOGUE), folder / CATALOGUE)
