"""Removing what no published generation needs."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from hybrid.engines.lexical.writer_protocol import LexicalWriter
from hybrid.errors import BuildFailed, EngineUnavailable
from hybrid.storage.generation import CURRENT, GENERATIONS, UNFINISHED, current_indices
from hybrid.storage.manifest import FileIdentity, identity
from indexer.generations.lock import merger_lock
from indexer.generations.publish import readable_entries, write_current

FOLDER_NAME = re.compile(rf"[0-9]+-[0-9a-f]{{12}}({re.escape(UNFINISHED)})?")


MERGE = "merge"
"""The folder in which a new base is written while others write."""


@dataclass
class SyncedCurrent:
    """The file CURRENT that this process wrote and synced last, None if it wrote none."""

    file: FileIdentity | None = None

    def note(self, data: Path) -> None:
        """Note that CURRENT is as this process has just written and synced it."""
        self.file = identity(data / CURRENT)

    def is_still(self, data: Path) -> bool:
        """Whether nobody has written CURRENT since."""
        return self.file is not None and self.file == identity(data / CURRENT)


def recover(data: Path, synced: SyncedCurrent | None = None) -> None:
    """Sync CURRENT, then remove what other writers left unfinished: every writer starts with this.

    A writer that died or failed in the middle of a commit may have replaced CURRENT without syncing
    it. Until it is written again, a power cut may bring back the one before, and the generations
    that one names must stay. What this process has `synced` itself is not written again. Raises
    OSError.
    """
    if not (synced and synced.is_still(data)) and (lines := readable_entries(data)):
        write_current(data, lines)
    collect(data)
    if (data / MERGE).exists():
        with merger_lock(data) as nobody_merges:
            if nobody_merges:
                shutil.rmtree(data / MERGE)


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
