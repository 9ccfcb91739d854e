"""The films that match conditions, for engines that do not know the words of films."""

import numpy as np

from hybrid.cache import Cache
from hybrid.engines.deadline import Deadline
from hybrid.engines.protocols import LexicalEngine
from hybrid.query import Filters
from hybrid.query_language.conditions import Condition, Conditions
from hybrid.ranking import FilmSet, Ids
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.rows import Mask

MAX_CACHED_SETS = 64
"""Those of a million films take 8 MB each."""

CHECKED_AT_ONCE = 100
"""Films that are read from the catalogue between two looks at the clock."""


class FilmSets:
    """The films of one generation that match conditions. Safe to share between threads.

    The keyword engine is asked for the films with a phrase; genres and years are in memory.
    """

    def __init__(self, catalogue: Catalogue, lexical: LexicalEngine) -> None:
        self._catalogue = catalogue
        self._lexical = lexical
        self._sets: Cache[Conditions, FilmSet] = Cache("film_sets", MAX_CACHED_SETS)

    def known(self, conditions: Conditions) -> FilmSet | None:
        """Return the films that match the conditions if the keyword engine was asked before."""
        return self._sets.get(conditions)

    def matching(self, conditions: Conditions, deadline: Deadline) -> FilmSet:
        """Return all films that match the conditions. Raises EngineUnavailable."""
        columns = self._catalogue.columns
        mask = np.ones(len(columns.ids), np.bool_)
        for condition in conditions.required:
            mask &= self._mask(condition, deadline)
        for condition in conditions.excluded:
            mask &= ~self._mask(condition, deadline)
        films = FilmSet(columns.ids[mask])
        self._sets.put(conditions, films)
        return films

    def checked(self, conditions: Conditions, ids: Ids, deadline: Deadline) -> FilmSet:
        """Return which of these films match, by their texts in the catalogue.

        The first of them are checked first; those that are not checked by the deadline are left
        out.
        """
        found: list[int] = []
        for start in range(0, len(ids), CHECKED_AT_ONCE):
            if not deadline.left:
                break
            films = self._catalogue.films(ids[start : start + CHECKED_AT_ONCE].tolist())
            found += [i for i, film in films.items() if conditions.matches(film.movie)]
        return FilmSet(np.sort(np.array(found, np.int64)))

    def _mask(self, condition: Condition, deadline: Deadline) -> Mask:
        """Return which films match the condition, bool (films,)."""
        columns = self._catalogue.columns
        if isinstance(condition, Filters):
            return columns.allowed(condition)
        rows = columns.rows_of(self._lexical.films_with(condition, deadline))
        mask = np.zeros(len(columns.ids), np.bool_)
        mask[rows[rows >= 0]] = True
        return mask
