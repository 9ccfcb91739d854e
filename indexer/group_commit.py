"""Group commit: changes that arrive while a generation is published share the next one."""

import logging
import subprocess
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import BoundedSemaphore, Thread
from time import monotonic, sleep

from hybrid.access.audit import record_change
from hybrid.bounds import MAX_SENTENCES
from hybrid.engines.protocols import Encoder
from hybrid.errors import (
    AnotherWriter,
    BuildFailed,
    EngineUnavailable,
    GenerationUnusable,
    HybridError,
    NotDurable,
    PreconditionFailed,
    TooManyChanges,
    unknown_film,
)
from hybrid.movie import Movie, content_hash
from hybrid.schemas.changes import ChangeResponse, Kind
from hybrid.serving.writes import AT_ONCE, NO_TERMS, Terms
from hybrid.settings import Settings
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.generation import Generation, published
from hybrid.storage.manifest import Manifest
from indexer.backends import Backends, backends_for
from indexer.background_merge import start_merge
from indexer.change import Changes
from indexer.embedding.cache import CACHE, hold_cache
from indexer.films.json_films import film as film_of
from indexer.merge import is_due
from indexer.update import change, upsert

GATHER = 0.03
"""Seconds that a change waits at most for others to join it, until as many are there as were
published together before: clients that wait for an answer send their next change after it."""

SHARE, PAUSE = 0.5, 0.03
"""After so many seconds of changes one after the other, other writers have a pause to take the lock
in: longer than they wait between two attempts."""

PATIENCE = 10.0
"""Seconds that a change waits for another process that writes."""

GROUP_TEXT = 25_000
"""Characters of descriptions that join the oldest change in a group, since embedding takes time in
proportion: some 70 µs each on one core. Fifteen real films have no more."""

MERGE_AGAIN = 30.0
"""Seconds from the start of one merge to that of the next, so that changes have time, too."""

log = logging.getLogger(__name__)

HOPELESS = (AnotherWriter, EngineUnavailable, GenerationUnusable, NotDurable, OSError)
"""Errors that do not depend on the films of a change, or come after it was published: its parts are
not tried alone."""


@dataclass(frozen=True, eq=False)
class Order:
    """A film to be put, or if `movie` is None the id of one to be deleted."""

    film: int
    movie: Movie | None
    terms: Terms = NO_TERMS
    response: "Future[ChangeResponse]" = field(default_factory=Future)

    @property
    def size(self) -> int:
        """Characters that may have to be embedded."""
        return len(self.movie.description or "") if self.movie else 0


@dataclass(frozen=True)
class _Effect:
    """What an order does: the content of its film before and after, None where there is no film."""

    before: str | None
    after: str | None

    @property
    def kind(self) -> Kind:
        if self.after is None:
            return "removed"
        if self.before is None:
            return "added"
        return "unchanged" if self.before == self.after else "changed"


class GroupCommit:
    """Changes films of a data folder: many threads may ask, one publishes."""

    def __init__(self, data: Path, backends: Backends, max_sentences: int = MAX_SENTENCES) -> None:
        self._data = data
        self._backends = backends
        self._max_sentences = max_sentences
        self._orders: SimpleQueue[Order | None] = SimpleQueue()
        self._slots = BoundedSemaphore(AT_ONCE)
        self._merge: subprocess.Popen[bytes] | None = None
        self._merged_at = 0.0
        self._thread = Thread(target=self._run, name="writes", daemon=True)
        self._thread.start()

    def put(
        self, film: int, values: Mapping[str, object], terms: Terms = NO_TERMS
    ) -> ChangeResponse:
        """Add a film, or replace the one of this id."""
        movie = film_of({**values, "id": film}, self._max_sentences)
        return self._wait_for(Order(film, movie, terms))

    def delete(self, film: int, terms: Terms = NO_TERMS) -> ChangeResponse:
        """Remove a film."""
        return self._wait_for(Order(film, None, terms))

    def close(self) -> None:
        """Publish what is waiting. No change may be made afterwards."""
        self._orders.put(None)
        self._thread.join()
        if self._merge:
            # Nothing is lost by that: the next service merges.
            self._merge.terminate()
            self._merge.wait()

    def _wait_for(self, order: Order) -> ChangeResponse:
        if not self._slots.acquire(blocking=False):
            raise TooManyChanges(f"{AT_ONCE} changes wait to be published already: try again")
        try:
            self._orders.put(order)
            return order.response.result()
        finally:
            self._slots.release()

    def _run(self) -> None:
        self._settle()
        with ExitStack() as opened:
            with suppress(BuildFailed):  # a change says why
                opened.enter_context(closing(hold_cache(self._data / CACHE)))
            self._publish_groups()

    def _publish_groups(self) -> None:
        waiting: list[Order] = []
        group: Sequence[Order] = ()
        last = False
        paused = monotonic()
        while not last or waiting:
            began = monotonic()
            arrived = [] if waiting else [self._orders.get()]
            if monotonic() > began + PAUSE:
                paused = monotonic()
            if monotonic() > paused + SHARE:
                sleep(PAUSE)
                paused = monotonic()
            arrived += self._others(len(group) - len(waiting) - len(arrived))
            last = last or None in arrived
            waiting += [order for order in arrived if order]
            group = next_group(waiting)
            waiting = [order for order in waiting if order not in group]
            if group:
                self._publish(group)

    def _others(self, expected: int) -> list[Order | None]:
        """Return what else has arrived, after waiting for so many others for a moment."""
        others: list[Order | None] = []
        until = monotonic() + GATHER
        with suppress(Empty):
            while None not in others:
                wait = until - monotonic() if len(others) < expected else 0.0
                others.append(self._orders.get(timeout=max(wait, 0.0)))
        return others

    def _settle(self) -> None:
        """Repair what crashes left half-done, by a change of no film."""
        try:
            warnings = change(self._data, upsert(()), self._backends).warnings
        except Exception as error:  # noqa: BLE001 (whatever it is, changes are still accepted)
            warnings = [str(error)]
        for warning in warnings:
            log.warning("not all is tidy: %s", warning)

    def _publish(self, group: Sequence[Order]) -> None:
        """Publish a group; if that fails, each order alone, so that one cannot fail the others."""
        outcomes: list[_Effect | HybridError] = []
        try:
            done = change(
                self._data,
                _choose(group, outcomes),
                self._backends,
                acknowledge=partial(_answer, group, outcomes),
            )
            self._merge_if_due(done.manifest)
        except Exception as error:  # noqa: BLE001 (each caller gets it)
            if isinstance(error, NotDurable) and outcomes:
                with suppress(GenerationUnusable):
                    _audit(group, outcomes, published(self._data)[0].name)
            for order in group:
                if order.response.done():
                    log.warning("not all is tidy: %s", error)
                elif len(group) == 1 or isinstance(error, HOPELESS):
                    order.response.set_exception(_for_caller(error))
                else:
                    self._publish([order])

    def _merge_if_due(self, manifest: Manifest) -> None:
        """Let another process merge the delta if it is large and none does."""
        if not is_due(manifest):
            return
        if self._merge is not None:
            code = self._merge.poll()
            if code is None or monotonic() < self._merged_at + MERGE_AGAIN:
                return
            if code:
                log.warning("the delta could not be merged")
        self._merge, self._merged_at = start_merge(self._data), monotonic()


def _answer(
    group: Sequence[Order], outcomes: Sequence[_Effect | HybridError], generation: str
) -> None:
    """Answer all orders of a group, which is published."""
    _audit(group, outcomes, generation)
    for order, outcome in zip(group, outcomes, strict=True):
        if isinstance(outcome, HybridError):
            order.response.set_exception(outcome)
        else:
            order.response.set_result(_response(order.film, outcome, generation))


def next_group(waiting: Sequence[Order]) -> Sequence[Order]:
    """Return the changes to be published next, of those that wait in the order of arrival.

    These are the oldest one and, the shortest first, as many others as have GROUP_TEXT characters
    together: a short change waits for one group at most, however many long ones came before it.
    Changes of one film stay in order.
    """
    chosen, size = set(waiting[:1]), 0
    for order in sorted(waiting[1:], key=lambda order: order.size):
        size += order.size
        if size > GROUP_TEXT:
            break
        chosen.add(order)
    group: list[Order] = []
    passed_over: set[int] = set()
    for order in waiting:
        if order in chosen and order.film not in passed_over:
            group.append(order)
        else:
            passed_over.add(order.film)
    return group


def open_writes(settings: Settings, encoder_of: Callable[[Generation], Encoder]) -> GroupCommit:
    """Return the group commit of the data folder of the settings, for the service."""
    backends = backends_for(settings, encoder_of, patience=PATIENCE)
    return GroupCommit(settings.data, backends, settings.max_sentences)


def _response(film: int, effect: _Effect, generation: str) -> ChangeResponse:
    etag = effect.after and f'"{effect.after}"'
    return ChangeResponse(id=film, change=effect.kind, generation=generation, etag=etag)


def _audit(
    group: Sequence[Order], outcomes: Sequence[_Effect | HybridError], generation: str
) -> None:
    for order, outcome in zip(group, outcomes, strict=True):
        if isinstance(outcome, _Effect):
            contents = outcome.before, outcome.after
            record_change(order.terms.key, order.film, outcome.kind, contents, generation)


def _choose(
    group: Sequence[Order], outcomes: list[_Effect | HybridError]
) -> Callable[[Catalogue], Changes]:
    """Return the change that does all orders of a group, one after the other.

    It appends to `outcomes` what each one does, or why it does nothing.
    """

    def changes(catalogue: Catalogue) -> Changes:
        contents = catalogue.some_contents({order.film for order in group})
        now: dict[int, str] = dict(contents)
        films: dict[int, Movie] = {}
        for order in group:
            before = now.get(order.film)
            refusal = _refusal(order, before)
            if refusal:
                outcomes.append(refusal)
                continue
            now.pop(order.film, None)
            films.pop(order.film, None)
            if order.movie is not None:
                films[order.film] = order.movie
                now[order.film] = content_hash(order.movie)
            outcomes.append(_Effect(before, now.get(order.film)))
        new = [film for film in sorted(films) if contents.get(film) != now[film]]
        gone = tuple(sorted(contents.keys() - now.keys()))
        return Changes(tuple(films[film] for film in new), gone)

    return changes


def _refusal(order: Order, content: str | None) -> HybridError | None:
    """Return why an order does nothing to a film of this content; None if it does something."""
    if not order.terms.condition.holds(content):
        state = "does not exist" if content is None else f'has the ETag "{content}"'
        return PreconditionFailed(
            f"film {order.film} {state}, which If-Match or If-None-Match rules out: read it again"
        )
    return unknown_film(order.film) if order.movie is None and content is None else None


def _for_caller(error: Exception) -> Exception:
    """Return the error for a caller who does not see this machine."""
    if isinstance(error, AnotherWriter):
        return AnotherWriter("a command is writing to the index: try again")
    if isinstance(error, OSError):
        return BuildFailed(f"the change cannot be written: {error.strerror or error}")
    return error
