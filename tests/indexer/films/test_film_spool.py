"""Films in a file while an update compares them."""

from pathlib import Path

from hybrid.movie import Movie
from indexer.films.film_spool import film_spool

FILMS = [
    Movie(id=7, title="Every\u2028line\x85ends", description="A\tB", cast=("Ó Å",), rating=0.1),
    Movie(id=3, title="Plain"),
]


def test_films_are_read_as_they_were_added(tmp_path: Path) -> None:
    """In their order, as often as they are needed, and no file has a name meanwhile."""
    with film_spool(tmp_path) as spool:
        spool.add(FILMS[:1])
        spool.add(FILMS[1:])
        assert len(spool) == 2
        assert list(tmp_path.iterdir()) == []
        assert next(iter(spool)) == FILMS[0]
        assert list(spool) == FILMS
        assert list(spool) == FILMS
