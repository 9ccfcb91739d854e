"""The seams: what a keyword engine and a semantic engine promise.

tests/engines/ holds the contract suite that every engine passes.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from hybrid.encoder import Vectors
from hybrid.engines.catalogue import Catalogue
from hybrid.generation import Generation, Lexical
from hybrid.movie import Movie
from hybrid.query import Filters
from hybrid.ranking import Ids, Ranking, Scores


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


class LexicalWriter(Protocol):
    """Writes the keyword side of one generation."""

    def create(self) -> None:
        """Make an empty index: an engine that is away is noticed before the long work begins."""
        ...

    def write(self, movies: Collection[Movie]) -> None:
        """Index every film and make all searchable. Raises BuildFailed if one is missing."""
        ...

    def check_base(self, base: Generation) -> None:
        """Return if the index of `base` is the one that was written for it.

        Raises BuildFailed where it was removed or replaced.
        """
        ...

    def mend(self, base: Generation, catalogue: Catalogue) -> None:
        """Undo what others left half-done in the index of `base`, whose catalogue this is.

        Raises like `check_base`.
        """
        ...

    def take_over(self, base: Generation) -> None:
        """Begin with what the generation `base` holds, instead of an empty index."""
        ...

    def change(self, movies: Collection[Movie], gone: Collection[int], films: int) -> None:
        """Replace or add `movies`, remove `gone`, and make all that searchable.

        Raises BuildFailed if there are not as many `films` afterwards.
        """
        ...

    def manifest(self) -> Lexical:
        """Return what the manifest records, to find what was written again."""
        ...

    def discard(self) -> None:
        """Remove what was written; the catalogue given to `mend` is still open."""
        ...

    def tidy(self, kept: Collection[str]) -> list[str]:
        """Tidy up once readers see this generation.

        `kept` are the indices, as manifests record them, that stay. Returns warnings for the user.
        """
        ...


@dataclass(frozen=True)
class Meaning:
    """What a query asks of the semantic side.

    `vector` float32 (d,), of length 1. A film scores the sum of its best sentences' cosines, each
    times its weight, the best first; the weights add up to 1. A film of fewer sentences gets 0 for
    those that it lacks.
    """

    vector: Vectors
    weights: tuple[float, ...] = (1.0,)


class SemanticEngine(Protocol):
    """Cosines of a query and a film's sentences."""

    def search(self, meaning: Meaning, filters: Filters, depth: int) -> Ranking:
        """Return the best `depth` films that the filters allow."""
        ...

    def score(self, meaning: Meaning, ids: Ids) -> Scores:
        """Return the exact score of each film, float64 (len(ids),); NaN without a vector."""
        ...

    def best_sentences(self, meaning: Meaning, ids: Ids) -> Ids:
        """Return the place of each film's best sentence in its text, int64; -1 without one."""
        ...

    def explain(self, meaning: Meaning, ids: Ids) -> Sequence[Sequence[tuple[int, float]]]:
        """Return each film's sentences that count, the best first: place in its text, cosine.

        They are as many as there are weights, or as the film has.
        """
        ...
