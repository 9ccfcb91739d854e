"""Larger catalogues made of a smaller one, with vectors for all their sentences, without embedding.

The first films are those of the source. Each further film has the first half of one film's title
and the second half of another's, the year and genres of the first, the cast of a third, and as many
sentences as a fourth. Each sentence is one of the source with a word of another put into it, so
that hardly two are alike. Its vector is that of the sentence it was made of, moved by the
difference of the vectors of two others: noise that is spread as the vectors are, of MOVED times
their length. The same number of films gives the same file and the same vectors.
"""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hybrid.errors import InvalidInput
from hybrid.movie import Movie
from hybrid.text.sentences import sentence_spans
from hybrid.vectors import Vectors
from indexer.embedding.cache import blocks_of, key_of, open_cache, store, stored
from indexer.films.film_file import read_films
from indexer.films.sentences import all_texts, cut

MOVED = 1.0
"""Length of the noise: it leaves a cosine of .71 to the sentence that was moved, and of .5 between
two that were made of one. A sentence of Wikipedia and the one nearest to it have one of .70."""

CHUNK = 4_000
"""Films written at once."""


@dataclass(frozen=True)
class Origin:
    """What films are made of: the films of a source, their distinct sentences, and `vectors` of
    these, float32 (sentences, d), by the model of this fingerprint."""

    films: Sequence[Movie]
    sentences: Sequence[str]
    vectors: Vectors
    fingerprint: str

    @classmethod
    def read(cls, source: Path, cache_file: Path, fingerprint: str) -> "Origin":
        """Return the films of a source whose sentences are all in the cache of embeddings.

        Raises InvalidInput if one is not.
        """
        films = read_films(source).cleaned.movies
        sentences = list(dict.fromkeys(all_texts(cut(films))))
        keys = [key_of(fingerprint, text) for text in sentences]
        with open_cache(cache_file) as cache:
            missing = len(keys) - sum(1 for _ in stored(cache, keys))
            if missing:
                raise InvalidInput(
                    f"{cache_file} lacks the vectors of {missing:,} sentences of {source}: build "
                    "an index of it in that folder first"
                )
            vectors = np.concatenate(list(blocks_of(cache, keys)))
        return cls(films, sentences, vectors, fingerprint)


@dataclass(frozen=True)
class NewFilm:
    """A film as a line of a source, the texts of its sentences, and the rows of the sentences that
    they were made of."""

    line: dict[str, object]
    sentences: Sequence[str]
    origins: Sequence[int]


def new_films(origin: Origin, seed: int = 0) -> Iterator[NewFilm]:
    """Yield films that the source does not have, without end."""
    chance, films = random.Random(seed), origin.films
    counts = [len(sentence_spans(movie.description or "")) for movie in films]
    while True:
        first, second, third = chance.choices(films, k=3)
        texts, origins = _description(origin, chance, chance.choice(counts))
        words, others = first.title.split(), second.title.split()
        title = [*words[: (len(words) + 1) // 2], *others[len(others) // 2 :]]
        line: dict[str, object] = {
            "title": " ".join(title),
            "year": first.year,
            "genres": first.genres,
            "cast": third.cast,
            "extract": " ".join(texts),
        }
        yield NewFilm(line, texts, origins)


def _description(
    origin: Origin, chance: random.Random, count: int
) -> tuple[Sequence[str], Sequence[int]]:
    """Return so many sentences that are found again in the description made of them, and the rows
    of the sentences that they were made of."""
    while True:
        rows = chance.choices(range(len(origin.sentences)), k=count)
        texts = [_with_another_word(origin.sentences, row, chance) for row in rows]
        whole = " ".join(texts)
        if [whole[start:end] for start, end in sentence_spans(whole)] == texts:
            return texts, rows


def _with_another_word(sentences: Sequence[str], row: int, chance: random.Random) -> str:
    words = sentences[row].split(" ")
    other = chance.choice(chance.choice(sentences).split(" "))
    place = chance.randrange(len(words))
    return " ".join([*words[:place], other.strip(".,;:!?()\"'").lower() or "and", *words[place:]])


def moved(origin: Origin, rows: NDArray[np.int64], random: np.random.Generator) -> Vectors:
    """Return the vectors of these sentences moved by noise, float32 (n, d), of length 1."""
    plus, minus = random.integers(len(origin.vectors), size=(2, len(rows)))
    noise = origin.vectors[plus] - origin.vectors[minus]
    noise *= MOVED / np.maximum(np.linalg.norm(noise, axis=1, keepdims=True), 1e-6)
    vectors = origin.vectors[rows] + noise
    unit: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def write_catalogue(origin: Origin, films: int, source: Path, cache_file: Path) -> int:
    """Write a source of so many films as JSON lines, and the vectors of all its sentences into the
    cache; return the number of sentences that are new.

    The cache must have the sentences of the origin already.
    """
    new, added = new_films(origin), 0
    random = np.random.default_rng(0)
    with source.open("w", encoding="utf-8") as lines, open_cache(cache_file) as cache:
        for movie in origin.films[:films]:
            fields = movie.model_dump(include={"title", "year", "genres", "cast", "href"})
            lines.write(json.dumps(fields | {"extract": movie.description}) + "\n")
        for start in range(len(origin.films), films, CHUNK):
            some = list(islice(new, min(CHUNK, films - start)))
            lines.writelines(json.dumps(film.line) + "\n" for film in some)
            texts = [text for film in some for text in film.sentences]
            rows = np.array([row for film in some for row in film.origins], np.int64)
            keys = (key_of(origin.fingerprint, text) for text in texts)
            vectors = (row.tobytes() for row in moved(origin, rows, random))
            store(cache, dict(zip(keys, vectors, strict=True)))
            added += len(texts)
    return added
