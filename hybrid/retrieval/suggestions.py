"""What a generation suggests: titles and people by an index of the base and one of the delta."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from hybrid.retrieval.genre_names import genres_of
from hybrid.retrieval.suggestion_index import (
    KINDS,
    MIN_TYPO,
    MISTYPED,
    Kind,
    Match,
    SuggestionIndex,
)
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.generation import SUGGESTIONS
from hybrid.storage.rows import NO_ROWS, Rows
from hybrid.text.title_words import whole_title

NO_ROW = -1


class Suggested(NamedTuple):
    """What is suggested: its text as it is compared, how near it is to what is typed, how well it
    is known, and the row of the film whose title it is, else NO_ROW."""

    kind: Kind
    text: str
    nearness: int
    known: float
    row: int = NO_ROW


@dataclass(frozen=True)
class Part:
    """An index, which rows of the catalogue its rows are, and the entries that do not count, int64
    ascending."""

    index: SuggestionIndex
    rows_of: Callable[[Rows], Rows]
    skipped: Rows

    def nearest(self, text: bytes, limit: int) -> Iterator[Suggested]:
        """Yield at most `limit` of each kind that begin with a text."""
        return map(self._suggested, self.index.nearest(text, limit, self.skipped))

    def mistyped(self, text: bytes, limit: int) -> Iterator[Suggested]:
        """Yield at most `limit` of each kind that would begin with it but for one letter."""
        return map(self._suggested, self.index.mistyped(text, limit, self.skipped))

    def _suggested(self, match: Match) -> Suggested:
        index, entry = self.index, match.entry
        kind = index.kind(entry)
        films = index.films[entry : entry + 1]  # none of a person or genre
        row = int(self.rows_of(films)[0]) if len(films) else NO_ROW
        return Suggested(kind, index.text(entry), match.nearness, match.known, row)


@dataclass(frozen=True)
class Suggestions:
    """The indices of a generation, and its genres as films spell them, by how they are compared."""

    parts: Sequence[Part]
    genres: dict[str, str]

    @classmethod
    def of(cls, catalogue: Catalogue) -> Self:
        """Return the suggestions of a generation, those of the base mapped into memory."""
        base, rows = SuggestionIndex.read(catalogue.folder / SUGGESTIONS), catalogue.rows
        genres = [(genre.name, genre.films) for genre in genres_of(catalogue)]
        parts = [
            Part(base, rows.of_base, _outdated(base, catalogue)),
            Part(_delta_index(base, catalogue), rows.of_delta.__getitem__, NO_ROWS),
            Part(SuggestionIndex.of(genres=genres), rows.of_base, NO_ROWS),
        ]
        return cls(parts, {whole_title(name): name for name, _ in reversed(genres)})

    def matches(self, typed: str, limit: int) -> list[Suggested]:
        """Return at most `limit` of each kind that begin with what is typed, best first.

        If there are fewer than `limit`, with those that would but for one letter.
        """
        text = whole_title(typed).encode()
        if not text:
            return []
        found = _best((each for part in self.parts for each in part.nearest(text, limit)), limit)
        if len(found) < limit and len(text) >= MIN_TYPO:
            seen = {each[:2] + each[4:] for each in found}
            nearly = _best(
                (each for part in self.parts for each in part.mistyped(text, limit)), limit
            )
            found += [
                each._replace(nearness=MISTYPED)
                for each in nearly
                if each[:2] + each[4:] not in seen
            ]
        return found


def _best(found: Iterator[Suggested], limit: int) -> list[Suggested]:
    """Return the best of each kind: the nearest, of these the best known."""
    ordered = sorted(
        found, key=lambda s: (KINDS.index(s.kind), s.nearness, -s.known, len(s.text), s.text, s.row)
    )
    return [each for kind in KINDS for each in [s for s in ordered if s.kind == kind][:limit]]


def _outdated(base: SuggestionIndex, catalogue: Catalogue) -> Rows:
    """Return the entries of the base that do not count: titles of outdated films, and people whose
    number of films changed."""
    titles = base.entries_of_films(catalogue.rows.outdated)
    people = base.entries_of_people([name for name, _ in catalogue.changed_people()])
    return np.sort(np.concatenate([titles, people]))


def _delta_index(base: SuggestionIndex, catalogue: Catalogue) -> SuggestionIndex:
    """Return the index of the films of the delta, and of people whose number of films changed.

    Where films of the base are known by votes, or by their sentences, those of the delta are, too.
    """
    votes = np.maximum(catalogue.delta_columns.numbers["votes"], 0)
    known = votes if base.by_votes else catalogue.delta.counts
    people = [(name, films) for name, films in catalogue.changed_people() if films]
    return SuggestionIndex.of(list(catalogue.titles("delta.movies")), known, people)


def _base_index(catalogue: Catalogue) -> SuggestionIndex:
    """Return the index of the base of a catalogue.

    Films are known by their votes, or by the number of their sentences where none has votes: a
    source says most about the films that most people know.
    """
    votes = np.maximum(catalogue.base.columns.numbers["votes"], 0)
    known = votes if votes.any() else catalogue.base.counts
    titles, people = list(catalogue.titles("base.movies")), catalogue.people("base.names")
    return SuggestionIndex.of(titles, known, people, by_votes=bool(votes.any()))


def write_suggestions(catalogue: Catalogue) -> None:
    """Write the suggestions of the films of a new base. Raises OSError."""
    _base_index(catalogue).write(catalogue.folder / SUGGESTIONS)


def same_suggestions(catalogue: Catalogue) -> bool:
    """Whether the suggestions of the base are those that would be written now."""
    return SuggestionIndex.read(catalogue.folder / SUGGESTIONS).equals(_base_index(catalogue))
