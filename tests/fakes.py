"""Stand-ins at the two seams, for tests that ask nothing of the real thing.

They pass the contract suites of tests/engines/ and tests/test_encoder.py like the real ones.
"""

import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import numpy as np

from hybrid.engines.deadline import NEVER, Deadline
from hybrid.engines.lexical.bm25 import K1, B, attainable_score, idf, telling_words
from hybrid.engines.lexical.writer_protocol import Previous
from hybrid.engines.phrase_films import PhraseFilms
from hybrid.engines.protocols import TermScore
from hybrid.errors import EngineUnavailable
from hybrid.movie import Movie, content_number, keyword_text
from hybrid.query import Filters
from hybrid.query_language.conditions import NO_CONDITIONS, Conditions, Phrase
from hybrid.query_language.film_words import FilmWords
from hybrid.ranking import Ids, Ranking, Scores
from hybrid.settings import Precision
from hybrid.storage.generation import Generation
from hybrid.storage.manifest import Lexical, Prompts
from hybrid.text.stop_words import STOP_WORDS
from hybrid.vectors import Vectors


def words(text: str) -> list[str]:
    """Return the words of `text`, case and accents folded, without stop words."""
    folded = unicodedata.normalize("NFKD", text.lower())
    found = re.findall(r"\w+", "".join(c for c in folded if not unicodedata.combining(c)))
    return [word for word in found if word not in STOP_WORDS]


class FakeLexical:
    """BM25 in memory; engine and writer in one. Tests let it take long, like a remote one."""

    is_remote = True

    def __init__(self, movies: Collection[Movie] = ()) -> None:
        self.away = False
        self.hold(movies)

    def hold(self, movies: Collection[Movie]) -> None:
        """Hold these films and no others."""
        self.movies = {movie.id: movie for movie in movies}
        self.film_words = {i: FilmWords.of(m) for i, m in self.movies.items()}
        self.counts = {i: Counter(words(keyword_text(m))) for i, m in self.movies.items()}
        self.lengths = {i: counts.total() for i, counts in self.counts.items()}
        self.mean_length = sum(self.lengths.values()) / len(self.lengths) if self.lengths else 1.0
        self.film_counts = Counter(word for counts in self.counts.values() for word in counts)

    def prepare(self, previous: Previous | None) -> None:
        """Start with the films that are there."""

    def write(self, movies: Iterable[Movie], gone: Collection[int], total: int) -> Lexical:
        """Replace, add and remove films."""
        changed = self.movies | {movie.id: movie for movie in movies}
        self.hold([movie for i, movie in changed.items() if i not in gone])
        return Lexical(engine="embedded", index="fake", analysis="fake")

    def discard(self) -> None:
        """Forget the films."""
        self.hold(())

    def check_index(self, generation: Generation) -> None:
        """It is always the one that was written."""

    def tidy(self, kept: Collection[str]) -> list[str]:
        """Nothing to tidy."""
        return []

    def count(self) -> int:
        """Return the number of films."""
        self.check()
        return len(self.movies)

    def contents(self) -> dict[int, int]:
        """Return what tells the films from others."""
        return {film: content_number(movie) for film, movie in self.movies.items()}

    def check(self) -> None:
        """Fail while away."""
        if self.away:
            raise EngineUnavailable("the fake is away")

    def search(
        self,
        text: str,
        filters: Filters,
        depth: int,
        deadline: Deadline = NEVER,
        conditions: Conditions = NO_CONDITIONS,
    ) -> Ranking:
        """Return the best `depth` films that hold a word of `text`."""
        self.check()
        allowed = [
            i
            for i, m in self.movies.items()
            if filters.matches(m) and conditions.matches(m, self.film_words[i])
        ]
        ids = np.array(allowed, np.int64)
        scores = self.score(text, ids)
        return Ranking.sorted(ids[scores > 0], scores[scores > 0], depth)

    def films_with(self, phrase: Phrase, deadline: Deadline = NEVER) -> Ids:
        """Return the films that match the phrase."""
        self.check()
        conditions = Conditions(required=(phrase,))
        words = self.film_words
        found = [i for i, m in self.movies.items() if conditions.matches(m, words[i])]
        return np.array(sorted(found), np.int64)

    def search_with_phrases(
        self,
        text: str,
        filters: Filters,
        depth: int,
        phrases: Sequence[Phrase],
        deadline: Deadline = NEVER,
        conditions: Conditions = NO_CONDITIONS,
    ) -> tuple[Ranking, PhraseFilms | None]:
        """Return what `search` does, and which films match which phrase."""
        found = self.have_phrases(phrases, np.array(sorted(self.movies), np.int64))
        ranking = self.search(text, filters, depth, deadline, conditions)
        return ranking, PhraseFilms.listed(found.films, len(phrases))

    def have_phrases(
        self, phrases: Sequence[Phrase], ids: Ids, deadline: Deadline = NEVER
    ) -> PhraseFilms:
        """Return which of these films match which phrase."""
        scores = np.zeros(len(ids), np.float64)
        for number, phrase in enumerate(phrases):
            scores += 2**number * np.isin(ids, self.films_with(phrase))
        return PhraseFilms(Ranking(ids[scores > 0], scores[scores > 0]), len(phrases))

    def score(self, text: str, ids: Ids, deadline: Deadline = NEVER) -> Scores:
        """Return BM25 of each film."""
        self.check()
        terms = words(text)
        return np.array([sum(self._score(term, i) for term in terms) for i in ids.tolist()], float)

    def explain(self, text: str, ids: Ids, deadline: Deadline = NEVER) -> list[list[TermScore]]:
        """Return what each different word gives each film."""
        self.check()
        typed = [(term, word) for word in re.findall(r"\w+", text) for term in words(word)]
        first = dict(reversed(typed))
        times = Counter(term for term, _ in typed)
        return [
            [
                TermScore(first[term], term, self.counts[film][term], self._idf(term), n * score)
                if (score := self._score(term, film))
                else TermScore(first[term], term)
                for term, n in times.items()
            ]
            for film in ids.tolist()
        ]

    def telling(self, text: str, least: int, deadline: Deadline = NEVER) -> list[str]:
        """Return the words of `text` that tell most, counted one by one."""
        self.check()
        typed = [(word, term) for word in re.findall(r"\w+", text) for term in words(word)]
        return telling_words(typed, self.film_counts, len(self.movies), least)

    def attainable(self, text: str, deadline: Deadline = NEVER) -> float:
        """Return the sum of the best that each word gives a film."""
        self.check()
        return attainable_score(
            [max((self._score(w, i) for i in self.counts), default=0.0) for w in words(text)]
        )

    def _score(self, word: str, film: int) -> float:
        times = self.counts[film].get(word) if film in self.counts else None
        if not times:
            return 0.0
        norm = K1 * (1 - B + B * self.lengths[film] / self.mean_length)
        return self._idf(word) * times * (K1 + 1) / (times + norm)

    def _idf(self, word: str) -> float:
        return idf(self.film_counts[word], len(self.counts))


class HashingEncoder:
    """A bag of words hashed into 64 dimensions: texts that share words are near each other."""

    fingerprint = "hashing-64"
    device = "cpu"
    prompts = Prompts()

    def __init__(self) -> None:
        self.encoded: list[str] = []

    def export(self, folder: Path, texts: Sequence[str], precision: Precision) -> None:
        """Write something that a later build can link."""
        folder.mkdir()
        (folder / "words").write_text("hashed")

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return float32 (len(texts), 64), every row of length 1."""
        self.encoded += texts
        vectors = np.zeros((len(texts), 64), np.float32)
        for row, text in zip(vectors, texts, strict=True):
            for word in words(text) or [text]:
                row[zlib.crc32(word.encode()) % 64] += 1
        unit: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit
