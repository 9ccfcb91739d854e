"""Films in a file while an update compares them: all of them need not fit into memory."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from hybrid.movie import Movie
from hybrid.storage.catalogue_schema import document


class FilmSpool:
    """Films in the order in which they were added, read as often as they are needed."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._films = 0

    def add(self, movies: Iterable[Movie]) -> None:
        """Add films behind those that are there. Raises OSError if they cannot be written."""
        for movie in movies:
            self._file.write(document(movie) + "\n")
            self._films += 1

    def __iter__(self) -> Iterator[Movie]:
        """Iterate over the films from the first one; only one iteration may run at a time."""
        self._file.seek(0)
        return (Movie.model_validate_json(line) for line in self._file)

    def __len__(self) -> int:
        """Return the number of films."""
        return self._films


@contextmanager
def film_spool(folder: Path) -> Iterator[FilmSpool]:
    """Give a spool in a file without a name in `folder`: it goes however the process ends.

    Raises OSError if it cannot be written.
    """
    with TemporaryFile("w+", dir=folder, encoding="utf-8", newline="\n") as file:
        yield FilmSpool(file)
