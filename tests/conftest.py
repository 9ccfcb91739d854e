"""The engines that tests share, each started once a run."""

import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch
from hypothesis import settings

from hybrid.search import HybridSearch
from hybrid.storage.generation import CURRENT
from tests.command import PREFIX, Index, run
from tests.elasticsearch_deployment import Deployment
from tests.elasticsearch_node import node, shared
from tests.fakes import FakeLexical
from tests.indexer.film_files import KAGGLE_ROWS, kaggle_csv
from tests.locks import locked
from tests.small import open_small
from tests.web.http import Service
from tests.web.keys import key_in
from tests.web.production import production

WORKER = "PYTEST_XDIST_WORKER" in os.environ
"""Whether this process is one of several that run the tests."""

MEMORY = Path("/dev/shm")
"""Where systems have a folder in memory."""

ROOM = 6 * 1024**3
"""Bytes that a run's files may need, with some to spare."""


def pytest_configure() -> None:
    """Set what workers and commands inherit: the seed of the faults, and that bytecode is kept.

    Without bytecode each of a hundred commands would compile all that it imports, torch as well.
    No example of Hypothesis has a deadline, which a busy machine would exceed: speed is measured
    elsewhere. In CI and in mutation testing another profile says the same.

    Files are in memory where there is room: after thousands of syncs, tests would mostly wait for
    the disk. What a sync is for is tested on a model of a disk (tests/faults/power_cut.py).
    """
    if settings.get_current_profile_name() == "default":
        settings.register_profile("tests", deadline=None)
        settings.load_profile("tests")
    # Elasticsearch loads libraries from its files.
    if (
        MEMORY.is_dir()
        and shutil.disk_usage(MEMORY).free > ROOM
        and not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC
    ):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
    os.environ.setdefault("FAULTS_SEED", str(random.SystemRandom().randrange(10**6)))
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    # However busy the machine, searches have time enough: tests of deadlines set their own.
    os.environ.setdefault("HYBRID_DEADLINE", "60")
    os.environ.setdefault("HYBRID_MAX_WAIT", "60")
    # Several, but not as many as this machine has cores.
    os.environ.setdefault("HYBRID_WORKERS", "2")


def pytest_report_header() -> str:
    """Name the seed, by which faults can be repeated."""
    return f"FAULTS_SEED={os.environ['FAULTS_SEED']}"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Divide the tests among the workers."""
    from tests.units import UnitScheduling

    return UnitScheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the tests for workers; alone they run as they are written."""
    if WORKER:
        from tests.units import long_ones_first

        long_ones_first(items)


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder that all workers of this run share."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if WORKER else folder


@pytest.fixture(scope="session")
def elasticsearch_url(run_folder: Path) -> Iterator[str]:
    """Give a real Elasticsearch: ELASTICSEARCH_URL, else one that the workers share, else skip.

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
    with shared.running(run_folder / "elasticsearch") as url:
        yield url


@pytest.fixture
def deployment(
    request: pytest.FixtureRequest, elasticsearch_url: str, tmp_path: Path
) -> Iterator[Deployment]:
    """Give a data folder with the module's FILMS published, the keyword side in Elasticsearch."""
    made = Deployment.at(elasticsearch_url, tmp_path / "data")
    made.build(request.module.FILMS)
    yield made
    made.close()


def build_index(folder: Path, **variables: str) -> str:
    """Index the wrinkled Kaggle file in `folder`, with the data beside it; return the progress."""
    source = kaggle_csv(folder / "IMDb movies.csv", KAGGLE_ROWS)
    done = run("indexer", "build", str(source), HYBRID_DATA=str(folder / "data"), **variables)
    assert done.returncode == 0, done.stderr
    assert "films                8" in done.stdout
    assert "rejected             4" in done.stdout
    return done.stderr


@pytest.fixture(scope="session")
def embedded(run_folder: Path) -> Path:
    """Give an embedded index to copy, made by one worker for all: the model takes long."""
    folder = run_folder / "embedded"
    with locked(run_folder / "embedded-lock"):
        if not (folder / "data" / CURRENT).exists():
            folder.mkdir(exist_ok=True)
            assert "embedding" in build_index(folder)
    return folder


@pytest.fixture(scope="session", params=["embedded", "elasticsearch"], ids="{}-index".format)
def index(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Index]:
    """Give the wrinkled Kaggle file indexed by the command line, on each keyword engine in turn.

    That in Elasticsearch is built after the embedded one, of whose vectors and model it makes use.
    """
    variables = {}
    if request.param == "elasticsearch":
        variables["HYBRID_ELASTICSEARCH_URL"] = request.getfixturevalue("elasticsearch_url")
        variables["HYBRID_ELASTICSEARCH_PREFIX"] = f"{PREFIX}-cli"
    copy: Path = request.getfixturevalue("embedded")
    folder = Path(shutil.copytree(copy, tmp_path_factory.mktemp("command") / "index"))
    if request.param == "elasticsearch":
        build_index(folder, **variables)
        # As after a first build: no embedded generation that a service could fall back to.
        current = folder / "data" / CURRENT
        current.write_text(current.read_text().splitlines(keepends=True)[0])
    data = folder / "data"
    yield Index(request.param, data, variables | {"HYBRID_DATA": str(data)})
    if request.param == "elasticsearch":
        with Elasticsearch(variables["HYBRID_ELASTICSEARCH_URL"]) as client:
            client.indices.delete(index=list(client.indices.get(index=f"{PREFIX}-cli-*")))


@pytest.fixture(scope="session")
def service(index: Index) -> Iterator[Service]:
    """Give the production server, started by the command line."""
    key = key_in(index.data, "write")
    with production(**index.variables, HYBRID_WRITES="on") as running:
        yield replace(running.service, key=key)


@pytest.fixture(scope="module")
def lexical(request: pytest.FixtureRequest) -> FakeLexical:
    """Give a keyword side that knows the module's MOVIES."""
    return FakeLexical(request.module.MOVIES)


@pytest.fixture(scope="module")
def search(
    request: pytest.FixtureRequest,
    lexical: FakeLexical,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[HybridSearch]:
    """Give a search of depth 30 over the module's MOVIES, with stand-in engines."""
    found = open_small(tmp_path_factory.mktemp("small"), request.module.MOVIES, lexical)
    yield found
    found.close()
