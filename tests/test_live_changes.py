"""Changes by the command line and over HTTP under a running service.

They leave traces in the statistics of the index that tests share (a deleted film counts in BM25
until segments merge), so this file stands behind those that read figures off it.
"""

import json

from tests.command import Index, run
from tests.eventually import eventually
from tests.test_docs import ROOT, changes_a_film, commands, curl
from tests.web.http import Service


def test_films_changed_by_hand_are_served(service: Service, index: Index) -> None:
    """A film that is added is served within seconds, and gone again once it is deleted; then the
    source of the index has nothing new."""
    film = {"id": 5, "title": "The Lighthouse Machine", "description": "A keeper builds it."}
    done = run("indexer", "upsert", typed=json.dumps(film), **index.variables)
    assert done.returncode == 0, done.stderr
    assert "added                1" in done.stdout
    eventually(lambda: service.get("/movies/5")[0] == 200)
    _, answer = service.get("/search", q="lighthouse machine")
    assert answer["hits"][0]["movie"]["title"] == film["title"]
    assert answer["degraded"] == []
    done = run("indexer", "delete", "5", **index.variables)
    assert "removed              1" in done.stdout
    eventually(lambda: service.get("/movies/5")[0] == 404)
    assert service.get("/health/ready")[1]["status"] == "ready"
    source = str(index.data.parent / "IMDb movies.csv")
    done = run("indexer", "update", source, "--quiet", **index.variables)
    assert done.returncode == 0, done.stderr
    assert "Nothing changed" in done.stdout
    assert "all 8 films" in done.stdout


def test_the_examples_of_changes(service: Service) -> None:
    """The film of docs/http.md is added and removed again."""
    put, delete = filter(changes_a_film, commands("curl", [ROOT / "docs" / "http.md"]))
    assert curl(put, service)["change"] == "added"
    assert curl(delete, service)["change"] == "removed"
