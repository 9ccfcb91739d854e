"""Changes on a real Elasticsearch: one index over many generations, repaired after any accident."""

import errno
import os
from pathlib import Path

import pytest

from hybrid.engines.lexical.elasticsearch_writer import ElasticsearchWriter
from hybrid.errors import BuildFailed, EngineUnavailable
from hybrid.movie import Movie
from hybrid.query import SearchQuery
from hybrid.storage.generation import open_current, published
from indexer.repair import repair
from indexer.update import change, delete, match_source, rollback, upsert
from indexer.verify import verify
from tests import corpus
from tests.elasticsearch_deployment import Deployment
from tests.stores import of_source

FILMS = corpus.films(60)
NEW = Movie(id=5000, title="The Lighthouse Machine", description="It dreams. Of the sea.")
RENAMED = FILMS[0].model_copy(update={"title": "Renamed"})


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
    assert search.search(SearchQuery(query="lighthouse machine")).hits[0].id == NEW.id
    search.close()


class Killed(BaseException):
    """Stands for the death of a process: nothing is cleaned up after it."""


def test_what_a_killed_writer_wrote_is_unseen_and_repaired(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Films written before a crash are in the index, but no reader shows them; the next change
    takes them out and writes the old ones again."""
    with monkeypatch.context() as dying:
        dying.setattr(ElasticsearchWriter, "discard", lambda _: None)
        dying.setattr("indexer.generations.draft.probe", killed)
        with pytest.raises(Killed):
            change(deployment.data, upsert([NEW, RENAMED]), deployment.tools)
    assert not deployment.agrees()
    search = deployment.search()
    found = search.search(
        SearchQuery(query="lighthouse machine renamed", limit=100, mode="keyword")
    )
    assert NEW.id not in [hit.id for hit in found.hits]
    shown = {hit.id: hit.movie for hit in found.hits}
    assert shown.get(FILMS[0].id, FILMS[0]) == FILMS[0]
    search.close()
    change(deployment.data, delete([FILMS[1].id]), deployment.tools)
    assert deployment.agrees()


def killed(*_: object) -> None:
    """Die."""
    raise Killed


def test_films_deleted_too_late_or_too_early_are_repaired(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash after the publication leaves a film that is gone; a rollback misses one that was
    deleted: both are put right by the next command, even by one that changes nothing."""
    with monkeypatch.context() as dying:
        dying.setattr(ElasticsearchWriter, "tidy", killed)
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
    deployment.build(FILMS)
    second = deployment.index
    assert first != second
    rollback(deployment.data, deployment.tools)
    assert deployment.index == first
    assert deployment.agrees()
    indices = list(deployment.client.indices.get(index=f"{deployment.prefix}-*"))
    assert indices == [first]
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
    writer.prepare(None)
    with pytest.raises(BuildFailed, match=name):
        change(deployment.data, upsert([NEW]), deployment.tools)
    assert deployment.client.count(index=name)["count"] == 0


def test_an_index_deleted_behind_our_back_is_written_again(deployment: Deployment) -> None:
    """Searches are answered by meaning and say so, verify names the index, and repair writes a new
    one from the catalogue."""
    change(deployment.data, upsert([NEW]), deployment.tools)
    search = deployment.search()
    deployment.client.indices.delete(index=deployment.index)
    assert search.search(SearchQuery(query="captain")).degraded == ("keyword",)
    with pytest.raises(EngineUnavailable, match=deployment.index):
        search.engines.lexical.check()
    search.close()
    (wrong,) = [c for c in verify(deployment.data, deployment.tools).checks if c.findings]
    assert wrong.name == "keyword"
    assert deployment.index in wrong.findings[0]
    repair(deployment.data, deployment.tools, embed_again=False)
    assert deployment.agrees()
    assert verify(deployment.data, deployment.tools, full=True).clean
    search = deployment.search()
    assert search.search(SearchQuery(query="captain")).degraded == ()
    search.close()


def test_what_a_failed_change_wrote_is_undone(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not only are its films unseen: the index is as it was before, with the words of the old ones
    and no new ones that take the places of others."""
    with monkeypatch.context() as failing:
        failing.setattr("indexer.generations.draft.probe", full)
        with pytest.raises(OSError, match="No space"):
            change(deployment.data, upsert([NEW, RENAMED]), deployment.tools)
    assert deployment.agrees()


def full(*_: object) -> None:
    """Fail like a full disk."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_what_cannot_be_deleted_is_deleted_later(deployment: Deployment) -> None:
    """Where Elasticsearch refuses to delete films, the change is published all the same and says
    so; the next one deletes them."""
    blocked = {"index.blocks.write": True}
    deployment.client.indices.put_settings(index=deployment.index, settings=blocked)
    done = change(deployment.data, delete([FILMS[0].id]), deployment.tools)
    assert done.published
    assert "refused" in done.warnings[0]
    assert FILMS[0].id not in {m.id for m in deployment.search().catalogue.all_films()}
    free = {"index.blocks.write": None}
    deployment.client.indices.put_settings(index=deployment.index, settings=free)
    change(deployment.data, upsert([NEW]), deployment.tools)
    assert deployment.agrees()


def test_an_index_put_in_the_place_of_ours_is_named(deployment: Deployment) -> None:
    """One of the same name and films, as a restored snapshot is, is not the one that was written:
    verify says so, a change refuses it, and repair writes a new one."""
    client, name = deployment.client, deployment.index
    client.indices.put_settings(index=name, settings={"index.blocks.write": True})
    client.indices.clone(index=name, target=f"{name}-copy")
    client.indices.delete(index=name)
    client.indices.clone(index=f"{name}-copy", target=name)
    client.indices.put_settings(index=name, settings={"index.blocks.write": None})
    client.indices.delete(index=f"{name}-copy")
    with pytest.raises(BuildFailed, match="verify --repair"):
        change(deployment.data, upsert([NEW]), deployment.tools)
    (wrong,) = [c for c in verify(deployment.data, deployment.tools).checks if c.findings]
    assert "removed or replaced" in wrong.findings[0]
    repair(deployment.data, deployment.tools, embed_again=False)
    change(deployment.data, upsert([NEW]), deployment.tools)
    assert deployment.agrees()


@pytest.mark.parametrize("name", ["999999", "abc"])
def test_what_others_write_into_our_index_is_named(deployment: Deployment, name: str) -> None:
    """A document that is not a film of ours is shown by no search; verify reports it, and
    repair writes an index without it."""
    foreign = {"id": 999999, "title": "Captain", "text": "captain"}
    deployment.client.index(index=deployment.index, id=name, document=foreign, refresh=True)
    search = deployment.search()
    found = search.search(SearchQuery(query="captain", limit=100)).hits
    assert {hit.id for hit in found} <= {movie.id for movie in FILMS}
    search.close()
    (wrong,) = [c for c in verify(deployment.data, deployment.tools).checks if c.findings]
    assert "1 films are there that the catalogue does not have" in wrong.findings[0]
    repair(deployment.data, deployment.tools, embed_again=False)
    change(deployment.data, upsert([NEW]), deployment.tools)
    assert deployment.agrees()


def test_no_way_back_to_an_index_that_is_gone(deployment: Deployment) -> None:
    """A rollback looks before it leaps."""
    first = deployment.index
    deployment.build(FILMS)
    deployment.client.indices.delete(index=first)
    before = published(deployment.data)
    with pytest.raises(BuildFailed, match="no way back"):
        rollback(deployment.data, deployment.tools)
    assert published(deployment.data) == before


def test_only_our_indices_are_touched(deployment: Deployment) -> None:
    """Whatever another deployment has under our prefix stays; our own orphans go."""
    other = ElasticsearchWriter(deployment.client, deployment.prefix, "9-other", "other", 1)
    orphan = deployment.writer(
        "elasticsearch", Path("8-orphan"), (deployment.data / "DEPLOYMENT").read_text().strip()
    )
    for writer in (other, orphan):
        writer.prepare(None)
    change(deployment.data, upsert([NEW]), deployment.tools)
    indices = set(deployment.client.indices.get(index=f"{deployment.prefix}-*"))
    assert indices == {deployment.index, other.name}


def test_a_refused_film_stops_the_change(deployment: Deployment) -> None:
    """A film that Elasticsearch does not take is named, and nothing is published."""
    before = open_current(deployment.data).manifest.name
    wrong = NEW.model_copy(update={"votes": 2**40})
    with pytest.raises(BuildFailed, match="film 5000"):
        change(deployment.data, upsert([wrong]), deployment.tools)
    assert open_current(deployment.data).manifest.name == before
    assert deployment.agrees()


def test_a_film_replaced_before_a_crash_is_put_back(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though as many films are in the index as should be, the one that was written too early is
    written again as the catalogue has it."""
    with monkeypatch.context() as dying:
        dying.setattr(ElasticsearchWriter, "discard", lambda _: None)
        dying.setattr("indexer.generations.draft.probe", killed)
        with pytest.raises(Killed):
            change(deployment.data, upsert([RENAMED]), deployment.tools)
    assert not deployment.agrees()
    change(deployment.data, upsert(()), deployment.tools)
    assert deployment.agrees()


def test_changes_by_hand_are_kept(deployment: Deployment) -> None:
    """The index holds what the catalogue does after an update that keeps them, and after one that
    changes no film but only what is remembered of the source."""
    change(deployment.data, upsert([NEW, RENAMED]), deployment.tools)
    keep = match_source(of_source(FILMS[:40]), False, False, "keep")
    done = change(deployment.data, keep, deployment.tools)
    assert (done.removed, done.kept) == (20, 2)
    assert deployment.agrees()
    follow = match_source(of_source([RENAMED, *FILMS[1:40], NEW]), False, False, "keep")
    done = change(deployment.data, follow, deployment.tools)
    assert (done.published, done.unchanged) == (True, 41)
    assert done.manifest.counts.hand_changes == 0
    assert deployment.agrees()
