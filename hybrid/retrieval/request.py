"""What is passed from step to step of one retrieval."""

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Generic, NamedTuple, TypeVar

from hybrid.engines.deadline import Deadline
from hybrid.errors import EngineUnavailable
from hybrid.monitoring.stopwatch import Stopwatch
from hybrid.query import Filters, RankedQuery
from hybrid.query_language.conditions import Condition, Phrase
from hybrid.ranking import FilmSet, Ids
from hybrid.retrieval.query_parser import ParsedQuery
from hybrid.vectors import QueryVector

T = TypeVar("T")


class Request(NamedTuple):
    """A query and its bounds; `lost` collects the engines that fail.

    `vector` gives the query vector, None if there is nothing to find by meaning. The films of
    `excluded` are in no list. `among` are the films that match the conditions, None if there are
    none.
    """

    query: RankedQuery
    parsed: ParsedQuery
    vector: Callable[[], QueryVector | None]
    also: Ids
    excluded: Ids
    among: FilmSet | None
    watch: Stopwatch
    deadline: Deadline
    lost: dict[str, EngineUnavailable]

    @property
    def people(self) -> Sequence[Phrase]:
        """The names of the people whose films gain."""
        return tuple(one for one in self._preferred if isinstance(one, Phrase))

    @property
    def years_and_genres(self) -> tuple[Condition, ...]:
        """What the films of all years and genres that the query prefers meet."""
        return tuple(one for one in self._preferred if isinstance(one, Filters))

    @property
    def _preferred(self) -> Sequence[Condition]:
        return [one for part in self.parsed.preferred for one in part.conditions]


class Once(Generic[T]):
    """A result that the first thread that asks for it computes, while others wait for it."""

    def __init__(self, compute: Callable[[], T]) -> None:
        self._compute = compute
        self._lock = Lock()
        self._result: T | None = None

    def __call__(self) -> T:
        """Return the result. Raises what `compute` raises, and computes again when asked again."""
        with self._lock:
            if self._result is None:
                self._result = self._compute()
            return self._result
