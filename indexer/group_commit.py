"""Group commit: changes that arrive while a generation is published share the next one."""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from threading import BoundedSemaphore, Thread
from time import sleep

from hybrid.bounds import MAX_SENTENCES
from hybrid.engines.protocols import Encoder
from hybrid.errors import (
    AnotherWriter,
    BuildFailed,
    EngineUnavailable,
    GenerationUnusable,
    NotDurable,
    TooManyChanges,
    unknown_film,
)
from hybrid.movie import Movie, content_hash
from hybrid.schemas.changes import ChangeResponse, Kind
from hybrid.serving.writes import AT_ONCE
from hybrid.settings import Settings
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.generation import Generation
from indexer.backends import Backends, backends_for
from indexer.change import Changes
from indexer.films.json_films import film as film_of
from indexer.update import change, upsert

GATHER = 0.03
"""Seconds that the first change waits for others to join it, and that other writers have to take
the lock in between."""

PATIENCE = 10.0
"""Seconds that a change waits for another process that writes."""

GROUP_TEXT = 25_000
"""Characters of descriptions that join the oldest change in a group, since embedding takes time in
proportion: some 70 µs each on one core. Fifteen real films have no more."""

HOPELESS = (AnotherWriter, EngineUnavailable, GenerationUnusable, NotDurable, OSError)
"""Errors that do not depend on the films of a change, or come after it was published: its parts are
not tried alone."""


@dataclass(frozen=True, eq=False)
class Order:
    """A film to be put, or if `movie` is None the id of one to be deleted."""

    film: int
    movie: Movie | None
    response: "Future[ChangeResponse]" = field(default_factory=Future)

    @property
    def size(self) -> int:
        """Characters that may have to be embedded."""
        return len(self.movie.description or "") if self.movie else 0


class GroupCommit:
    """Changes films of a data folder: many threads may ask, one publishes."""

    def __init__(self, data: Path, backends: Backends, max_sentences: int = MAX_SENTENCES) -> None:
        self._data = data
        self._backends = backends
        self._max_sentences = max_sentences
        self._orders: SimpleQueue[Order | None] = SimpleQueue()
        self._slots = BoundedSemaphore(AT_ONCE)
        self._thread = Thread(target=self._run, name="writes", daemon=True)
        self._thread.start()

    def put(self, film: int, values: Mapping[str, object]) -> ChangeResponse:
        """Add a film, or replace the one of this id."""
        return self._wait_for(Order(film, film_of({**values, "id": film}, self._max_sentences)))

    def delete(self, film: int) -> ChangeResponse:
        """Remove a film."""
        return self._wait_for(Order(film, None))

    def close(self) -> None:
        """Publish what is waiting. No change may be made afterwards."""
        self._orders.put(None)
        self._thread.join()

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
        waiting: list[Order] = []
        last = False
        while not last or waiting:
            arrived = [] if waiting else [self._orders.get()]
            sleep(GATHER)
            while not self._orders.empty():
                arrived.append(self._orders.get())
            last = last or None in arrived
            waiting += [order for order in arrived if order]
            group = next_group(waiting)
            waiting = [order for order in waiting if order not in group]
            if group:
                self._publish(group)

    def _settle(self) -> None:
        """Repair what crashes left half-done, by a change of no film."""
        try:
            warnings = change(self._data, upsert(()), self._backends).warnings
        except Exception as error:  # noqa: BLE001 (whatever it is, changes are still accepted)
            warnings = [str(error)]
        for warning in warnings:
            logging.getLogger(__name__).warning("not all is tidy: %s", warning)

    def _publish(self, group: Sequence[Order]) -> None:
        """Publish a group; if that fails, each order alone, so that one cannot fail the others."""
        kinds: dict[int, Kind] = {}
        try:
            name = change(self._data, _choose(group, kinds), self._backends).manifest.name
        except Exception as error:  # noqa: BLE001 (each caller gets it)
            for order in group:
                if len(group) == 1 or isinstance(error, HOPELESS):
                    order.response.set_exception(_for_caller(error))
                else:
                    self._publish([order])
            return
        for index, order in enumerate(group):
            if index in kinds:
                response = ChangeResponse(id=order.film, change=kinds[index], generation=name)
                order.response.set_result(response)
            else:
                order.response.set_exception(unknown_film(order.film))


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


def _choose(group: Sequence[Order], kinds: dict[int, Kind]) -> Callable[[Catalogue], Changes]:
    """Return the change that does all orders of a group, one after the other.

    It adds to `kinds` what each one does, by its index in the group, but for films to be deleted
    that are unknown.
    """

    def changes(catalogue: Catalogue) -> Changes:
        contents = catalogue.contents()
        now: dict[int, str] = dict(contents)
        films: dict[int, Movie] = {}
        for index, order in enumerate(group):
            before = now.pop(order.film, None)
            films.pop(order.film, None)
            if order.movie is not None:
                films[order.film] = order.movie
                now[order.film] = content_hash(order.movie)
            elif before is None:
                continue
            kinds[index] = _kind(before, now.get(order.film))
        new = [film for film in sorted(films) if contents.get(film) != now[film]]
        gone = tuple(sorted(contents.keys() - now.keys()))
        return Changes(tuple(films[film] for film in new), gone)

    return changes


def _kind(before: str | None, after: str | None) -> Kind:
    if after is None:
        return "removed"
    if before is None:
        return "added"
    return "unchanged" if before == after else "changed"


def _for_caller(error: Exception) -> Exception:
    """Return the error for a caller who does not see this machine."""
    if isinstance(error, AnotherWriter):
        return AnotherWriter("a command is writing to the index: try again")
    if isinstance(error, OSError):
        return BuildFailed(f"the change cannot be written: {error.strerror or error}")
    return error
