"""Films of a source while an update compares them: all of them need not fit into memory."""

from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import numpy as np

from hybrid.movie import Movie
from hybrid.ranking import Ids
from hybrid.storage.catalogue_schema import document
from indexer.known_records import NEW, RecordRows


class FilmSpool:
    """The films of a source in the order in which they were added: their rows of the table of
    records in memory, and what is new in a file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._batches: list[tuple[Ids, RecordRows]] = []
        self._ends = array("q", [0])

    def add(self, ids: Ids, rows: RecordRows, movies: Sequence[Movie]) -> None:
        """Add films behind those that are there: the fields of a CleanedBatch.

        Raises OSError if they cannot be written.
        """
        self._batches.append((ids, rows))
        new, end = iter(movies), self._ends[-1]
        for film in rows["film"].tolist():
            if film == NEW:
                end += self._file.write(document(next(new)).encode())
            self._ends.append(end)

    @property
    def ids(self) -> Ids:
        """The ids of the films as the source has them, int64 (n,)."""
        return np.concatenate([ids for ids, _ in self._batches])

    @property
    def rows(self) -> RecordRows:
        """Their rows of the table of records, (n,)."""
        return np.concatenate([rows for _, rows in self._batches])

    def document(self, number: int) -> str:
        """Return the film of this number, which is new, as the catalogue stores it."""
        start, end = self._ends[number], self._ends[number + 1]
        self._file.seek(start)
        return self._file.read(end - start).decode()

    def __len__(self) -> int:
        """Return the number of films."""
        return len(self._ends) - 1


@contextmanager
def film_spool(folder: Path) -> Iterator[FilmSpool]:
    """Give a spool in a file without a name in `folder`: it goes however the process ends.

    Raises OSError if it cannot be written.
    """
    with TemporaryFile("w+b", dir=folder) as file:
        yield FilmSpool(file)
