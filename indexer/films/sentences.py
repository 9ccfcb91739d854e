"""Descriptions cut into the sentences that are embedded one by one."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from hybrid.movie import Movie
from hybrid.storage.catalogue import Catalogue, CatalogueFilm
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


@dataclass(frozen=True)
class StoredSentences:
    """All sentences of a catalogue, film after film in the order of ids, read when they are needed:
    all of them may not fit into memory."""

    catalogue: Catalogue

    def __len__(self) -> int:
        return int(self.catalogue.sentences.counts.sum())

    def __iter__(self) -> Iterator[str]:
        return self.catalogue.all_sentences()

    def sample(self, count: int) -> list[str]:
        """Return at most `count` sentences, far from each other."""
        return list(islice(self, 0, None, max(1, len(self) // count)))[:count]
