"""Elasticsearch: kNN and `match`, sent in one request and fused by RRF in the client.

The fields, `k`, `num_candidates`, rank window and rank constant are those of the example of
https://www.elastic.co/guide/en/elasticsearch/reference/8.18/rrf.html, whose retriever needs a paid
licence: the client computes the same formula. The URL is that of the variable ELASTICSEARCH_URL.
"""

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk

from benchmarks.peers.measure import LIMIT, Film, Filters, Search, Vector, main

INDEX = "benchmark-peers"

WINDOW, RANK_CONSTANT, NUM_CANDIDATES = 50, 20, 100

TIMEOUT = 120.0


class ElasticsearchRRF:
    """See `benchmarks.peers.measure.Peer`."""

    package = "elasticsearch"

    def __init__(self) -> None:
        self._client = Elasticsearch(os.environ["ELASTICSEARCH_URL"], request_timeout=TIMEOUT)

    def build(self, films: Sequence[Film], vectors: Vector, folder: Path, model: str) -> None:
        """Index films with their vectors."""
        self._client.indices.delete(index=INDEX, ignore_unavailable=True)
        fields = {
            "text": {"type": "text"},
            "vector": {"type": "dense_vector", "dims": vectors.shape[1]},
            "year": {"type": "integer"},
            "genres": {"type": "keyword"},
        }
        self._client.indices.create(
            index=INDEX, settings={"number_of_replicas": 0}, mappings={"properties": fields}
        )

        def actions() -> Iterator[dict[str, Any]]:
            for film, vector in zip(films, vectors, strict=True):
                document = {name: film[name] for name in ("text", "year", "genres")}
                yield {"_id": str(film["id"]), **document, "vector": vector.tolist()}

        bulk(self._client, actions(), index=INDEX)
        self._client.indices.refresh(index=INDEX)

    def open(self, folder: Path, model: str | None) -> Search:
        """Return the search; the encoding is sentence-transformers'."""
        transformer = None
        if model:
            from sentence_transformers import SentenceTransformer

            transformer = SentenceTransformer(model, device="cpu")

        def search(text: str, vector: Vector, filters: Filters) -> list[int]:
            if transformer:
                vector = transformer.encode(text, normalize_embeddings=True)
            return self._search(text, vector, as_queries(filters))

        return search

    def _search(self, text: str, vector: Vector, filters: list[dict[str, Any]]) -> list[int]:
        match = {"bool": {"must": {"match": {"text": text}}, "filter": filters}}
        knn = {
            "field": "vector",
            "query_vector": vector.tolist(),
            "k": WINDOW,
            "num_candidates": NUM_CANDIDATES,
            "filter": filters,
        }
        lists = self._client.msearch(
            index=INDEX,
            searches=[
                {},
                {"query": match, "size": WINDOW, "_source": False},
                {},
                {"knn": knn, "size": WINDOW, "_source": False},
            ],
        )["responses"]
        scores: dict[int, float] = defaultdict(float)
        for found in lists:
            for rank, hit in enumerate(found["hits"]["hits"], start=1):
                scores[int(hit["_id"])] += 1 / (RANK_CONSTANT + rank)
        return sorted(scores, key=lambda film: -scores[film])[:LIMIT]

    def version(self) -> str:
        """Return the version of the node."""
        return str(self._node()["version"])

    def bytes_on_disk(self, folder: Path) -> int:
        """Return the size of the index."""
        self._client.indices.flush(index=INDEX)
        stats = self._client.indices.stats(index=INDEX, metric="store")
        return int(stats["_all"]["total"]["store"]["size_in_bytes"])

    def pid(self) -> int:
        """Return the process of the node."""
        return int(self._node()["process"]["id"])

    def _node(self) -> dict[str, Any]:
        (node,) = self._client.nodes.info(metric="process")["nodes"].values()
        found: dict[str, Any] = node
        return found


def as_queries(filters: Filters) -> list[dict[str, Any]]:
    """Return the filters as queries."""
    queries: list[dict[str, Any]] = []
    years = {"gte": filters.get("year_from"), "lte": filters.get("year_to")}
    if bounds := {name: year for name, year in years.items() if year is not None}:
        queries.append({"range": {"year": bounds}})
    if genres := filters.get("genres"):
        if filters.get("genre_match") == "all":
            queries += ({"term": {"genres": genre}} for genre in genres)
        else:
            queries.append({"terms": {"genres": genres}})
    return queries


if __name__ == "__main__":
    main(ElasticsearchRRF())
