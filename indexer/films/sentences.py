"""Descriptions cut into the sentences that are embedded one by one."""

from collections.abc import Iterable, Iterator, Sequence

from sentencex import get_sentence_boundaries

from hybrid.movie import Movie
from hybrid.storage.catalogue import CatalogueFilm

MAX_CHARACTERS = 800
"""Longer sentences are cut at a blank: the default model reads no more than 256 tokens, some 1,000
characters of English, and what comes after them would be lost to the search by meaning."""

Span = tuple[int, int]
"""Half-open range of characters of the description."""


def sentence_spans(description: str) -> list[Span]:
    """Return the sentences of `description` as ranges of its characters, in order.

    Blanks must be plain single ones, as cleaning leaves them: the splitter panics on some others.
    Outer blanks are left out, and so is what holds no letter or digit.
    """
    spans: list[Span] = []
    for boundary in get_sentence_boundaries("en", description):
        for start, end in _cut(description, boundary["start_index"], boundary["end_index"]):
            text = description[start:end]
            if any(character.isalnum() for character in text):
                start += len(text) - len(text.lstrip())
                spans.append((start, start + len(text.strip())))
    return spans


def sentence_texts(movie: Movie, spans: Sequence[Span]) -> list[str]:
    """Return the sentences of the film's description."""
    return [(movie.description or "")[start:end] for start, end in spans]


def all_texts(films: Iterable[CatalogueFilm]) -> Iterator[str]:
    """Give the sentences of all these films."""
    return (text for film in films for text in sentence_texts(film.movie, film.spans))


def _cut(text: str, start: int, end: int) -> Iterator[Span]:
    while end - start > MAX_CHARACTERS:
        blank = text.rfind(" ", start, start + MAX_CHARACTERS)
        middle = blank if blank > start else start + MAX_CHARACTERS
        yield start, middle
        start = middle
    yield start, end
