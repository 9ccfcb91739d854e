"""Files that are not as they were written: refused by name before anything parses them.

FAULTS_DAMAGES is their number, FAULTS_SEED the seed.
"""

import os
import random
from contextlib import suppress
from pathlib import Path

import pytest

from hybrid.errors import GenerationUnusable
from hybrid.fusion.preferences import Preferences
from hybrid.search import HybridSearch
from hybrid.serving.watcher import GenerationWatcher
from hybrid.storage.generation import Generation, open_current
from tests import corpus
from tests.stores import build_stores, put

DAMAGES = int(os.environ.get("FAULTS_DAMAGES", "60"))
SEED = int(os.environ["FAULTS_SEED"])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a data folder whose published generation shares files with the one before."""
    folder = tmp_path_factory.mktemp("damage") / "data"
    build_stores(folder, corpus.films(120))
    put(folder, corpus.films(130)[-1])
    return folder


def damaged(content: bytes, choose: random.Random) -> bytes:
    """Return the content with a bit flipped, bytes cut off, or bytes added."""
    kind = choose.choice(("flip", "cut", "add"))
    if kind == "flip" and content:
        position, bit = choose.randrange(len(content)), choose.randrange(8)
        return content[:position] + bytes([content[position] ^ 1 << bit]) + content[position + 1 :]
    if kind == "cut" and content:
        return content[: choose.randrange(len(content))]
    return content + choose.randbytes(choose.randint(1, 4096))


def test_any_damage_is_refused_by_name(data: Path) -> None:
    """Every file is damaged at least once; no generation with it is ever given to SQLite, FAISS or
    Tantivy, and the one before is where it does not share the file."""
    opened: list[Generation] = []

    def opening(generation: Generation, _: Preferences) -> HybridSearch:
        # Not really: what is mapped into memory must not be cut.
        opened.append(generation)
        raise GenerationUnusable("opened")

    choose = random.Random(SEED)
    folder = open_current(data).folder
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    chosen = files + choose.choices(files, k=max(DAMAGES - len(files), 0))
    for path in chosen:
        content = path.read_bytes()
        path.write_bytes(damaged(content, choose))
        try:
            with pytest.raises(GenerationUnusable) as error:
                open_current(data)
            assert str(path) in error.value.message, f"seed {SEED}"
            with suppress(GenerationUnusable):
                GenerationWatcher(data, opening)
            assert bool(opened) == (path.stat().st_nlink == 1), f"seed {SEED}"
            assert all(not path.samefile(file) for one in opened for file in one.folder.rglob("*"))
            opened.clear()
        finally:
            path.write_bytes(content)
    assert open_current(data).folder == folder
    print(f"seed {SEED}: {len(chosen)} damages of {len(files)} files")
