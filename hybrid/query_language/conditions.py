"""What a query requires of films. `Conditions.matches` is the definition for every engine."""

from dataclasses import dataclass

from hybrid.movie import Movie
from hybrid.query import Filters
from hybrid.query_language.film_words import FilmWords, WordField


@dataclass(frozen=True)
class Phrase:
    """These words, as `exact_words` gives them, stand together in a field of the film."""

    words: tuple[str, ...]
    field: WordField = "text"

    @property
    def text(self) -> str:
        """The words between blanks, as keyword indices hold them."""
        return " ".join(self.words)


Condition = Phrase | Filters
"""What a film can be asked. Filters are those of one genre or of a range of years."""


@dataclass(frozen=True)
class Conditions:
    """What films must match, and what they must not."""

    required: tuple[Condition, ...] = ()
    excluded: tuple[Condition, ...] = ()

    def __bool__(self) -> bool:
        """Whether the conditions can exclude a film."""
        return bool(self.required or self.excluded)

    def matches(self, movie: Movie, words: FilmWords | None = None) -> bool:
        """Return whether the film meets all that is required and nothing that is excluded.

        `words` are those of the film, if they are known.
        """
        words = words or FilmWords.of(movie)
        return all(_meets(movie, words, condition) for condition in self.required) and not any(
            _meets(movie, words, condition) for condition in self.excluded
        )


NO_CONDITIONS = Conditions()


def _meets(movie: Movie, words: FilmWords, condition: Condition) -> bool:
    match condition:
        case Phrase():
            return f" {condition.text} " in f" {words.of_field(condition.field)} "
        case Filters():
            return condition.matches(movie)
