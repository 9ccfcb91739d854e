"""What a catalogue knows of what a query may mention: years, genres, people and titles."""

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np

from hybrid.cache import Cache
from hybrid.engines.deadline import Deadline
from hybrid.errors import EngineUnavailable
from hybrid.query_language.conditions import Phrase
from hybrid.ranking import Ids
from hybrid.retrieval.titles import Titles
from hybrid.storage.catalogue import Catalogue
from hybrid.text.normalise import join_letters
from hybrid.understanding.genre_words import GenreNames, genre_names

PERSON_SHARE = 0.5
"""A family name alone means a person if it is a name in this share of the films that contain it."""

LEAST_FILMS = 2
"""Films of that person, or of several of the name: fewer may be anybody."""

MAX_CACHED_NAMES = 4096


class CatalogueKnowledge:
    """What one generation knows. Safe to share between threads.

    `films_with` asks the keyword engine for the films that match a phrase, and raises
    EngineUnavailable without an answer by the deadline.
    """

    def __init__(
        self, catalogue: Catalogue, titles: Titles, films_with: Callable[[Phrase, Deadline], Ids]
    ) -> None:
        self._catalogue = catalogue
        self._titles = titles
        self._films_with = films_with
        self._people: Cache[Phrase, bool] = Cache("people", MAX_CACHED_NAMES)

    @cached_property
    def genres(self) -> GenreNames:
        """The names of the catalogue's genres."""
        # Of the mapping itself, `tuple` would ask the length first: that is to look for each name.
        return genre_names(tuple(iter(self._catalogue.columns.genres)))

    @cached_property
    def _years(self) -> Ids:
        return np.unique(self._catalogue.columns.years)

    def has_years(self, first: int, last: int) -> bool:
        """Return whether a film is of these years."""
        start, end = self._years.searchsorted([first, last + 1])
        return bool(start < end)

    def names(self, words: Sequence[str]) -> Sequence[tuple[int, int]]:
        """Return where full names of people are among plain words, as [first, last)."""
        joined = join_letters((word, n) for n, word in enumerate(words))
        starts = [*(n for _, n in joined), len(words)]
        found = self._catalogue.names_in([word for word, _ in joined])
        return [(starts[first], starts[last]) for first, last in found]

    def is_person(self, phrase: Phrase, deadline: Deadline) -> bool:
        """Return whether this part of a name mostly means a person where it stands in a film.

        False if the keyword engine does not answer by the deadline.
        """
        known = self._people.get(phrase)
        if known is None:
            try:
                named = len(self._films_with(phrase, deadline))
                known = named >= LEAST_FILMS and named >= PERSON_SHARE * len(
                    self._films_with(Phrase(phrase.words), deadline)
                )
            except EngineUnavailable:
                return False
            self._people.put(phrase, known)
        return known

    def is_title(self, text: str) -> bool:
        """Return whether a film has this title, apart from case, accents and articles."""
        return len(self._titles.titled(text)) > 0

    def begins_title(self, text: str) -> bool:
        """Return whether a title is this text or begins with all its words."""
        return self._titles.begins(text)

    def film(self, title: str, years: tuple[int, int] | None) -> int | None:
        """Return the id of the film of this title, of these years if one is; None without one.

        Of several the best known: that of most votes, else of most sentences.
        """
        columns = self._catalogue.columns
        rows = self._titles.titled(title)
        if years:
            of_film = columns.years[rows]
            rows = rows[(years[0] <= of_film) & (of_film <= years[1])]
        if not len(rows):
            return None
        ids: list[int] = columns.ids[rows].tolist()
        films = self._catalogue.films(ids)
        counts = self._catalogue.sentences.counts[rows].tolist()
        known = [
            (-(films[film].movie.votes or 0), -sentences, film)
            for film, sentences in zip(ids, counts, strict=True)
        ]
        return min(known)[2]
