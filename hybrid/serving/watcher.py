"""Keeping up with what is published: each process looks for itself, and never stops answering."""

import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock, Thread
from time import monotonic, time

from hybrid.errors import EngineUnavailable, GenerationUnusable, HybridError, InvalidInput
from hybrid.fusion.preferences import FILE, Preferences
from hybrid.search import HybridSearch
from hybrid.serving.live_search import LiveSearch
from hybrid.storage.generation import (
    CurrentEntry,
    Generation,
    KnownDigests,
    check_sizes,
    open_current,
    open_published,
    published,
)
from hybrid.storage.manifest import FileIdentity, identity

LOOK = 0.1
"""Seconds between looks at CURRENT and ranking.toml."""

RETRY = 60.0
"""Seconds until a generation that could not be opened is tried again."""

CHECK = 60.0
"""Seconds between looks at what is served: the sizes of its files, and the films in its engine."""

SETTLED = 5.0
"""Seconds that the keyword engine must hold more or less films than are published to be told."""

Open = Callable[[Generation, Preferences], HybridSearch]


class GenerationWatcher:
    """Serves the published generation of a data folder, whichever that is at the moment."""

    def __init__(self, data: Path, open_search: Open) -> None:
        """Open the published generation or, where that cannot be read, the one before.

        Raises InvalidInput where ranking.toml is wrong, GenerationUnusable or another HybridError
        where neither generation can be opened.
        """
        self._data = data
        self._open = open_search
        self._checked: KnownDigests = {}
        self._surplus = 0
        self._stop = Event()
        self._thread = Thread(target=self._follow, name="follow", daemon=True)
        self._looking = Lock()
        self._preferences_file = _identity(data / FILE)
        self._preferences = Preferences.load(data)
        line = published(data)[0]
        self._tried: tuple[CurrentEntry, Preferences] | None = line, self._preferences
        self._tried_at = monotonic()
        try:
            self.live = LiveSearch(self._opened(open_current(data, self._checked)))
        except HybridError as error:
            self.live = LiveSearch(self._before(error))
            self.live.trouble = _told(line, error)
        self._check()

    def start(self) -> None:
        """Look for new generations from now on."""
        self._thread.start()

    def close(self) -> None:
        """Look no more, and let go of what is open."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self.live.close()

    def look(self) -> None:
        """Serve the published generation and rank by ranking.toml, if either has changed.

        `live` says why one cannot be used, and what was served goes on.
        """
        with self._looking:
            self._look()
            if monotonic() > self._checked_at + (SETTLED if self._surplus else CHECK):
                self._check()

    def _look(self) -> None:
        self._read_preferences()
        try:
            line = published(self._data)[0]
        except GenerationUnusable as error:
            self._tried, self.live.trouble = None, error.message
            return
        wanted = line, self._preferences
        if wanted == self._tried and not self._due():
            return
        self._tried, self._tried_at = wanted, monotonic()
        before = self.live.acquire()
        try:
            if (line.name, self._preferences) != (before.generation, before.preferences):
                generation = open_current(self._data, self._checked)
                self.live.swap(self._opened(generation))
                self._surplus = 0
                self._check()
            self.live.trouble = None
        except HybridError as error:
            self.live.trouble = _told(line, error)
            if self._preferences != before.preferences:
                with suppress(HybridError):
                    self.live.swap(self._reopened())
        finally:
            self.live.release(before)

    def _read_preferences(self) -> None:
        """Take over what ranking.toml says now; if that is wrong, note why and change nothing."""
        file = _identity(self._data / FILE)
        if file == self._preferences_file:
            return
        self._preferences_file = file
        try:
            self._preferences = Preferences.load(self._data)
            self.live.bad_preferences = None
        except InvalidInput as error:
            self.live.bad_preferences = f"{error.message}; the preferences before it stay in force"

    def _check(self) -> None:
        """Note what is wrong with the generation that is served, as far as is cheap to tell."""
        self._checked_at = monotonic()
        search = self.live.acquire()
        try:
            damage, surplus = _damage(self._generation), _surplus(search)
        finally:
            self.live.release(search)
        # In an index that generations share films come and go shortly before and after theirs, and
        # the files of one that is outdated are removed.
        lasting, self._surplus = surplus == self._surplus, surplus
        if damage and _outdated(self._data, search.generation):
            damage = None
        told = _told_of(surplus) if surplus and lasting else None
        self.live.fault = damage or told
        self.live.looked_at = time()

    def _due(self) -> bool:
        return self.live.trouble is not None and monotonic() > self._tried_at + RETRY

    def _opened(self, generation: Generation) -> HybridSearch:
        search = self._open(generation, self._preferences)
        search.warm()
        self._generation = generation
        return search

    def _reopened(self) -> HybridSearch:
        """Open the generation that is served once more, to rank by other preferences."""
        check_sizes(self._generation)
        return self._opened(self._generation)

    def _before(self, error: HybridError) -> HybridSearch:
        for line in published(self._data)[1:]:
            with suppress(HybridError):
                return self._opened(open_published(self._data, line, self._checked))
        raise error

    def _follow(self) -> None:
        while not self._stop.wait(LOOK):
            try:
                self.look()
            except Exception as error:
                logging.getLogger(__name__).exception("a new generation cannot be opened")
                self.live.trouble = f"a new generation cannot be opened: {error!r}"


def _identity(file: Path) -> FileIdentity | None:
    """Return what tells the file from what it was before, None where there is none."""
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
    """Return how many films more than the catalogue the keyword engine holds, negative if less."""
    try:
        return search.lexical.count() - len(search.catalogue)
    except EngineUnavailable:
        return 0  # that is told of the engine


def _told_of(surplus: int) -> str:
    what = f"lacks {-surplus} films" if surplus < 0 else f"holds {surplus} films too many"
    return f"the keyword engine {what}: see `python -m indexer verify --repair`"


def _told(line: CurrentEntry, error: HybridError) -> str:
    return f"generation {line.name} cannot be served: {error.message}"
