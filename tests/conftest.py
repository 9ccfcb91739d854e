"""The engines that tests share, each started once a run."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from tests.command import PREFIX, run
from tests.elasticsearch_node import node
from tests.indexer.films import KAGGLE_ROWS, kaggle_csv
from tests.web.http import Service


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


@pytest.fixture(scope="session")
def data(elasticsearch_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give a data folder with the wrinkled Kaggle file indexed by the command line."""
    folder = tmp_path_factory.mktemp("cli")
    source = kaggle_csv(folder / "IMDb movies.csv", KAGGLE_ROWS)
    done = run(
        *("indexer", "build", str(source), "--data", str(folder / "data")),
        HYBRID_ELASTICSEARCH_URL=elasticsearch_url,
        HYBRID_ELASTICSEARCH_PREFIX=PREFIX,
    )
    assert done.returncode == 0, done.stderr
    assert "films                8" in done.stdout
    assert "rejected             4" in done.stdout
    assert "embedding" in done.stderr
    yield folder / "data"
    with Elasticsearch(elasticsearch_url) as client:
        client.indices.delete(index=list(client.indices.get(index=f"{PREFIX}-*")))


@pytest.fixture(scope="session")
def service(data: Path, elasticsearch_url: str) -> Iterator[Service]:
    """Give the production server, started by the command line."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["-m", "hybrid", "serve", "--data", str(data), "--port", str(port)]
    process = subprocess.Popen(
        [sys.executable, *command, "--elasticsearch-url", elasticsearch_url],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    said = [process.stdout.readline(), process.stdout.readline()]
    assert said[1].startswith(f"ready: http://127.0.0.1:{port}/search"), said
    yield Service(f"http://127.0.0.1:{port}")
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 0
    process.stdout.close()
