"""What must be known of a catalogue to tell what a query mentions."""

from collections.abc import Sequence
from typing import Protocol

from hybrid.engines.deadline import Deadline
from hybrid.query_language.conditions import Phrase
from hybrid.understanding.genre_words import GenreNames


class Knowledge(Protocol):
    """What a catalogue knows."""

    @property
    def genres(self) -> GenreNames:
        """The names of its genres."""
        ...

    def has_years(self, first: int, last: int) -> bool:
        """Return whether a film is of these years."""
        ...

    def names(self, words: Sequence[str]) -> Sequence[tuple[int, int]]:
        """Return where full names of its people are among plain words, as [first, last)."""
        ...

    def is_person(self, phrase: Phrase, deadline: Deadline) -> bool:
        """Return whether this part of a name mostly means a person where it stands in a film.

        False if that is not known by the deadline.
        """
        ...

    def is_title(self, text: str) -> bool:
        """Return whether a film has this title, apart from case, accents and articles."""
        ...

    def begins_title(self, text: str) -> bool:
        """Return whether a title is this text or begins with all its words."""
        ...

    def film(self, title: str, years: tuple[int, int] | None) -> int | None:
        """Return the id of the film of this title, of these years if they are given, or None."""
        ...
