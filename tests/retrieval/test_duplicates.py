"""Duplicates: which films are one, and that a ranking has each once."""

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from hybrid.movie import Movie
from hybrid.ranking import Ranking
from hybrid.retrieval.duplicates import MAX_COMPARED, Duplicates
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.catalogue_writer import write_catalogue

TEXT = "A clown robs a bank in the harbour and flees to the island where nobody knows his face."
OTHER = "Two sisters inherit a mill, quarrel over its wheel and sell it to a passing magician."


def found(folder: Path, movies: Sequence[Movie]) -> Duplicates:
    """Return the duplicates of a catalogue of these films."""
    write_catalogue(folder, [(movie, ()) for movie in movies])
    catalogue = Catalogue(folder)
    duplicates = Duplicates.of(catalogue)
    catalogue.close()
    return duplicates


@pytest.mark.parametrize(
    ("twin", "same"),
    [
        ({}, True),
        ({"title": "The Clown Konrad"}, False),
        ({"title": "the clown, KONIG"}, True),
        ({"year": 1951}, True),
        ({"year": 1952}, False),
        ({"year": None}, True),
        ({"description": TEXT.upper() + " The end."}, True),
        ({"description": OTHER}, False),
        ({"description": None}, False),
        ({"description": TEXT[: len(TEXT) // 2]}, False),
    ],
)
def test_title_year_and_text_make_a_film(
    tmp_path: Path, twin: dict[str, object], same: bool
) -> None:
    """Two films are one if the titles are equal but for case, accents and punctuation, the years a
    year apart at most, and the texts nearly equal: each of the three alone is not enough."""
    first = Movie(id=3, title="The Clown König", year=1950, description=TEXT)
    second = first.model_copy(update={"id": 9} | twin)
    groups = found(tmp_path, [first, second]).groups
    assert groups == ({3: (3, 9), 9: (3, 9)} if same else {})


def test_films_without_words_are_not_the_same(tmp_path: Path) -> None:
    """Without a description there is nothing to tell two films of one title and year apart by."""
    films = [Movie(id=n, title="Untitled", year=1950) for n in range(3)]
    assert found(tmp_path, films).groups == {}


def test_groups_join_and_do_not_depend_on_order(tmp_path: Path) -> None:
    """Films a year apart each are one group, however the source orders them; films of other titles
    and texts, and as many of one title as there may be, stay apart."""
    chain = [Movie(id=n, title="Chain", year=1950 + n, description=TEXT) for n in range(4)]
    others = [
        Movie(id=100 + n, title="Crowd", year=1950, description=" ".join([f"w{n}"] * 9))
        for n in range(3 * MAX_COMPARED)
    ]
    movies = [*chain, *others, Movie(id=90, title="Chain", year=1951, description=OTHER)]
    for seed in range(4):
        random.Random(seed).shuffle(movies)
        folder = tmp_path / str(seed)
        folder.mkdir()
        duplicates = found(folder, movies)
        assert duplicates.groups == dict.fromkeys(range(4), (0, 1, 2, 3))
        assert duplicates.count() == 1
        assert duplicates.of_film(90) == (90,)
        assert list(duplicates.of_film(2)) == [0, 1, 2, 3]


def test_a_ranking_has_each_film_once() -> None:
    """The best film of a group stands for it with its own score, unless another is preferred."""
    duplicates = Duplicates(dict.fromkeys((2, 5, 8), (2, 5, 8)))
    ranking = Ranking(np.array([7, 5, 1, 2, 8]), np.array([0.9, 0.8, 0.7, 0.6, 0.5]))
    once = duplicates.once(ranking)
    assert (once.ids.tolist(), once.scores.tolist()) == ([7, 5, 1], [0.9, 0.8, 0.7])
    assert duplicates.once(ranking, preferred=8).ids.tolist() == [7, 8, 1]
    assert duplicates.once(ranking, preferred=1).ids.tolist() == [7, 5, 1]
    assert ranking.ids.tolist() == [7, 5, 1, 2, 8]
