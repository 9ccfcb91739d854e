"""The watcher that notices publications and new preferences, and serves them without a pause."""

import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock, Thread
from time import monotonic, time

from hybrid.errors import EngineUnavailable, GenerationUnusable, HybridError, InvalidInput
from hybrid.fusion.preferences import FILE, Preferences
from hybrid.machine import release_memory
from hybrid.monitoring.metrics import GENERATIONS
from hybrid.search import HybridSearch
from hybrid.serving.live_search import LiveSearch
from hybrid.serving.workers import Worker
from hybrid.storage.generation import (
    CURRENT,
    CurrentEntry,
    Generation,
    KnownDigests,
    check_sizes,
    open_current,
    open_published,
    published,
)
from hybrid.storage.manifest import FileIdentity, Manifest, identity

POLL = 0.02
"""Seconds between two checks of CURRENT and ranking.toml, which read them only if they changed."""

REST = 4
"""How many times as long as a generation of several changes took to open the next one may wait."""

RETRY = 60.0
"""Seconds after which a generation that could not be opened is tried again."""

CHECK = 60.0
"""Seconds between two checks of the generation served: sizes of files, films in the engine."""

SETTLED = 5.0
"""Seconds for which the number of films in the keyword engine must be wrong to be reported."""

log = logging.getLogger(__name__)

Open = Callable[[Generation, Preferences], HybridSearch]


class GenerationWatcher:
    """Keeps `live` at the published generation of a data folder, ranked by its ranking.toml."""

    def __init__(
        self,
        data: Path,
        open_search: Open,
        digests: KnownDigests | None = None,
        worker: Worker | None = None,
    ) -> None:
        """Open the published generation or, if that is unusable, the previous one.

        `digests` are of files that this process, or the one that started it, has read already.
        Raises InvalidInput where ranking.toml is wrong, GenerationUnusable or another HybridError
        where neither generation can be opened.
        """
        self._data = data
        self._open = open_search
        self._digests: KnownDigests = dict(digests or {})
        self._worker = worker or Worker()
        self._surplus = 0
        self._rest = 1
        self._stop = Event()
        self._thread = Thread(target=self._run, name="watcher", daemon=True)
        self._refreshing = Lock()
        self._preferences_file = _identity(data / FILE)
        self._seen: tuple[FileIdentity | None, FileIdentity | None] | None = None
        self._preferences = Preferences.load(data)
        entry = published(data)[0]
        self._tried: tuple[CurrentEntry, Preferences] | None = entry, self._preferences
        self._tried_at = monotonic()
        try:
            current = self._open_warm(open_current(data, self._digests))
            self.live = LiveSearch(current, self._worker)
        except HybridError as error:
            self.live = LiveSearch(self._open_previous(error), self._worker)
            self.live.publication_problem = _unusable(entry, error)
        self._check_stores()

    def start(self) -> None:
        """Begin to watch, in a thread."""
        self._thread.start()

    def close(self) -> None:
        """Stop watching, and close the search."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self.live.close()

    def refresh(self) -> None:
        """Serve the published generation, ranked by ranking.toml, if either has changed.

        If one of them is unusable, `live` says why and what was served stays.
        """
        with self._refreshing:
            self._refresh()
            if monotonic() > self._checked_at + (SETTLED if self._surplus else CHECK):
                self._check_stores()

    def _refresh(self) -> None:
        self._read_preferences()
        files = _identity(self._data / CURRENT), self._preferences_file
        if files[0] and files == self._seen and not self._retry_due():
            return
        self._seen = files
        try:
            entry = published(self._data)[0]
        except GenerationUnusable as error:
            self._tried, self.live.publication_problem = None, error.message
            return
        wanted = entry, self._preferences
        if wanted == self._tried and not self._retry_due():
            return
        self._tried, self._tried_at = wanted, monotonic()
        served = self.live.acquire()
        try:
            if (entry.name, self._preferences) != (served.generation, served.preferences):
                with self._worker.turn():
                    before = self._generation.manifest
                    generation = open_current(self._data, self._digests)
                    self.live.swap(self._open_warm(generation))
                    self._rest = rest_after(before, generation.manifest)
                    release_memory()  # of the search that was replaced, if nobody uses it any more
                self._surplus = 0
                GENERATIONS.inc()
                log.info("generation served", extra={"generation": entry.name})
                self._check_stores()
            self.live.publication_problem = None
        except HybridError as error:
            self.live.publication_problem = _unusable(entry, error)
            if self._preferences != served.preferences:
                with suppress(HybridError):
                    self.live.swap(self._reopen())
        finally:
            self.live.release(served)

    def _read_preferences(self) -> None:
        """Read ranking.toml if it changed; if it is wrong, note why and keep the preferences."""
        file = _identity(self._data / FILE)
        if file == self._preferences_file:
            return
        self._preferences_file = file
        try:
            self._preferences = Preferences.load(self._data)
            self.live.preferences_problem = None
        except InvalidInput as error:
            self.live.preferences_problem = (
                f"{error.message}; the previous preferences stay in force"
            )

    def _check_stores(self) -> None:
        """Note what is wrong with the generation served, as far as a cheap check shows it."""
        self._checked_at = monotonic()
        search = self.live.acquire()
        try:
            damage, surplus = _damage(self._generation), _surplus(search)
        finally:
            self.live.release(search)
        # In an index that generations share, films come and go shortly before and after a
        # publication; the files of an outdated generation are removed.
        lasting, self._surplus = surplus == self._surplus, surplus
        if damage and _outdated(self._data, search.generation):
            damage = None
        wrong_count = _wrong_count(surplus) if surplus and lasting else None
        self.live.store_problem = damage or wrong_count
        self.live.checked_at = time()

    def _retry_due(self) -> bool:
        return self.live.publication_problem is not None and monotonic() > self._tried_at + RETRY

    def _open_warm(self, generation: Generation) -> HybridSearch:
        search = self._open(generation, self._preferences)
        search.warm()
        release_memory()
        self._generation = generation
        return search

    def _reopen(self) -> HybridSearch:
        """Open the generation served once more, to rank by other preferences."""
        check_sizes(self._generation)
        return self._open_warm(self._generation)

    def _open_previous(self, error: HybridError) -> HybridSearch:
        for entry in published(self._data)[1:]:
            with suppress(HybridError):
                return self._open_warm(open_published(self._data, entry, self._digests))
        raise error

    def _run(self) -> None:
        pause = POLL
        while not self._stop.wait(pause):
            start = monotonic()
            try:
                self.refresh()
            except Exception as error:
                log.exception("a new generation cannot be opened")
                self.live.publication_problem = f"a new generation cannot be opened: {error!r}"
            pause = POLL + self._rest * (monotonic() - start)


def rest_after(before: Manifest, opened: Manifest) -> int:
    """Return how many times as long as a generation took to open searches have for themselves.

    After a single change the next generation is opened soon, as somebody may wait for it. Where
    many change films at once, another generation follows this one before it is looked at.
    """
    films = opened.delta.films - before.delta.films
    outdated = opened.delta.outdated - before.delta.outdated
    return 1 if max(abs(films), abs(outdated)) <= 1 else REST


def _identity(file: Path) -> FileIdentity | None:
    """Return what changes whenever the file does, None where there is no file."""
    try:
        return identity(file)
    except OSError:
        return None


def _outdated(data: Path, generation: str) -> bool:
    """Whether another generation is published."""
    try:
        return published(data)[0].name != generation
    except GenerationUnusable:
        return False


def _damage(generation: Generation) -> str | None:
    try:
        check_sizes(generation)
    except GenerationUnusable as error:
        return error.message
    return None


def _surplus(search: HybridSearch) -> int:
    """Return how many more films the keyword engine holds than the catalogue; negative if fewer."""
    try:
        return search.engines.lexical.count() - len(search.catalogue)
    except EngineUnavailable:
        return 0  # /health/ready reports the engine


def _wrong_count(surplus: int) -> str:
    what = f"lacks {-surplus} films" if surplus < 0 else f"holds {surplus} films too many"
    return f"the keyword engine {what}: see `python -m indexer verify --repair`"


def _unusable(entry: CurrentEntry, error: HybridError) -> str:
    """Return why the generation cannot be served, after logging it."""
    fields = {"generation": entry.name, "problem": error.message}
    log.warning("generation unusable", extra=fields)
    return f"generation {entry.name} cannot be served: {error.message}"
