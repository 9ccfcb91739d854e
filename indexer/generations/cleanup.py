"""Removing what no published generation needs."""

import re
import shutil
from pathlib import Path

from hybrid.engines.lexical.writer_protocol import LexicalWriter
from hybrid.errors import BuildFailed, EngineUnavailable
from hybrid.storage.generation import GENERATIONS, UNFINISHED, current_indices
from indexer.generations.publish import readable_entries, write_current

FOLDER_NAME = re.compile(rf"[0-9]+-[0-9a-f]{{12}}({re.escape(UNFINISHED)})?")


def recover(data: Path) -> None:
    """Sync CURRENT, then remove what other writers left unfinished: every writer starts with this.

    A writer that died or failed in the middle of a commit may have replaced CURRENT without syncing
    it. Until it is written again, a power cut may bring back the one before, and the generations
    that one names must stay. Raises OSError.
    """
    if lines := readable_entries(data):
        write_current(data, lines)
    collect(data)


def collect(data: Path) -> None:
    """Remove all generations that CURRENT does not name, unless it cannot be read.

    Readers of a removed generation have its files open and go on. A folder that is not named like a
    generation is not ours and stays.
    """
    kept = {line.name for line in readable_entries(data)}
    for folder in (data / GENERATIONS).iterdir() if kept else ():
        if not FOLDER_NAME.fullmatch(folder.name) or folder.name in kept:
            continue
        if folder.is_symlink():
            folder.unlink()
        elif folder.is_dir():
            shutil.rmtree(folder)


def tidy(data: Path, writer: LexicalWriter) -> list[str]:
    """Remove what is outdated. The generation is published, so a failure is only a warning."""
    try:
        collect(data)
        return writer.tidy(current_indices(data))
    except (BuildFailed, EngineUnavailable, OSError) as error:
        return [f"what is outdated was not all removed, the next command will: {error}"]
