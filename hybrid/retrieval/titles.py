"""The titles of all films of a generation: an index of those of the base, and one of the delta."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from hybrid.retrieval.title_index import TitleIndex, TitleMatches
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.generation import TITLES
from hybrid.storage.merged_rows import MergedRows
from hybrid.storage.rows import Rows


@dataclass(frozen=True)
class Titles:
    """Two title indices, and how the rows of their films are merged."""

    base: TitleIndex
    delta: TitleIndex
    rows: MergedRows

    @classmethod
    def of(cls, catalogue: Catalogue) -> Self:
        """Return the titles of a generation, those of the base mapped into memory."""
        table = "delta.movies"
        return cls(
            TitleIndex.read(catalogue.folder / TITLES, catalogue.base.columns.years),
            TitleIndex.of(catalogue.titles(table), catalogue.delta_columns.years),
            catalogue.rows,
        )

    def matches(self, texts: Sequence[str]) -> TitleMatches:
        """Return the films whose title is similar to one of `texts`, as one index of all would.

        See `TitleIndex.matches`.
        """
        base = self.base.matches(texts)
        if self.rows.is_base:
            return base
        delta, counts = self.delta.matches(texts), self.rows.counts(base.rows)
        return TitleMatches.best(
            np.concatenate([self.rows.of_base(base.rows[counts]), self.rows.of_delta[delta.rows]]),
            np.concatenate([base.shares[counts], delta.shares]),
        )

    def begins(self, text: str) -> bool:
        """Return whether a title begins with the words of `text`, of an outdated film perhaps."""
        return self.base.begins(text) or self.delta.begins(text)

    def titled(self, text: str) -> Rows:
        """Return the films whose title has the same words as `text`, int64 ascending."""
        base = self.base.titled(text)
        return base if self.rows.is_base else self.rows.merge(base, self.delta.titled(text))


def same_titles(catalogue: Catalogue) -> bool:
    """Whether the index of the base's titles is the one that would be written now."""
    years = catalogue.base.columns.years
    stored = TitleIndex.read(catalogue.folder / TITLES, years)
    return stored.equals(TitleIndex.of(catalogue.titles("base.movies"), years))


def write_titles(catalogue: Catalogue) -> None:
    """Write the titles of the films of a new base. Raises OSError."""
    index = TitleIndex.of(catalogue.titles(), catalogue.columns.years)
    index.write(catalogue.folder / TITLES)
