"""Writing an Elasticsearch index: a new one for a build, the same one for a change.

A change is written before the generation is published, so readers of the one before may see it:
they drop a film that their catalogue does not know. Every film carries the number of the
generation that wrote it. After a crash or a rollback some carry a number above the published one:
the next writer writes those again, from the catalogue. Films are deleted only after the
publication, so that nobody misses one.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from elasticsearch import Elasticsearch
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
from hybrid.errors import BuildFailed
from hybrid.movie import Movie
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.generation import Generation, number_of
from hybrid.storage.manifest import Lexical

WRITE_TIMEOUT = 120.0
"""Seconds for a bulk request, a refresh or the creation of an index."""

CHUNK = 1000
"""Films in one bulk request."""

Action = dict[str, Any]


class ElasticsearchWriter:
    """Writes one generation's films, and touches no index that is not this deployment's."""

    def __init__(
        self, client: Elasticsearch, prefix: str, generation: str, deployment: str, shards: int
    ) -> None:
        self._client = client.options(request_timeout=WRITE_TIMEOUT)
        self._prefix = prefix
        self._generation = generation
        self._deployment = deployment
        self._shards = shards
        self._base: tuple[int, Catalogue] | None = None
        self._gone: Collection[int] = ()
        self.name = f"{prefix}-{generation}"

    def manifest(self) -> Lexical:
        """Return what the manifest records."""
        return Lexical(
            engine="elasticsearch",
            index=self.name,
            analysis=INDEX_ANALYSIS,
            uuid=self._uuid(self.name),
        )

    def create(self) -> None:
        """Make the empty index. Raises EngineUnavailable."""
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

    def write(self, movies: Collection[Movie]) -> None:
        """Write every film and make all searchable.

        Raises EngineUnavailable, or BuildFailed with the first of the films that were refused.
        """
        with answering():
            self._bulk(self._writing(movies, number_of(self._generation)))
            self._client.indices.put_settings(index=self.name, settings={"refresh_interval": None})
        self._expect(len(movies))

    def mend(self, base: Generation, catalogue: Catalogue) -> None:
        """Make the index of `base` hold what `catalogue` holds and nothing more.

        A writer that was killed, or the generation that a rollback left, may have written films
        and deleted others. Raises like `check_base`.
        """
        self.check_base(base)
        self.name = base.manifest.lexical.index
        self._base = number_of(base.manifest.name), catalogue
        self._undo()

    def take_over(self, base: Generation) -> None:
        """Write into the index of `base`, which `mend` found to hold what it should."""

    def check_base(self, base: Generation) -> None:
        """Return if the index of `base` is the one that was written, and ours.

        Raises BuildFailed where it is not.
        """
        lexical = base.manifest.lexical
        if lexical.index not in self._owned() or self._uuid(lexical.index) != lexical.uuid:
            raise BuildFailed(
                f"the Elasticsearch index {lexical.index} was removed or replaced by another: "
                "`python -m indexer verify --repair` writes it again"
            )

    def change(self, movies: Collection[Movie], gone: Collection[int], films: int) -> None:
        """Replace or add `movies` and make them searchable; `gone` are deleted once published.

        Raises EngineUnavailable, or BuildFailed if there are not as many `films`, and those gone.
        """
        with answering():
            self._bulk(self._writing(movies, number_of(self._generation)))
        self._gone = gone
        self._expect(films + len(gone))

    def discard(self) -> None:
        """Remove the index, or undo what was written into that of the generation before."""
        if self._base:
            self._undo()
        else:
            with answering():
                self._client.indices.delete(index=self.name, ignore_unavailable=True)

    def tidy(self, kept: Collection[str]) -> list[str]:
        """Delete the films that are gone and this deployment's outdated indices; set the alias.

        `kept` names the indices that stay. Returns warnings: what belongs to another deployment is
        left alone.
        """
        with answering():
            if self._gone:
                self._bulk(self._deleting(self._gone))
                self._client.indices.refresh(index=self.name)
            mine = self._owned()
            for index in mine - set(kept):
                self._client.indices.delete(index=index, ignore_unavailable=True)
            holders = set(self._alias_holders())
            if holders - mine:
                return [
                    f"the alias {self._prefix} belongs to another deployment and was left alone; "
                    "set HYBRID_ELASTICSEARCH_PREFIX to a name of your own"
                ]
            if self._client.indices.exists(index=self._prefix) and not holders:
                return [f"{self._prefix} is an index, so no alias of that name was made"]
            if holders != {self.name}:
                self._set_alias(holders)
        return []

    def _undo(self) -> None:
        """Write again what differs from the catalogue of the generation before."""
        assert self._base is not None
        number, catalogue = self._base
        with answering():
            self._client.indices.refresh(index=self.name)
        engine = ElasticsearchEngine(self._client, self.name)
        newer = engine.contents(newer_than=number)
        if not newer and engine.count() == len(catalogue):
            return
        there, wanted = engine.contents(), catalogue.content_numbers()
        wrong = {film for film, content in wanted.items() if there.get(film) != content}
        again = sorted(wrong | (newer.keys() & wanted.keys()))
        with answering():
            self._bulk(self._deleting(there.keys() - wanted.keys()))
            self._bulk(self._writing(catalogue.some_films(again), number))
        self._expect(len(catalogue))

    def _writing(self, movies: Iterable[Movie], number: int) -> Iterator[Action]:
        for movie in movies:
            yield {"_op_type": "index", "_id": str(movie.id)} | document(movie, number)

    def _deleting(self, ids: Iterable[int]) -> Iterator[Action]:
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

    def _expect(self, films: int) -> None:
        """Make all that was written searchable, and count it."""
        with answering():
            self._client.indices.refresh(index=self.name)
            found = int(self._client.count(index=self.name)["count"])
        if found != films:
            raise BuildFailed(f"{films} films should be in {self.name}, {found} are there")

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

    def _owned(self) -> set[str]:
        with answering():
            indices = self._client.indices.get_mapping(index=f"{self._prefix}-*")
            return {
                index
                for index, found in indices.items()
                if found["mappings"].get("_meta", {}).get("deployment") == self._deployment
            }
