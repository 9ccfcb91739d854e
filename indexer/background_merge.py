"""Merging the delta into a new base while changes go on.

The merge works from a snapshot. What changed meanwhile is the delta of the generation that has the
new base. It replaces the published generation, which has the same films, so the generation before
stays the one to go back to.
"""

import os
import subprocess
import sys
from collections.abc import Collection, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

import numpy as np

from hybrid.engines.factory import open_sentences
from hybrid.engines.lexical.tantivy import TANTIVY_FOLDER
from hybrid.engines.lexical.writer_protocol import Previous
from hybrid.engines.semantic.encoder import ENCODER_FOLDER
from hybrid.movie import Movie
from hybrid.ranking import Ids
from hybrid.storage import durable
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.catalogue_changes import change_catalogue
from hybrid.storage.generation import (
    DELTA,
    DELTA_VECTORS,
    RECORDS,
    REJECTS,
    Generation,
    base_files,
    open_current,
    published,
    shared_digests,
)
from hybrid.storage.manifest import Delta, FileDigest, Lexical, Manifest, identity
from indexer.backends import Backends
from indexer.generations.cleanup import MERGE, recover
from indexer.generations.draft import Draft, draft_generation
from indexer.generations.lock import merger_lock, writer_lock
from indexer.generations.manifest import (
    BaseStore,
    Stores,
    catalogue_stats,
    change_manifest,
    delta_stats,
)
from indexer.generations.publish import Digests
from indexer.generations.smoke_test import probe
from indexer.merge import is_due, write_base
from indexer.semantic_index.vector_files import write_films

NICE = 10
"""Priority of a merge beside a service, as `nice` has it: searches and changes go first."""


class SharedIndex:
    """Stands for the writer of a keyword index that stays as it is."""

    def prepare(self, previous: Previous | None) -> None:
        """Do nothing."""

    def write(self, movies: Iterable[Movie], gone: Collection[int], total: int) -> Lexical:
        """Never called."""
        raise NotImplementedError

    def discard(self) -> None:
        """Do nothing."""

    def tidy(self, _: Collection[str], /) -> list[str]:
        """Do nothing."""
        return []

    def check_index(self, generation: Generation) -> None:
        """Do nothing."""


def start_merge(data: Path) -> subprocess.Popen[bytes]:
    """Start a process that merges the delta, while others do not need the cores.

    A thread of this process would slow down its searches.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "indexer", "merge", "--data", str(data)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with suppress(OSError):  # it has ended, or its priority is not ours to lower
        os.setpriority(os.PRIO_PROCESS, process.pid, NICE)
    return process


def merge_delta(data: Path, backends: Backends, always: bool = False) -> Manifest | None:
    """Publish the films of the published generation with a new base, and return its manifest.

    Returns None if another process merges, if the delta is empty or need not be merged yet, or if
    the base was replaced meanwhile. `always` merges any delta that is not empty. Raises HybridError
    or OSError if the new base cannot be written or published: then all is as it was.
    """
    with merger_lock(data) as is_held:
        if not is_held:
            return None
        rmtree(data / MERGE, ignore_errors=True)
        try:
            return _merge(data, backends, always)
        finally:
            rmtree(data / MERGE, ignore_errors=True)


def _merge(data: Path, backends: Backends, always: bool) -> Manifest | None:
    with writer_lock(data, backends.patience):
        generation = open_current(data, backends.checked)
        manifest = generation.manifest
        if manifest.delta == Delta() or not (always or is_due(manifest)):
            return None
        snapshot = _snapshot(data, generation)
    folder = data / MERGE / "base"
    folder.mkdir()
    base, written = write_base(snapshot, folder)
    digests = _settled(folder, written)
    probe(Generation(folder, manifest.model_copy(update=vars(base) | {"delta": Delta()})))
    with writer_lock(data, backends.patience):
        recover(data, backends.synced)
        now = open_current(data, backends.checked)
        if _base_of(now) != _base_of(snapshot):
            return None
        manifest = _publish(data, now, snapshot, Merged(folder, base, digests))
        backends.synced.note(data)
    return manifest


@dataclass(frozen=True)
class Merged:
    """A new base in a folder of its own, and the digests of its files."""

    folder: Path
    base: BaseStore
    digests: Digests


def _snapshot(data: Path, generation: Generation) -> Generation:
    """Return a generation that shares base and delta with a published one, and stays."""
    folder = data / MERGE / "snapshot"
    folder.mkdir(parents=True)
    for name in (*base_files(generation.manifest.pieces), DELTA, DELTA_VECTORS):
        if name in generation.manifest.files:
            (folder / name).hardlink_to(generation.file(name))
    return Generation(folder, generation.manifest)


def _settled(folder: Path, written: Digests) -> Digests:
    """Sync the files of a new base, and return their digests: all before others have to wait."""
    files = list(folder.iterdir())
    durable.sync_all(file for file in files if file.stat().st_nlink == 1)
    known = dict(written)
    for file in files:
        known[identity(file)] = known.get(identity(file)) or FileDigest.of(file)
    return known


def _base_of(generation: Generation) -> list[FileDigest | None]:
    manifest = generation.manifest
    return [manifest.files.get(name) for name in base_files(manifest.pieces)]


def _publish(data: Path, now: Generation, snapshot: Generation, merged: Merged) -> Manifest:
    """Publish the films of the generation `now` with the new base, which has those of `snapshot`.

    The caller holds the lock.
    """
    entry = published(data)[0]
    with draft_generation(data, lambda *_: SharedIndex()) as draft:
        for file in merged.folder.iterdir():
            file.rename(draft.file(file.name))
        draft.link(now, ENCODER_FOLDER)
        draft.link(now, REJECTS)
        draft.share(now, RECORDS)
        if now.manifest.lexical.engine == "embedded":
            draft.link(now, TANTIVY_FOLDER)
        if now.manifest.name != snapshot.manifest.name:
            _write_delta(draft, now, snapshot)
        with closing(Catalogue(draft.folder)) as catalogue:
            stats, delta = catalogue_stats(catalogue), delta_stats(catalogue)
        stores = Stores(stats, delta, merged.base, now.manifest.lexical)
        manifest = change_manifest(draft.name, now.manifest, None, stores)
        digests = {**shared_digests(now), **merged.digests}
        generation = draft.commit(manifest, digests, instead=entry)
    draft.tidy()
    return generation.manifest


def _write_delta(draft: Draft, now: Generation, snapshot: Generation) -> None:
    """Write what changed from `snapshot` to `now`, over a base that has the films of `snapshot`."""
    with closing(Catalogue(now.folder)) as after, closing(Catalogue(snapshot.folder)) as before:
        changed = _may_differ(before, after)
        old, new = before.some_contents(changed), after.some_contents(changed)
        ids = sorted(film for film, content in new.items() if old.get(film) != content)
        films = sorted(after.some_with_sentences(ids), key=lambda film: film.movie.id)
        gone = sorted(old.keys() - new.keys())
        kept, highest = after.hand_changes(), after.highest_id()
        rows = after.columns.rows_of(np.array(ids, np.int64))
        write_films(draft.file(DELTA_VECTORS), open_sentences(now, after), rows)
    change_catalogue(draft.folder, films, gone, kept, highest)


def _may_differ(before: Catalogue, after: Catalogue) -> list[int]:
    """Return the ids of the films that may differ, given that both have the same base."""
    parts: list[Ids] = [ids for c in (before, after) for ids in (c.delta.ids, c.delta.outdated)]
    changed: list[int] = np.unique(np.concatenate(parts)).tolist()
    return changed
