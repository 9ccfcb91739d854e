"""Descriptions cut into the sentences that are embedded one by one."""

from collections.abc import Iterable, Iterator, Sequence

from hybrid.movie import Movie
from hybrid.storage.catalogue import CatalogueFilm
from hybrid.text.sentences import Span, sentence_spans


def sentence_texts(movie: Movie, spans: Sequence[Span]) -> list[str]:
    """Return the sentences of the film's description."""
    return [(movie.description or "")[start:end] for start, end in spans]


def cut(movies: Iterable[Movie]) -> list[CatalogueFilm]:
    """Return the films with the sentences of their descriptions."""
    return [CatalogueFilm(movie, sentence_spans(movie.description or "")) for movie in movies]


def all_texts(films: Iterable[CatalogueFilm]) -> Iterator[str]:
    """Yield the sentences of all these films."""
    return (text for film in films for text in sentence_texts(film.movie, film.spans))
