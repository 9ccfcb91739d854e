"""Ids for the films of a source without ids: those that they have in the catalogue."""

from collections.abc import Hashable, Iterable, Sequence

from hybrid.errors import BuildFailed
from hybrid.movie import MAX_ID, Movie


def match_ids(movies: Sequence[Movie], known: Iterable[Movie], highest: int) -> tuple[Movie, ...]:
    """Return `movies`, in the order of their source, under the ids of the catalogue's films.

    A film is the one with the same page (`href`), else the one with the same title and year; of
    several matches the first in `known` is taken. Others get ids above `highest`, the highest ever
    used. Raises BuildFailed if there are none left.
    """
    ids: list[int | None] = [None] * len(movies)
    left = {movie.id: movie for movie in known}
    for key in (_page, _title):
        waiting: dict[Hashable, list[int]] = {}
        for film, movie in left.items():
            waiting.setdefault(key(movie), []).append(film)
        for index, movie in enumerate(movies):
            matches = waiting.get(key(movie)) if ids[index] is None and key(movie) else None
            if matches:
                ids[index] = matches.pop(0)
        taken = set(ids)
        left = {film: movie for film, movie in left.items() if film not in taken}
    if highest + ids.count(None) > MAX_ID:
        raise BuildFailed(
            f"no ids are left above {highest}, the highest that a film had: build the index again"
        )
    new = iter(range(highest + 1, highest + 1 + ids.count(None)))
    same = [
        movie.model_copy(update={"id": next(new) if film is None else film})
        for movie, film in zip(movies, ids, strict=True)
    ]
    return tuple(sorted(same, key=lambda movie: movie.id))


def _page(movie: Movie) -> Hashable:
    return movie.href


def _title(movie: Movie) -> Hashable:
    return movie.title, movie.year
