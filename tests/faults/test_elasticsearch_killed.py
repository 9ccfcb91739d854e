"""Elasticsearch killed and started again with the same data: named, degraded, whole again."""

import os
import signal
from pathlib import Path

import pytest

from hybrid.errors import EngineUnavailable
from hybrid.query import SearchQuery
from hybrid.storage.generation import published
from indexer.update import change, upsert
from indexer.verify import verify
from tests.elasticsearch_deployment import Deployment
from tests.elasticsearch_node import node
from tests.faults.work import FILMS, NEW, RENAMED


def test_killed_and_started_again(tmp_path: Path) -> None:
    """While it is away searches are answered by meaning, `verify` says who is missing and a change
    leaves everything as it was; back again, what was acknowledged is there."""
    missing = node.missing()
    if missing and not os.environ.get("CI"):
        pytest.skip(f"no Elasticsearch: {missing}")
    running = node.start(tmp_path)
    deployment = Deployment.at(running.url, tmp_path / "films")
    try:
        deployment.build(FILMS)
        change(deployment.data, upsert([NEW]), deployment.tools)
        search = deployment.search()
        running.stop(signal.SIGKILL)
        assert search.search(SearchQuery(query="captain")).degraded == ("keyword",)
        (wrong,) = [c for c in verify(deployment.data, deployment.tools).checks if c.findings]
        assert "does not answer" in wrong.findings[0]
        before = published(deployment.data)
        with pytest.raises(EngineUnavailable):
            change(deployment.data, upsert([RENAMED]), deployment.tools)
        assert published(deployment.data) == before
        running = node.start(tmp_path, int(running.url.rpartition(":")[2]))
        assert deployment.agrees()
        assert search.search(SearchQuery(query="lighthouse machine")).hits[0].id == NEW.id
        change(deployment.data, upsert([RENAMED]), deployment.tools)
        assert deployment.agrees()
        search.close()
    finally:
        running.stop()
