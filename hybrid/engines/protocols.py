"""The seams: what a keyword engine and a semantic engine promise.

tests/engines/ holds the contract suite that every engine passes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hybrid.query import Filters
from hybrid.ranking import Ids, Ranking, Scores
from hybrid.vectors import QueryVector


@dataclass(frozen=True)
class TermScore:
    """What a word of a query gives a film: nothing, where the film has not the word.

    `word` is as typed and `term` as analysed, `frequency` how often it stands in the film's text,
    `score` its part of the BM25.
    """

    word: str
    term: str
    frequency: int = 0
    idf: float = 0.0
    score: float = 0.0


class LexicalEngine(Protocol):
    """BM25 over one text a film. Every method raises EngineUnavailable when there is no answer."""

    def search(self, text: str, filters: Filters, depth: int) -> Ranking:
        """Return the best `depth` films that the filters allow and that hold a word of `text`."""
        ...

    def score(self, text: str, ids: Ids) -> Scores:
        """Return BM25 of each film, float64 (len(ids),); 0 where no word of `text` occurs."""
        ...

    def explain(self, text: str, ids: Ids) -> Sequence[Sequence[TermScore]]:
        """Return what each different word of `text` gives each film, in the order typed.

        The scores add up to `score`: a word that stands twice scores twice, and is told once, as
        it is typed first.
        """
        ...

    def attainable(self, text: str) -> float:
        """Return what no film's BM25 for `text` exceeds; 0 where no film holds a word of it."""
        ...

    def count(self) -> int:
        """Return the number of films."""
        ...

    def contents(self) -> dict[int, int]:
        """Return `content_number` of every film as it was indexed, by id."""
        ...

    def check(self) -> None:
        """Return if the engine can answer a search now."""
        ...


class SemanticEngine(Protocol):
    """Cosines of a query and a film's sentences."""

    def search(self, meaning: QueryVector, filters: Filters, depth: int) -> Ranking:
        """Return the best `depth` films that the filters allow."""
        ...

    def score(self, meaning: QueryVector, ids: Ids) -> Scores:
        """Return the exact score of each film, float64 (len(ids),); NaN without a vector."""
        ...

    def best_sentences(self, meaning: QueryVector, ids: Ids) -> Ids:
        """Return the place of each film's best sentence in its text, int64; -1 without one."""
        ...

    def explain(self, meaning: QueryVector, ids: Ids) -> Sequence[Sequence[tuple[int, float]]]:
        """Return each film's sentences that count, the best first: place in its text, cosine.

        They are as many as there are weights, or as the film has.
        """
        ...
