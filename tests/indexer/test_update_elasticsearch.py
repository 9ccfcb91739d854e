"""Changes on a real Elasticsearch: one index over many generations, mended after any accident."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from elasticsearch import Elasticsearch

from hybrid import generation as files
from hybrid.engines.catalogue import Catalogue
from hybrid.engines.elasticsearch import ElasticsearchEngine, connect
from hybrid.engines.elasticsearch_writer import ElasticsearchWriter
from hybrid.errors import BuildFailed
from hybrid.generation import LexicalName, open_current
from hybrid.movie import Movie
from hybrid.preferences import Preferences
from hybrid.query import SearchQuery
from hybrid.search import HybridSearch
from hybrid.wiring import open_semantic
from indexer.build import build
from indexer.making import Tools
from indexer.repair import repair
from indexer.update import change, delete, rollback, upsert
from indexer.verify import verify
from tests import corpus
from tests.command import PREFIX
from tests.fakes import HashingEncoder
from tests.stores import films_file

FILMS = corpus.films(60)
NEW = Movie(id=5000, title="The Lighthouse Machine", description="It dreams. Of the sea.")
RENAMED = FILMS[0].model_copy(update={"title": "Renamed"})


class Deployment:
    """A data folder and its indices, by a prefix of its own."""

    def __init__(self, client: Elasticsearch, data: Path) -> None:
        self.client = client
        self.data = data
        self.prefix = f"{PREFIX}-{uuid4().hex[:8]}"

    def writer(self, _: LexicalName, folder: Path, deployment: str) -> ElasticsearchWriter:
        """Return a writer as the command line makes it."""
        name = folder.name.removesuffix(files.UNFINISHED)
        return ElasticsearchWriter(self.client, self.prefix, name, deployment, 1)

    @property
    def tools(self) -> Tools:
        """What changes its generations."""
        return Tools(
            self.writer,
            lambda _: HashingEncoder(),
            lambda generation: ElasticsearchEngine(self.client, generation.manifest.lexical.index),
        )

    def build(self) -> None:
        """Publish a new index of all films."""
        source = films_file(self.data.with_name("source"), FILMS)
        build(
            source,
            self.data,
            "hashing",
            HashingEncoder(),
            lambda folder, deployment: self.writer("elasticsearch", folder, deployment),
            source.with_name("mapping.toml"),
            quiet=True,
        )

    @property
    def index(self) -> str:
        """The index of the published generation."""
        return open_current(self.data).manifest.lexical.index

    def agrees(self) -> bool:
        """Whether the index holds what the catalogue holds."""
        with_contents = ElasticsearchEngine(self.client, self.index).contents()
        catalogue = Catalogue(open_current(self.data).file(files.CATALOGUE))
        wanted = catalogue.content_numbers()
        catalogue.close()
        return with_contents == wanted

    def search(self) -> HybridSearch:
        """Open the published generation."""
        generation = open_current(self.data)
        catalogue = Catalogue(generation.file(files.CATALOGUE))
        return HybridSearch(
            generation.manifest.name,
            catalogue,
            ElasticsearchEngine(self.client, self.index),
            open_semantic(generation, catalogue),
            HashingEncoder(),
            30,
            Preferences(),
        )


@pytest.fixture
def deployment(elasticsearch_url: str, tmp_path: Path) -> Iterator[Deployment]:
    """Give a deployment with a published index."""
    with connect(elasticsearch_url, None, 10) as client:
        made = Deployment(client, tmp_path / "data")
        made.build()
        yield made
        client.indices.delete(index=list(client.indices.get(index=f"{made.prefix}*")))


def test_changes_go_into_the_same_index(deployment: Deployment) -> None:
    """Films come, change and go in one index over several generations, and the alias stays."""
    index = deployment.index
    change(deployment.data, upsert([NEW, RENAMED]), deployment.tools)
    change(deployment.data, delete([FILMS[1].id]), deployment.tools)
    assert deployment.index == index
    assert deployment.agrees()
    assert list(deployment.client.indices.get_alias(name=deployment.prefix)) == [index]
    numbers = deployment.client.get(index=index, id=str(NEW.id))["_source"]
    assert numbers["generation"] == 2
    search = deployment.search()
    assert search.search(SearchQuery(text="lighthouse machine")).hits[0].id == NEW.id
    search.close()


class Killed(BaseException):
    """Stands for the death of a process: nothing is cleaned up after it."""


def test_what_a_killed_writer_wrote_is_unseen_and_mended(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Films written before a crash are in the index, but no reader shows them; the next change
    takes them out and writes the old ones again."""
    with monkeypatch.context() as dying:
        dying.setattr(ElasticsearchWriter, "discard", lambda _: None)
        dying.setattr("indexer.making.change_semantic", killed)
        with pytest.raises(Killed):
            change(deployment.data, upsert([NEW, RENAMED]), deployment.tools)
    assert not deployment.agrees()
    search = deployment.search()
    found = search.search(SearchQuery(text="lighthouse machine renamed", limit=100, mode="keyword"))
    assert NEW.id not in [hit.id for hit in found.hits]
    shown = {hit.id: hit.movie for hit in found.hits}
    assert shown.get(FILMS[0].id, FILMS[0]) == FILMS[0]
    search.close()
    change(deployment.data, delete([FILMS[1].id]), deployment.tools)
    assert deployment.agrees()


def killed(*_: object) -> None:
    """Die."""
    raise Killed


def test_films_deleted_too_late_or_too_early_are_mended(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash after the publication leaves a film that is gone; a rollback misses one that was
    deleted: both are put right by the next command, even by one that changes nothing."""
    with monkeypatch.context() as dying:
        dying.setattr(ElasticsearchWriter, "published", killed)
        with pytest.raises(Killed):
            change(deployment.data, delete([FILMS[1].id]), deployment.tools)
    assert not deployment.agrees()
    change(deployment.data, upsert([FILMS[2]]), deployment.tools)
    assert deployment.agrees()
    change(deployment.data, upsert([RENAMED]), deployment.tools)
    change(deployment.data, delete([FILMS[3].id]), deployment.tools)
    assert rollback(deployment.data, deployment.tools)[2] == []
    assert deployment.agrees()


def test_rollback_to_another_index(deployment: Deployment) -> None:
    """A build makes an index of its own; going back finds the one before, and the alias follows."""
    first = deployment.index
    deployment.build()
    second = deployment.index
    assert first != second
    rollback(deployment.data, deployment.tools)
    assert deployment.index == first
    assert deployment.agrees()
    held = list(deployment.client.indices.get(index=f"{deployment.prefix}-*"))
    assert held == [first]
    assert list(deployment.client.indices.get_alias(name=deployment.prefix)) == [first]


def test_another_index_of_the_same_name_is_refused(deployment: Deployment) -> None:
    """An index that was deleted, or made anew by somebody, is named and not written to."""
    name = deployment.index
    deployment.client.indices.delete(index=name)
    with pytest.raises(BuildFailed, match=name):
        change(deployment.data, upsert([NEW]), deployment.tools)
    writer = deployment.writer(
        "elasticsearch", Path(name.removeprefix(f"{deployment.prefix}-")), "another"
    )
    writer.create()
    with pytest.raises(BuildFailed, match=name):
        change(deployment.data, upsert([NEW]), deployment.tools)
    assert deployment.client.count(index=name)["count"] == 0


def test_an_index_deleted_behind_our_back_is_written_again(deployment: Deployment) -> None:
    """Verify names it, and repair writes a new one from the catalogue."""
    change(deployment.data, upsert([NEW]), deployment.tools)
    deployment.client.indices.delete(index=deployment.index)
    (wrong,) = [c for c in verify(deployment.data, deployment.tools).checks if c.findings]
    assert wrong.name == "keyword"
    assert deployment.index in wrong.findings[0]
    repair(deployment.data, deployment.tools, embed_again=False)
    assert deployment.agrees()
    assert verify(deployment.data, deployment.tools, full=True).clean


def test_only_our_indices_are_touched(deployment: Deployment) -> None:
    """Whatever another deployment has under our prefix stays; our own orphans go."""
    (deployment.data / "DEPLOYMENT").read_text()
    other = ElasticsearchWriter(deployment.client, deployment.prefix, "9-other", "other", 1)
    orphan = deployment.writer(
        "elasticsearch", Path("8-orphan"), (deployment.data / "DEPLOYMENT").read_text().strip()
    )
    for writer in (other, orphan):
        writer.create()
    change(deployment.data, upsert([NEW]), deployment.tools)
    held = set(deployment.client.indices.get(index=f"{deployment.prefix}-*"))
    assert held == {deployment.index, other.name}


def test_a_refused_film_stops_the_change(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A film that Elasticsearch does not take is named, and nothing is published."""
    before = open_current(deployment.data).manifest.name
    wrong = NEW.model_copy(update={"votes": 2**40})
    with pytest.raises(BuildFailed, match="film 5000"):
        change(deployment.data, upsert([wrong]), deployment.tools)
    assert open_current(deployment.data).manifest.name == before
    assert deployment.agrees()
