"""The interfaces of keyword and semantic engines.

tests/engines/ holds the contract suite that every engine passes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hybrid.engines.deadline import NEVER, Deadline
from hybrid.engines.phrase_films import PhraseFilms
from hybrid.query import Filters
from hybrid.query_language.conditions import NO_CONDITIONS, Conditions, Phrase
from hybrid.ranking import FilmSet, Ids, Ranking, Scores
from hybrid.vectors import QueryVector, Vectors


@dataclass(frozen=True)
class TermScore:
    """What a word of a query contributes to a film's BM25; 0 if the film lacks the word.

    `word` is as typed and `term` as analysed; `frequency` is how often the term occurs in the
    film's text, `score` its part of the film's BM25.
    """

    word: str
    term: str
    frequency: int = 0
    idf: float = 0.0
    score: float = 0.0


class LexicalEngine(Protocol):
    """BM25 over one text per film. Every method raises EngineUnavailable if it gets no answer.

    An engine that waits for another process, `is_remote`, raises it at the deadline.
    """

    is_remote: bool

    def search(
        self,
        text: str,
        filters: Filters,
        depth: int,
        deadline: Deadline = NEVER,
        conditions: Conditions = NO_CONDITIONS,
    ) -> Ranking:
        """Return the best `depth` films that contain a word of `text`.

        Only films that pass the filters and match the conditions.
        """
        ...

    def search_with_phrases(
        self,
        text: str,
        filters: Filters,
        depth: int,
        phrases: Sequence[Phrase],
        deadline: Deadline = NEVER,
        conditions: Conditions = NO_CONDITIONS,
    ) -> tuple[Ranking, PhraseFilms | None]:
        """Return what `search` does, and which films of the index match which of at most
        MAX_PHRASES phrases: None if MANY_FILMS or more match one."""
        ...

    def films_with(self, phrase: Phrase, deadline: Deadline = NEVER) -> Ids:
        """Return all films that match the phrase, int64 ascending."""
        ...

    def have_phrases(
        self, phrases: Sequence[Phrase], ids: Ids, deadline: Deadline = NEVER
    ) -> PhraseFilms:
        """Return which of these films match which of at most MAX_PHRASES phrases."""
        ...

    def score(self, text: str, ids: Ids, deadline: Deadline = NEVER) -> Scores:
        """Return BM25 of each film, float64 (len(ids),); 0 where no word of `text` occurs."""
        ...

    def explain(
        self, text: str, ids: Ids, deadline: Deadline = NEVER
    ) -> Sequence[Sequence[TermScore]]:
        """Return what each distinct word of `text` contributes to each film, in the order typed.

        A list per film, whose scores add up to `score`. A word that occurs twice in `text` scores
        twice and is listed once, as it is typed first.
        """
        ...

    def telling(self, text: str, least: int, deadline: Deadline = NEVER) -> Sequence[str]:
        """Return the words of `text` that tell most about it, the most telling first.

        At most `MAX_TELLING` (bm25.py), as typed, by frequency and idf; words that fewer films than
        `least` contain are left out.
        """
        ...

    def attainable(self, text: str, deadline: Deadline = NEVER) -> float:
        """Return an upper bound of any film's BM25 for `text`; 0 if no film contains a word."""
        ...

    def count(self) -> int:
        """Return the number of films."""
        ...

    def contents(self) -> dict[int, int]:
        """Return by id the `content_number` of every film as it was indexed."""
        ...

    def check(self) -> None:
        """Check that the engine can answer a search now."""
        ...


class SemanticEngine(Protocol):
    """Cosine similarity of a query and the sentences of a film."""

    def search(
        self,
        query_vector: QueryVector,
        filters: Filters,
        depth: int,
        among: FilmSet | None = None,
    ) -> Ranking:
        """Return the best `depth` films that the filters allow, only of `among` if that is given.

        Unknown ids in `among` are ignored.
        """
        ...

    def score(self, query_vector: QueryVector, ids: Ids) -> Scores:
        """Return the exact score of each film, float64 (len(ids),), NaN without a vector."""
        ...

    def best_sentences(self, query_vector: QueryVector, ids: Ids) -> tuple[Scores, Ids]:
        """Return the `score` of each film and the number of its best sentence, int64 (len(ids),).

        Sentences are numbered from 0 in the order of the description; a film without one has -1.
        """
        ...

    def explain(self, query_vector: QueryVector, ids: Ids) -> Sequence[Sequence[tuple[int, float]]]:
        """Return (number, cosine) of the sentences that make up each film's score, best first.

        As many as `query_vector` has weights, or fewer if the film has fewer.
        """
        ...

    def vectors_of(self, film: int) -> Vectors:
        """Return the vectors of a film's sentences, float32 (sentences, d), (0, d) without one."""
        ...


class Encoder(Protocol):
    """Turns texts into vectors. Tests replace it."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return a vector of length 1 for each text, float32 (len(texts), d)."""
        ...


@dataclass(frozen=True)
class Engines:
    """The engines of one generation, and the encoder of its queries."""

    lexical: LexicalEngine
    semantic: SemanticEngine
    encoder: Encoder
