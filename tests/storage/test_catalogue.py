"""The catalogue: whole names of people, and every title a film has."""

from collections.abc import Iterator

import pytest

from hybrid.movie import Movie
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.catalogue_writer import write_catalogue

FILMS = [
    Movie(id=3, title="One", original_title="Uno", cast=("Greta Garbo", "Cher", "the history of")),
    Movie(id=7, title="Two", original_title="Two", directors=("J. J. Abrams", "Jean-Luc Godard")),
    Movie(id=9, title="Three", writers=("Lars von Trier", "Garbo Family"), cast=("final word",)),
    Movie(id=11, title="Four", cast=("Mary Tyler", "Mary Tyler Moore", "Søren Malling")),
]


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    """Give the films written and read back."""
    folder = tmp_path_factory.mktemp("catalogue")
    write_catalogue(folder, [(movie, []) for movie in FILMS])
    opened = Catalogue(folder)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("greta garbo dances", "greta garbo"),
        ("the one with Greta Garbo's hat", "Greta Garbo's"),
        ("jj abrams space", "jj abrams"),
        ("space by J. J. Abrams", "J. J. Abrams"),
        ("jean luc godard", "jean luc godard"),
        ("a Lars von Trier film", "Lars von Trier"),
        ("mary tyler moore laughs", "mary tyler moore"),
        ("mary tyler laughs", "mary tyler"),
        ("greta garbo meets mary tyler", "greta garbo"),
        ("soren malling sails", "soren malling"),
        ("Søren Malling sails", "Søren Malling"),
        ("garbo dances", None),
        ("cher sings", None),
        ("the history of dances", None),
        ("a final word", None),
        ("", None),
    ],
)
def test_whole_names_are_noticed(catalogue: Catalogue, query: str, name: str | None) -> None:
    """A name of two words or more is found as it is typed; what only looks like one is not.

    Of names that begin with the same word the longest counts.
    """
    assert catalogue.person_in(query) == name


def test_every_title_is_given_once(catalogue: Catalogue) -> None:
    """Titles and differing original titles, with the place of the film."""
    assert sorted(catalogue.titles()) == [
        (0, "One"),
        (0, "Uno"),
        (1, "Two"),
        (2, "Three"),
        (3, "Four"),
    ]


def test_films_are_given_by_id_and_kept(catalogue: Catalogue) -> None:
    """Films that exist are in the order of ids, those read before beside new ones; a film that was
    read before is not parsed again."""
    (first,) = catalogue.films([7]).values()
    found = catalogue.films([9, 404, 7, -1, 3])
    assert [*found] == [3, 7, 9]
    assert [film.movie for film in found.values()] == FILMS[:3]
    assert found[7] is first
