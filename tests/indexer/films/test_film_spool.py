"""Films of a source while an update compares them."""

from pathlib import Path

import numpy as np

from hybrid.movie import Movie
from hybrid.storage.catalogue_schema import document
from indexer.films.clean import new_row
from indexer.films.film_spool import film_spool
from indexer.known_records import RecordRow, table_of

FILMS = [
    Movie(id=7, title="Every\u2028line\x85ends", description="A\tB", cast=("Ó Å",), rating=0.1),
    Movie(id=3, title="Plain"),
]


def test_films_are_read_as_they_were_added(tmp_path: Path) -> None:
    """In any order and as often as they are needed; of a known film only the row is kept, and no
    file has a name meanwhile."""
    first, last = (new_row(1, tuple(vars(movie).values()), numbered=False) for movie in FILMS)
    known = RecordRow(2, 3, 4, 5, film=6, content=7, described=True, dated=False)
    with film_spool(tmp_path) as spool:
        spool.add(np.array([7, 8]), table_of([first, known]), FILMS[:1])
        spool.add(np.array([3]), table_of([last]), FILMS[1:])
        assert list(tmp_path.iterdir()) == []
        found = [spool.document(row) for row in (2, 0, 2)]
        assert found == [document(FILMS[row]) for row in (1, 0, 1)]
        assert len(spool) == 3
        assert spool.ids.tolist() == [7, 8, 3]
        assert spool.rows.tolist() == [tuple(first), tuple(known), tuple(last)]
