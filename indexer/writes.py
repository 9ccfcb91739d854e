"""Group commit: changes that arrive while a generation is published share the next one."""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from time import sleep

from hybrid.engines.catalogue import Catalogue
from hybrid.errors import (
    AnotherWriter,
    BuildFailed,
    EngineUnavailable,
    GenerationUnusable,
    HybridError,
    NotFound,
)
from hybrid.movie import Movie, content_hash
from hybrid.writes import Written
from indexer.by_hand import film as film_of
from indexer.making import Changes, Tools
from indexer.update import change, upsert

GATHER = 0.03
"""Seconds that the first change waits for others that arrive together with it."""

HOPELESS = (AnotherWriter, EngineUnavailable, GenerationUnusable, OSError)
"""What stops a change whatever is in it."""


@dataclass(frozen=True)
class _Order:
    """A film to be put, or where that is None the id of one to be deleted."""

    film: int
    movie: Movie | None
    done: "Future[Written]" = field(default_factory=Future)


class GroupCommit:
    """Changes a data folder's films, each in a thread of its caller, published by one of ours."""

    def __init__(self, data: Path, tools: Tools) -> None:
        self._data = data
        self._tools = tools
        self._orders: SimpleQueue[_Order | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="writes", daemon=True)
        self._thread.start()

    def put(self, film: int, values: Mapping[str, object]) -> Written:
        """Add a film, or replace the one of this id."""
        return self._wait_for(_Order(film, film_of({**values, "id": film})))

    def delete(self, film: int) -> Written:
        """Remove a film."""
        return self._wait_for(_Order(film, None))

    def close(self) -> None:
        """Publish what is waiting, and take nothing more."""
        self._orders.put(None)
        self._thread.join()

    def _wait_for(self, order: _Order) -> Written:
        self._orders.put(order)
        return order.done.result()

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
        """Mend what others left half-done when they died: a change of nothing does."""
        try:
            warnings = change(self._data, upsert(()), self._tools).warnings
        except (HybridError, OSError) as error:
            warnings = [str(error)]
        for warning in warnings:
            logging.getLogger(__name__).warning("not all is tidy: %s", warning)

    def _publish(self, group: Sequence[_Order]) -> None:
        """Publish a group; where that fails, each order alone, so that one spoils no other."""
        kinds: dict[int, Written] = {}
        try:
            name = change(self._data, _choose(group, kinds), self._tools).manifest.name
        except Exception as error:
            waiting = [order for order in group if not order.done.done()]
            for order in waiting:
                if len(waiting) == 1 or isinstance(error, HOPELESS):
                    order.done.set_exception(_told(error))
                else:
                    self._publish([order])
            return
        for place, order in enumerate(group):
            if not order.done.done():
                order.done.set_result(kinds[place].model_copy(update={"generation": name}))


def _choose(group: Sequence[_Order], kinds: dict[int, Written]) -> Callable[[Catalogue], Changes]:
    """Return the change that does all orders of a group, one after the other.

    It notes in `kinds` what each one does, by its place, and fails those that cannot be done.
    """

    def changes(catalogue: Catalogue) -> Changes:
        contents = catalogue.contents()
        now: dict[int, str] = dict(contents)
        films: dict[int, Movie] = {}
        for place, order in enumerate(group):
            if order.done.done():
                continue
            before = now.pop(order.film, None)
            films.pop(order.film, None)
            if order.movie is not None:
                films[order.film] = order.movie
                now[order.film] = content_hash(order.movie)
            elif before is None:
                order.done.set_exception(_unknown(order.film))
                continue
            kinds[place] = _written(order.film, before, now.get(order.film))
        new = [film for film in sorted(films) if contents.get(film) != now[film]]
        gone = tuple(sorted(contents.keys() - now.keys()))
        return Changes(tuple(films[film] for film in new), gone)

    return changes


def _written(film: int, before: str | None, after: str | None) -> Written:
    if after is None:
        return Written(id=film, change="removed", generation="")
    if before is None:
        return Written(id=film, change="added", generation="")
    return Written(id=film, change="unchanged" if before == after else "changed", generation="")


def _unknown(film: int) -> NotFound:
    return NotFound(f"there is no film with the id {film}", {"id": "unknown"})


def _told(error: Exception) -> Exception:
    """Return what the caller is told: what the disk says, in a form that users understand."""
    if isinstance(error, OSError):
        return BuildFailed(f"the change cannot be written: {error.strerror or error}")
    return error
