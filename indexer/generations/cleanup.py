"""A generation is written in a folder of its own and becomes the published one in one step."""

import shutil
from pathlib import Path

from hybrid.engines.lexical.writer_protocol import LexicalWriter
from hybrid.errors import (
    BuildFailed,
    EngineUnavailable,
)
from hybrid.storage.generation import GENERATIONS, current_indices
from indexer.generations.publish import readable_entries, write_current
from indexer.generations.staging import NAME


def recover(data: Path) -> None:
    """Put CURRENT on the disk, then remove what others left unfinished: a writer begins with it.

    Who died or failed in the middle of a commit may have replaced CURRENT but not synced it. Until
    it is written again, a power cut may bring back the one before, and what that names must stay.
    Raises OSError.
    """
    if lines := readable_entries(data):
        write_current(data, lines)
    collect(data)


def collect(data: Path) -> None:
    """Remove all generations that CURRENT does not name, unless it cannot be read.

    Who reads one of them has its files open, and goes on. What is not named like a generation is
    not ours and stays.
    """
    kept = {line.name for line in readable_entries(data)}
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
        return writer.tidy(current_indices(data))
    except (BuildFailed, EngineUnavailable, OSError) as error:
        return [f"what is outdated was not all removed, the next command will: {error}"]
