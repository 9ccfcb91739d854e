"""LanceDB: a table with a full-text index and vectors, hybrid search with its reranker (RRF).

As in https://docs.lancedb.com/search/hybrid-search: an embedding function of the registry makes the
vector of a text, the defaults of all else. There is no vector index: below some hundred thousand
vectors its documentation advises none.
"""

import os
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

# Without it, each search warns of columns that it will not return in a later version.
os.environ.setdefault("LANCEDB_LOG", "error")

import lancedb
from lancedb.embeddings import get_registry
from lancedb.index import FTS
from lancedb.pydantic import LanceModel
from lancedb.pydantic import Vector as VectorOf

from benchmarks.peers.measure import LIMIT, Film, Filters, Search, Vector, folder_size, main

TABLE = "films"

ROWS = 5_000
"""Films added at once."""


class LanceDB:
    """See `benchmarks.peers.measure.Peer`."""

    package = "lancedb"

    def build(self, films: Sequence[Film], vectors: Vector, folder: Path, model: str) -> None:
        """Index films. The vectors are given with them, so that nothing is encoded."""
        encoder = get_registry().get("sentence-transformers").create(name=model, device="cpu")

        class Document(LanceModel):  # type: ignore[misc]
            """A film."""

            id: int
            text: str = encoder.SourceField()
            vector: VectorOf(vectors.shape[1]) = encoder.VectorField()  # type: ignore[valid-type]
            year: int | None
            genres: list[str]

        def rows() -> Iterator[list[Film]]:
            for start in range(0, len(films), ROWS):
                some = films[start : start + ROWS]
                yield [
                    {name: film[name] for name in ("id", "text", "year", "genres")}
                    | {"vector": vector}
                    for film, vector in zip(some, vectors[start : start + ROWS], strict=True)
                ]

        table = lancedb.connect(folder).create_table(TABLE, schema=Document, mode="overwrite")
        for some in rows():
            table.add(some)
        table.create_index("text", config=FTS())
        table.optimize()

    def open(self, folder: Path, model: str | None) -> Search:
        """Return the search; the table knows the model that it was built with."""
        table = lancedb.connect(folder).open_table(TABLE)

        def search(text: str, vector: Vector, filters: Filters) -> list[int]:
            if model:
                query = table.search(text, query_type="hybrid")
            else:
                query = table.search(query_type="hybrid").vector(vector).text(text)
            if filters:
                query = query.where(where(filters), prefilter=True)
            return [row["id"] for row in query.select(["id"]).limit(LIMIT).to_list()]

        return search

    def version(self) -> str:
        """Return the version of the library."""
        return version(self.package)

    def bytes_on_disk(self, folder: Path) -> int:
        """Return the size of the table."""
        return folder_size(folder)

    def pid(self) -> str:
        """Return this process: LanceDB is a library."""
        return "self"


def where(filters: Filters) -> str:
    """Return the filters as SQL."""
    parts = []
    if "year_from" in filters:
        parts.append(f"year >= {filters['year_from']}")
    if "year_to" in filters:
        parts.append(f"year <= {filters['year_to']}")
    if filters.get("genres"):
        names = ", ".join("'" + name.replace("'", "''") + "'" for name in filters["genres"])
        kind = "all" if filters.get("genre_match") == "all" else "any"
        parts.append(f"array_has_{kind}(genres, [{names}])")
    return " AND ".join(parts)


if __name__ == "__main__":
    main(LanceDB())
