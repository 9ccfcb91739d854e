"""A power cut at any moment: what is published is whole, and what was acknowledged is there.

FAULTS_CUTS is the number of states drawn after each operation, FAULTS_SEED the seed.
"""

import os
import random
import shutil
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from hybrid.errors import NotDurable
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.generation import (
    CURRENT,
    GENERATIONS,
    open_current,
    open_published,
    published,
)
from indexer.embedding.cache import CACHE
from indexer.generations.lock import deployment_id
from tests.faults.injection import failing_syncs
from tests.faults.power_cut import Recording, Tree, cuts, recording, write
from tests.faults.work import AFTER, BEFORE, FILMS, NEW, State, do, fresh, published_state, state
from tests.stores import build_file, films_file, put

NEXT = NEW.model_copy(update={"title": "The next change"})

CUTS = int(os.environ.get("FAULTS_CUTS", "8"))
SEED = int(os.environ.get("FAULTS_SEED", random.SystemRandom().randrange(10**6)))


def record(disk: Path, works: Sequence[Callable[[], object]]) -> Recording:
    """Do pieces of work to files below `disk`, each acknowledged when it returns.

    The cache of embeddings is left out, as if it were always lost.
    """
    with recording(disk, lambda name: name.startswith(CACHE)) as found:
        for work in works:
            work()
            found.acknowledge()
    return found


class Reader:
    """Tells what is published in a tree of files, each different one read once."""

    def __init__(self, folder: Path, data: str, expected: Sequence[State | None]) -> None:
        """Write trees into `folder` to read them; the data folder is at `data` in them.

        What equals an `expected` state is given as that one: so it is compared once, film by film.
        """
        self._folder = folder
        self._data = data
        self._expected = expected
        self._known: dict[tuple[tuple[str, bytes], ...], State | None] = {}

    def films(self, tree: Tree) -> State | None:
        """Return the published films, None where nothing is published.

        Raises GenerationUnusable or AssertionError where a generation that CURRENT names is not
        whole.
        """
        current = tree.get(f"{self._data}/{CURRENT}")
        if current is None:
            return None
        named = [line.split()[0] for line in current.decode("ascii").splitlines() if line.split()]
        parts = [CURRENT, "DEPLOYMENT", *(f"{GENERATIONS}/{name}/" for name in named)]
        read = tuple(f"{self._data}/{part}" for part in parts)
        relevant = {path: content for path, content in tree.items() if path.startswith(read)}
        key = tuple(sorted(relevant.items()))
        if key not in self._known:
            read_films = self._read(relevant)
            self._known[key] = next((s for s in self._expected if s == read_films), read_films)
        return self._known[key]

    def _read(self, tree: Tree) -> State:
        shutil.rmtree(self._folder, ignore_errors=True)
        write(tree, self._folder)
        data = self._folder / self._data
        assert (data / "DEPLOYMENT").exists()
        deployment_id(data)
        generation = open_current(data)
        for line in published(data)[1:]:
            open_published(data, line)
        with closing(Catalogue(generation.folder)) as catalogue:
            return state(catalogue.all_films())


def survives(
    found: Recording, states: Sequence[State | None], folder: Path, data: str = "data"
) -> None:
    """Whenever the power is cut: the state that was acknowledged last, or the next one, is there
    whole, and so is the generation before; and a next change works, tried on one state.

    `states` are those before and after each piece of work.
    """
    choose = random.Random(SEED)
    reader = Reader(folder / "read", data, states)
    tried, whole, some = 0, 0, Tree()
    for cut in cuts(found, choose, CUTS):
        tried += 1
        tree = cut.disk.tree()
        case = f"state {tried}, seed {SEED}"
        try:
            films = reader.films(tree)
        except Exception as error:
            raise AssertionError(f"{case}: {error}") from error
        allowed = states[cut.acknowledged : cut.acknowledged + 2]
        assert films in allowed, f"{case}: {len(films or ())} films are published"
        if films is not None:
            whole += 1
            some = some if choose.randrange(whole) else tree
    shutil.rmtree(folder / "next", ignore_errors=True)
    write(some, folder / "next")
    before = reader.films(some)
    assert before is not None
    put(folder / "next" / data, NEXT)
    assert published_state(folder / "next" / data) == before | {NEXT.id: NEXT}, f"seed {SEED}"
    assert len(list((folder / "next" / data / GENERATIONS).iterdir())) == 2, f"seed {SEED}"
    print(f"seed {SEED}: {tried} states after {len(found.operations)} operations")


@pytest.mark.parametrize("work", AFTER)
def test_a_power_cut(work: str, built: Path, tmp_path: Path) -> None:
    """Whatever of a change was not synced is lost, kept or torn."""
    data = fresh(built, tmp_path / "disk")
    found = record(data.parent, [lambda: do(work, data)])
    survives(found, [BEFORE, AFTER[work]], tmp_path)


@pytest.mark.parametrize("folder", ["a/b/data", "emptied"])
def test_a_power_cut_during_a_first_build(folder: str, tmp_path: Path) -> None:
    """Nothing is published, or all of it: also in folders that the build makes itself, and in a
    data folder of which everything else was deleted."""
    disk = tmp_path / "disk"
    (disk / "emptied").mkdir(parents=True)
    (disk / "emptied" / "DEPLOYMENT").write_text("0" * 32)
    source = films_file(tmp_path / "source", FILMS)
    found = record(disk, [lambda: build_file(disk / folder, source)])
    survives(found, [None, BEFORE], tmp_path, folder)


def test_a_power_cut_after_several_changes(built: Path, tmp_path: Path) -> None:
    """What was acknowledged lasts while the next change is made."""
    data = fresh(built, tmp_path / "disk")
    works = ("upsert", "rollback", "update")
    found = record(data.parent, [partial(do, work, data) for work in works])
    survives(found, [BEFORE, AFTER["upsert"], BEFORE, AFTER["update"]], tmp_path)


@pytest.mark.parametrize("work", ["upsert", "rollback"])
def test_a_power_cut_after_a_failed_sync(work: str, built: Path, tmp_path: Path) -> None:
    """Where the sync after the commit fails once, the commit is written again as a whole."""
    data = fresh(built, tmp_path / "disk")
    with failing_syncs(data, 1):
        found = record(data.parent, [lambda: do(work, data)])
    survives(found, [BEFORE, AFTER[work]], tmp_path)


@pytest.mark.parametrize("work", ["upsert", "rollback"])
def test_a_power_cut_after_syncs_that_failed_twice(work: str, built: Path, tmp_path: Path) -> None:
    """The error says that the change may be lost; the next command, which finds nothing to change,
    puts it on the disk before it says that it is there."""
    data = fresh(built, tmp_path / "disk")

    def twice() -> None:
        with pytest.raises(NotDurable, match="is published, but a power cut may undo that"):
            do(work, data)
        assert not put(data, FILMS[4]).published

    with failing_syncs(data, 2):
        found = record(data.parent, [twice])
    survives(found, [BEFORE, AFTER[work]], tmp_path)
