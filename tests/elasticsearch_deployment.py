"""A data folder whose keyword side is in a real Elasticsearch."""

from collections.abc import Iterable
from pathlib import Path
from typing import Self
from uuid import uuid4

from elasticsearch import Elasticsearch

from hybrid.engines.factory import open_semantic
from hybrid.engines.lexical.elasticsearch import ElasticsearchEngine, connect
from hybrid.engines.lexical.elasticsearch_writer import ElasticsearchWriter
from hybrid.engines.protocols import Engines
from hybrid.fusion.preferences import Preferences
from hybrid.movie import Movie
from hybrid.search import HybridSearch
from hybrid.storage import generation as files
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.generation import Generation, open_current
from hybrid.storage.manifest import LexicalName
from indexer.backends import Backends
from indexer.build import BuildOptions, build
from tests.command import PREFIX
from tests.fakes import HashingEncoder
from tests.stores import films_file

BUILT_IN = Preferences()


class Deployment:
    """A data folder and its indices, by a prefix of its own."""

    def __init__(self, client: Elasticsearch, data: Path, prefix: str) -> None:
        self.client = client
        self.data = data
        self.prefix = prefix

    @classmethod
    def at(cls, url: str, data: Path) -> Self:
        """Return that of a data folder, in any process: its prefix is in a file beside it."""
        file = data.with_name(f"{data.name}-prefix")
        if not file.exists():
            file.write_text(f"{PREFIX}-{uuid4().hex[:8]}")
        return cls(connect(url, None, 10), data, file.read_text())

    def close(self) -> None:
        """Delete its indices."""
        self.client.indices.delete(index=list(self.client.indices.get(index=f"{self.prefix}*")))
        self.client.close()

    def writer(self, _: LexicalName, folder: Path, deployment: str) -> ElasticsearchWriter:
        """Return a writer as the command line makes it."""
        name = folder.name.removesuffix(files.UNFINISHED)
        return ElasticsearchWriter(self.client, self.prefix, name, deployment, 1)

    @property
    def tools(self) -> Backends:
        """What changes its generations."""
        return Backends(
            self.writer,
            lambda _: HashingEncoder(),
            lambda generation: ElasticsearchEngine(self.client, generation.manifest.lexical.index),
        )

    def build(self, movies: Iterable[Movie]) -> None:
        """Publish a new index of these films, whatever was changed by hand."""
        source = films_file(self.data.with_name(f"{self.data.name}-source"), movies)
        build(
            source,
            self.data,
            "hashing",
            HashingEncoder(),
            lambda folder, deployment: self.writer("elasticsearch", folder, deployment),
            BuildOptions(source.with_name("mapping.toml"), discard_changes=True, quiet=True),
        )

    @property
    def index(self) -> str:
        """The index of the published generation."""
        return open_current(self.data).manifest.lexical.index

    def agrees(self) -> bool:
        """Whether the index holds what the catalogue holds."""
        with_contents = ElasticsearchEngine(self.client, self.index).contents()
        catalogue = Catalogue(open_current(self.data).folder)
        wanted = catalogue.content_numbers()
        catalogue.close()
        return with_contents == wanted

    def search(self) -> HybridSearch:
        """Open the published generation."""
        return self.open(open_current(self.data))

    def open(self, generation: Generation, preferences: Preferences = BUILT_IN) -> HybridSearch:
        """Open a generation as the service does."""
        catalogue = Catalogue(generation.folder)
        return HybridSearch(
            generation.manifest.name,
            catalogue,
            Engines(
                ElasticsearchEngine(self.client, generation.manifest.lexical.index),
                open_semantic(generation, catalogue),
                HashingEncoder(),
            ),
            30,
            preferences,
            seconds=60,
        )
