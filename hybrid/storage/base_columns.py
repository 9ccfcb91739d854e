"""What is read of all films of a base, as arrays that are mapped into memory."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from hybrid.ranking import Ids
from hybrid.storage.arrays import Texts, read_arrays, write_arrays
from hybrid.storage.filter_columns import NO_ROWS, FilterColumns, Rows
from hybrid.storage.mapped import mapped
from hybrid.storage.merged_rows import MergedRows


@dataclass(frozen=True)
class BaseColumns:
    """Columns of n films, one row per film in the order of ids; the fields are those of the file.

    `ids` int64 (n,) ascending; `years` int32 (n,), 0 without a year; film f has `counts[f]`
    sentences, whose vectors begin at row `firsts[f]` of the pieces one after the other, both int64
    (n,). Genre g of k is the text g of `genre_letters` and `genre_letter_starts`, and its films
    are the rows `genre_rows[genre_starts[g]:genre_starts[g + 1]]`, int64 ascending.
    """

    ids: Ids
    years: NDArray[np.int32]
    firsts: Rows
    counts: Rows
    genre_letters: NDArray[np.uint8]
    genre_letter_starts: NDArray[np.int64]
    genre_starts: NDArray[np.int64]
    genre_rows: Rows

    @classmethod
    def of(cls, columns: FilterColumns, firsts: Rows, counts: Rows) -> Self:
        """Return the columns of a new base."""
        genres = dict(columns.genres)
        texts = Texts.of(list(genres))
        rows = [NO_ROWS, *genres.values()]
        return cls(
            columns.ids,
            columns.years,
            firsts,
            counts,
            texts.letters,
            texts.starts,
            np.cumsum([len(films) for films in rows], dtype=np.int64),
            np.concatenate(rows),
        )

    @classmethod
    def read(cls, file: Path) -> Self:
        """Return the columns of a file, mapped into memory."""
        return mapped(file, lambda path: cls(*read_arrays(path)))

    def write(self, file: Path) -> None:
        """Write the columns. Raises OSError."""
        write_arrays(file, (getattr(self, field.name) for field in fields(self)))

    def genres(self) -> Mapping[str, Rows]:
        """Return the rows of the films of each genre, int64 ascending."""
        names = Texts(self.genre_letters, self.genre_letter_starts)
        starts = self.genre_starts.tolist()
        return {
            names[genre].decode(): self.genre_rows[starts[genre] : starts[genre + 1]]
            for genre in range(len(names))
        }


class MergedGenres(Mapping[str, Rows]):
    """The rows of the films of each genre in base and delta, merged when they are asked for."""

    def __init__(
        self, base: Mapping[str, Rows], delta: Mapping[str, Rows], rows: MergedRows
    ) -> None:
        self._base = base
        self._delta = delta
        self._rows = rows
        self._merged: dict[str, Rows] = {}

    def __getitem__(self, genre: str) -> Rows:
        """Return the rows of the genre's films, int64 ascending. Raises KeyError without any."""
        if genre not in self._merged:
            base = self._base.get(genre, NO_ROWS)
            left = self._rows.of_base(base[self._rows.counts(base)])
            new = self._rows.of_delta[self._delta.get(genre, NO_ROWS)]
            self._merged[genre] = np.sort(np.concatenate([left, new]), kind="stable")
        if not len(self._merged[genre]):
            raise KeyError(genre)
        return self._merged[genre]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the genres that a film has."""
        return (genre for genre in {**self._base, **self._delta} if genre in self)

    def __len__(self) -> int:
        """Return the number of genres that a film has."""
        return sum(1 for _ in self)
