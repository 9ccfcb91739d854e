"""Group commit: changes that arrive while a generation is published share the next one."""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from threading import BoundedSemaphore, Thread
from time import sleep

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

HOPELESS = (AnotherWriter, EngineUnavailable, GenerationUnusable, NotDurable, OSError)
"""Errors that do not depend on the films of a change, or come after it was published: its parts are
not tried alone."""


@dataclass(frozen=True)
class _Order:
    """A film to be put, or if `movie` is None the id of one to be deleted."""

    film: int
    movie: Movie | None
    response: "Future[ChangeResponse]" = field(default_factory=Future)


class GroupCommit:
    """Changes films of a data folder: many threads may ask, one publishes."""

    def __init__(self, data: Path, backends: Backends) -> None:
        self._data = data
        self._backends = backends
        self._orders: SimpleQueue[_Order | None] = SimpleQueue()
        self._slots = BoundedSemaphore(AT_ONCE)
        self._thread = Thread(target=self._run, name="writes", daemon=True)
        self._thread.start()

    def put(self, film: int, values: Mapping[str, object]) -> ChangeResponse:
        """Add a film, or replace the one of this id."""
        return self._wait_for(_Order(film, film_of({**values, "id": film})))

    def delete(self, film: int) -> ChangeResponse:
        """Remove a film."""
        return self._wait_for(_Order(film, None))

    def close(self) -> None:
        """Publish what is waiting. No change may be made afterwards."""
        self._orders.put(None)
        self._thread.join()

    def _wait_for(self, order: _Order) -> ChangeResponse:
        if not self._slots.acquire(blocking=False):
            raise TooManyChanges(f"{AT_ONCE} changes wait to be published already: try again")
        try:
            self._orders.put(order)
            return order.response.result()
        finally:
            self._slots.release()

    def _run(self) -> None:
        self._settle()
        while (first := self._orders.get()) is not None:
            sleep(GATHER)
            group, last = [first], False
            while not self._orders.empty() and not last:
                order = self._orders.get()
                last = order is None
                group += [order] if order else []
            self._publish(group)
            if last:
                return

    def _settle(self) -> None:
        """Repair what crashes left half-done, by a change of no film."""
        try:
            warnings = change(self._data, upsert(()), self._backends).warnings
        except Exception as error:  # noqa: BLE001 (whatever it is, changes are still accepted)
            warnings = [str(error)]
        for warning in warnings:
            logging.getLogger(__name__).warning("not all is tidy: %s", warning)

    def _publish(self, group: Sequence[_Order]) -> None:
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


def open_writes(settings: Settings, encoder_of: Callable[[Generation], Encoder]) -> GroupCommit:
    """Return the group commit of the data folder of the settings, for the service."""
    return GroupCommit(settings.data, backends_for(settings, encoder_of, patience=PATIENCE))


def _choose(group: Sequence[_Order], kinds: dict[int, Kind]) -> Callable[[Catalogue], Changes]:
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
