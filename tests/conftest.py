"""The engines that tests share, each started once a run."""

import os
from collections.abc import Iterator

import pytest

from tests.elasticsearch_node import node


@pytest.fixture(scope="session")
def elasticsearch_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give a real Elasticsearch: ELASTICSEARCH_URL, else a node of our own, else skip.

    In CI nothing is skipped: what is missing fails the run.
    """
    given = os.environ.get("ELASTICSEARCH_URL")
    if given:
        yield given
        return
    missing = node.missing()
    if missing and os.environ.get("CI"):
        pytest.fail(f"CI must run on a real Elasticsearch: {missing}")
    if missing:
        pytest.skip(f"no Elasticsearch: {missing}")
    with node.running(tmp_path_factory.mktemp("elasticsearch")) as running:
        yield running.url
