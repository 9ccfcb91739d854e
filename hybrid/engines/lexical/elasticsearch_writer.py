"""Writing an Elasticsearch index: a new one for a build, the same one for a change.

A change is written before its generation is published, so readers of the one before may see it:
they drop films that their catalogue does not have. Every film carries the number of the generation
that wrote it. After a crash or a rollback some carry a number above the published one: the next
writer writes those again, from the catalogue. Films are deleted only after publication, so that no
reader misses one.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from typing import Any

from elasticsearch import ConnectionTimeout, Elasticsearch
from elasticsearch.helpers import streaming_bulk

from hybrid.engines.lexical.elasticsearch import (
    ANALYSIS,
    INDEX_ANALYSIS,
    SIMILARITY,
    ElasticsearchEngine,
    answering,
    document,
    mapping,
)
from hybrid.engines.lexical.writer_protocol import Previous
from hybrid.errors import BuildFailed
from hybrid.movie import Movie
from hybrid.storage.generation import Generation, number_of
from hybrid.storage.manifest import Lexical

WRITE_TIMEOUT = 120.0
"""Seconds for a bulk request, a refresh or the creation of an index."""

CHUNK = 1000
"""Films in one bulk request."""

Action = dict[str, Any]


class ElasticsearchWriter:
    """Writes one generation's films, and touches no index of another deployment."""

    def __init__(
        self, client: Elasticsearch, prefix: str, generation: str, deployment: str, shards: int
    ) -> None:
        self._client = client.options(request_timeout=WRITE_TIMEOUT)
        self._prefix = prefix
        self._generation = generation
        self._deployment = deployment
        self._shards = shards
        self._previous: Previous | None = None
        self._gone: Collection[int] = ()
        self.name = f"{prefix}-{generation}"

    def prepare(self, previous: Previous | None) -> None:
        """Create the empty index, or make that of `previous` hold what its catalogue holds.

        A writer that was killed, or the generation that a rollback left, may have written films
        and deleted others. Raises EngineUnavailable, and BuildFailed like `check_index`.
        """
        if previous is None:
            self._create_index()
            return
        self.check_index(previous.generation)
        self.name = previous.generation.manifest.lexical.index
        self._previous = previous
        self._restore(previous)

    def write(self, movies: Iterable[Movie], gone: Collection[int], total: int) -> Lexical:
        """Add or replace `movies` and make them searchable; `gone` are deleted by `tidy`.

        Raises EngineUnavailable, or BuildFailed with the first of the films that were refused, or
        if there are not `total` films beside those `gone`.
        """
        with answering():
            self._bulk(self._index_actions(movies, number_of(self._generation)))
            if self._previous is None:
                self._client.indices.put_settings(
                    index=self.name, settings={"refresh_interval": None}
                )
                self._merge()
        self._gone = gone
        self._refresh_and_count(total + len(gone))
        return Lexical(
            engine="elasticsearch",
            index=self.name,
            analysis=INDEX_ANALYSIS,
            uuid=self._uuid(self.name),
        )

    def check_index(self, generation: Generation) -> None:
        """Raise BuildFailed if the index of `generation` was deleted or replaced."""
        lexical = generation.manifest.lexical
        if lexical.index not in self._own_indices() or self._uuid(lexical.index) != lexical.uuid:
            raise BuildFailed(
                f"the Elasticsearch index {lexical.index} was removed or replaced by another: "
                "`python -m indexer verify --repair` writes it again"
            )

    def discard(self) -> None:
        """Delete the index, or undo what was written into that of the generation before."""
        if self._previous:
            self._restore(self._previous)
        else:
            with answering():
                self._client.indices.delete(index=self.name, ignore_unavailable=True)

    def tidy(self, kept: Collection[str]) -> list[str]:
        """Delete the films that are gone and this deployment's outdated indices; set the alias.

        `kept` names the indices that stay. Returns warnings; what belongs to another deployment is
        left alone.
        """
        with answering():
            if self._gone:
                self._bulk(self._delete_actions(self._gone))
                self._client.indices.refresh(index=self.name)
            own = self._own_indices()
            for index in own - set(kept):
                self._client.indices.delete(index=index, ignore_unavailable=True)
            holders = set(self._alias_holders())
            if holders - own:
                return [
                    f"the alias {self._prefix} belongs to another deployment and was left alone; "
                    "set HYBRID_ELASTICSEARCH_PREFIX to a name of your own"
                ]
            if self._client.indices.exists(index=self._prefix) and not holders:
                return [f"{self._prefix} is an index, so no alias of that name was made"]
            if holders != {self.name}:
                self._set_alias(holders)
        return []

    def _create_index(self) -> None:
        with answering():
            self._client.indices.create(
                index=self.name,
                settings={
                    "number_of_shards": self._shards,
                    "auto_expand_replicas": "0-1",
                    "refresh_interval": -1,
                    "analysis": ANALYSIS,
                    "similarity": SIMILARITY,
                },
                mappings=mapping(self._deployment, self._generation),
            )

    def _merge(self) -> None:
        """Make one segment of each shard: searches of several take longer.

        If a large index takes too long, Elasticsearch goes on, and nobody needs to wait.
        """
        with suppress(ConnectionTimeout):
            self._client.indices.forcemerge(index=self.name, max_num_segments=1)

    def _restore(self, previous: Previous) -> None:
        """Write again what differs from the catalogue of the generation before."""
        number, catalogue = number_of(previous.generation.manifest.name), previous.catalogue
        with answering():
            self._client.indices.refresh(index=self.name)
        engine = ElasticsearchEngine(self._client, self.name)
        newer = engine.contents(newer_than=number)
        if not newer and engine.count() == len(catalogue):
            return
        indexed, expected = engine.contents(), catalogue.content_numbers()
        wrong = {film for film, content in expected.items() if indexed.get(film) != content}
        again = sorted(wrong | (newer.keys() & expected.keys()))
        with answering():
            self._bulk(self._delete_actions(indexed.keys() - expected.keys()))
            self._bulk(self._index_actions(catalogue.some_films(again), number))
        self._refresh_and_count(len(catalogue))

    def _index_actions(self, movies: Iterable[Movie], number: int) -> Iterator[Action]:
        for movie in movies:
            yield {"_op_type": "index", "_id": str(movie.id)} | document(movie, number)

    def _delete_actions(self, ids: Iterable[int]) -> Iterator[Action]:
        for film in ids:
            yield {"_op_type": "delete", "_id": str(film)}

    def _bulk(self, actions: Iterable[Action]) -> None:
        refused: list[str] = []
        for ok, item in streaming_bulk(
            self._client,
            actions,
            index=self.name,
            chunk_size=CHUNK,
            raise_on_error=False,
            max_retries=5,
        ):
            ((kind, result),) = item.items()
            if not ok and not (kind == "delete" and result["status"] == 404):
                refused.append(f"film {result['_id']}: {result['error']}")
        if refused:
            raise BuildFailed(
                f"Elasticsearch refused {len(refused)} films, the first: " + "; ".join(refused[:3])
            )

    def _refresh_and_count(self, expected: int) -> None:
        """Make all that was written searchable; raise BuildFailed if the count is another."""
        with answering():
            self._client.indices.refresh(index=self.name)
            count = int(self._client.count(index=self.name)["count"])
        if count != expected:
            raise BuildFailed(f"{expected} films should be in {self.name}, {count} are there")

    def _uuid(self, index: str) -> str:
        with answering():
            settings = self._client.indices.get_settings(index=index)
            uuid: str = settings[index]["settings"]["index"]["uuid"]
            return uuid

    def _set_alias(self, holders: Iterable[str]) -> None:
        actions: list[Action] = [
            {"remove": {"index": index, "alias": self._prefix}} for index in sorted(holders)
        ]
        actions.append({"add": {"index": self.name, "alias": self._prefix}})
        self._client.indices.update_aliases(actions=actions)

    def _alias_holders(self) -> Iterable[str]:
        if not self._client.indices.exists_alias(name=self._prefix):
            return ()
        return self._client.indices.get_alias(name=self._prefix)

    def _own_indices(self) -> set[str]:
        with answering():
            indices = self._client.indices.get_mapping(index=f"{self._prefix}-*")
            return {
                index
                for index, entry in indices.items()
                if entry["mappings"].get("_meta", {}).get("deployment") == self._deployment
            }
