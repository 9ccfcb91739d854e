"""txtai: an embeddings database with `hybrid` and `content`, whose scores are added half and half.

As in https://neuml.github.io/txtai/embeddings/query/: a natural language query, or SQL with
`similar` where there are filters. Vectors are given by its method `external`. Its content database
answers one thread at a time, so searches take turns, as in its own service (`txtai.app`).
"""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from threading import Lock

import numpy as np
from txtai import Embeddings

from benchmarks.peers.measure import (
    LIMIT,
    Corpus,
    Film,
    Filters,
    Search,
    Vector,
    folder_size,
    main,
)


class Txtai:
    """See `benchmarks.peers.measure.Peer`."""

    package = "txtai"

    def build(self, films: Sequence[Film], vectors: Vector, folder: Path, model: str) -> None:
        """Index films. The vectors are given, so that nothing is encoded."""
        known = {film["text"]: vector for film, vector in zip(films, vectors, strict=True)}
        embeddings = Embeddings(
            method="external",
            transform=lambda texts: np.array([known[text] for text in texts]),
            hybrid=True,
            content=True,
        )
        embeddings.index(
            (
                film["id"],
                {"text": film["text"], "year": film["year"], "genres": genre_list(film["genres"])},
            )
            for film in films
        )
        del embeddings.config["transform"]  # a function of this process
        embeddings.save(str(folder))

    def open(self, folder: Path, model: str | None) -> Search:
        """Return the search of the saved index."""
        corpus = Corpus.read(folder.parent)
        known = {
            query["text"]: vector
            for query, vector in zip(corpus.queries, corpus.query_vectors, strict=True)
        }
        own = {"method": None, "path": model}
        given = {"transform": lambda texts: np.array([known[text] for text in texts])}
        embeddings, turn = Embeddings(), Lock()
        embeddings.load(str(folder), config=own if model else given)

        def search(text: str, _: Vector, filters: Filters) -> list[int]:
            arguments = sql(text, filters) if filters else (text, LIMIT)
            with turn:
                found = embeddings.search(*arguments)
            return [int(film["id"]) for film in found]

        return search

    def version(self) -> str:
        """Return the version of the library."""
        return version(self.package)

    def bytes_on_disk(self, folder: Path) -> int:
        """Return the size of the saved index."""
        return folder_size(folder)

    def pid(self) -> str:
        """Return this process: txtai is a library."""
        return "self"


def genre_list(genres: Sequence[str]) -> str:
    """Return genres as a text in which each can be found whole."""
    return "".join(f"|{genre}" for genre in genres) + "|"


def sql(text: str, filters: Filters) -> tuple[str, int, None, None, dict[str, object]]:
    """Return the arguments of a search with filters."""
    parts = ["similar(:text)"]
    values: dict[str, object] = {"text": text}
    for name, comparison in (("year_from", ">="), ("year_to", "<=")):
        if name in filters:
            parts.append(f"year {comparison} :{name}")
            values[name] = filters[name]
    likes = []
    for number, genre in enumerate(filters.get("genres", ())):
        likes.append(f"genres LIKE :genre{number}")
        values[f"genre{number}"] = f"%|{genre}|%"
    if likes:
        kind = " AND " if filters.get("genre_match") == "all" else " OR "
        parts.append(f"({kind.join(likes)})")
    statement = f"SELECT id, score FROM txtai WHERE {' AND '.join(parts)}"  # noqa: S608 (bound)
    return statement, LIMIT, None, None, values


if __name__ == "__main__":
    main(Txtai())
