"""Warnings about genres that no film has."""

import numpy as np
import pytest

from hybrid.retrieval import genre_warnings
from hybrid.retrieval.genre_warnings import MAX_HINTS, MAX_VOCABULARY, unknown_genres


def test_near_genres_are_suggested() -> None:
    """Those that are spelled alike; known genres are no mistake, in any case."""
    known = {"drama": np.arange(3), "western": np.arange(2)}
    assert list(unknown_genres(["DRAMA", "Dramma", "xyz"], known)) == [
        "no film has the genre 'Dramma'; near it: drama",
        "no film has the genre 'xyz'",
    ]


def test_only_genres_of_most_films_are_suggested(monkeypatch: pytest.MonkeyPatch) -> None:
    """With thousands of genres and fifty unknown ones, a bounded number is compared."""
    compared = []

    def near(word: str, names: list[str], n: int) -> list[str]:
        compared.append(len(names))
        return names[:n]

    monkeypatch.setattr(genre_warnings, "get_close_matches", near)
    known = {f"rare {n}": np.arange(1) for n in range(33_000)} | {"drama": np.arange(3)}
    warnings = list(unknown_genres([f"kind {n}" for n in range(50)], known))
    assert len(warnings) == 50
    assert warnings[0].startswith("no film has the genre 'kind 0'; near it: drama, ")
    assert compared == [MAX_VOCABULARY] * MAX_HINTS
