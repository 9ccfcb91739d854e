"""The words of a film as conditions compare them, the same for every engine."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Self

from hybrid.movie import Movie, keyword_parts, people, titles
from hybrid.text.exact_words import exact_words

WordField = Literal["text", "title", "person"]

WORD_FIELDS: Mapping[WordField, str] = {
    "text": "words",
    "title": "title_words",
    "person": "person_words",
}
"""The fields of a keyword index that hold the words of a film, by what they are words of.

Each holds words between blanks, so that no engine needs to analyse them.
"""

BREAK = "\u00b6"
"""Between two parts, such as two names: it is no word, so no phrase extends over it."""


@dataclass(frozen=True)
class FilmWords:
    """The words of a film's whole text, of its titles and of its people, between blanks."""

    text: str
    title: str
    person: str

    @classmethod
    def of(cls, movie: Movie) -> Self:
        """Return the words of a film."""
        return cls(
            text=_words(keyword_parts(movie)),
            title=_words(titles(movie)),
            person=_words(sorted(people(movie))),
        )

    def of_field(self, field: WordField) -> str:
        """Return the words of one field."""
        return {"text": self.text, "title": self.title, "person": self.person}[field]


def _words(parts: Iterable[str]) -> str:
    return f" {BREAK} ".join(" ".join(exact_words(part)) for part in parts)
