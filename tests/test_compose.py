"""The Compose files and the commands of docs/docker.md, run by a real Docker.

The service's image is built as it is. The indexer runs in that image with the packages of this
environment mounted, so that PyTorch need not be installed once more.
"""

import csv
import json
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import pytest
from urllib3.exceptions import HTTPError

from tests.command import free_port
from tests.eventually import eventually
from tests.web.http import Service

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs/docker.md").read_text("utf-8")
ACCESS = (ROOT / "docs/access.md").read_text("utf-8")

PASSWORD = "correct-horse-battery"

LONGEST = 1200
"""Seconds for one command: the first one downloads packages."""

SLOW = 1000
"""Seconds for what happens by itself in a container: more than HYBRID_WAIT of the indexer."""

pytestmark = pytest.mark.timeout(3 * LONGEST)

PASSED_ON = ("HOME", "PATH", "DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "XDG_RUNTIME_DIR")
"""Variables that Docker itself reads; others, such as FILMS, are not the user's here."""

LIGHTHOUSE = (1, "The Lighthouse", 2001, "Drama", "A keeper watches the sea alone.")
HEIST = (2, "Night Heist", 2002, "Crime", "Thieves rob a bank below the harbour.")
ORCHARD = (3, "The Orchard", 2003, "Drama", "Two sisters inherit an apple farm.")
BY_HAND = {"title": "Zeppelin Diary", "year": 1931, "description": "A cook crosses the ocean."}
BY_HAND_ID = 900001


def _answers(*command: str) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


@pytest.fixture(scope="module", autouse=True)
def _docker() -> None:
    """Skip all of this where there is no engine, which not every CI has."""
    if not _answers("docker", "info"):
        pytest.skip("no Docker: start its engine, or set DOCKER_HOST to a running one")
    missing = "Compose 2.20.2 or newer" if not _answers("docker", "compose", "version") else ""
    if sys.version_info[:2] != (3, 11):
        missing = "an environment of Python 3.11, the image's"
    if missing and os.environ.get("CI"):
        pytest.fail(f"CI has Docker, and so must have {missing}")
    if missing:
        pytest.skip(f"Docker alone is not enough: this needs {missing}")


@dataclass(frozen=True)
class Stack:
    """A Compose project with a name, ports, files and variables of its own."""

    name: str
    files: tuple[Path, ...]
    port: int
    elasticsearch_port: int
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, command: str, cwd: Path = ROOT, **variables: str) -> str:
        """Return what a command printed, which must succeed, and means this project.

        `variables` are what the user sets.
        """
        done = self.attempt(command, cwd, **variables)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}\n{self.logs()}"
        return done.stdout

    def attempt(
        self, command: str, cwd: Path = ROOT, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in bash and return how it ended."""
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        environment |= {
            "COMPOSE_PROJECT_NAME": self.name,
            "COMPOSE_FILE": os.pathsep.join(map(str, self.files)),
            "COMPOSE_DISABLE_ENV_FILE": "true",
            "PORT": str(self.port),
            "ELASTICSEARCH_PORT": str(self.elasticsearch_port),
            "WRITES": "on",
            "DATA_MODE": "rw",
        }
        return subprocess.run(
            ["bash", "-c", command],
            capture_output=True,
            text=True,
            cwd=cwd,
            env=environment | {**self.environment} | variables,
            check=False,
            timeout=LONGEST,
        )

    def up(self, films: Path, mapping: str = "") -> None:
        """Start everything on a file and wait, as docs/docker.md says."""
        self.run("docker compose up -d --wait", FILMS=str(films), MAPPING=mapping)

    def logs(self) -> str:
        """Return what the indexer and the service printed."""
        return self.attempt("docker compose logs indexer service").stdout

    def container(self, service: str) -> Any:
        """Return what Docker knows of a service's container, whether it runs or not."""
        name = self.run(f"docker compose ps --all --quiet {service}").strip()
        return json.loads(self.run(f"docker inspect {name}"))[0]

    @property
    def service(self) -> Service:
        """The service over HTTP."""
        return Service(f"http://127.0.0.1:{self.port}")

    def writer(self) -> Service:
        """Return the service asked with a new key, which it knows at once."""
        command = "docker compose run --rm --no-deps indexer python -m hybrid keys create"
        assert command in GUIDE
        return replace(self.service, key=self.run(f"{command} --scope write").strip())

    def titles(self) -> set[str]:
        """Return the titles of all films that the service has: by meaning every one is found."""
        status, answer = self.service.get("/search", q="film", mode="semantic", limit=100)
        assert status == 200, answer
        return {hit["movie"]["title"] for hit in answer["hits"]}

    def status(self) -> str:
        """Return how the service says it is, or that it does not answer."""
        try:
            _, answer = self.service.get("/health/ready")
        except HTTPError:
            return "no answer"
        return str(answer["status"])


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Give docker-compose.yml as a project of its own that changes films."""
    with project(("docker-compose.yml",), tmp_path_factory.mktemp("compose")) as made:
        yield made


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Give compose.embedded.yml as a project of its own."""
    with project(("compose.embedded.yml",), tmp_path_factory.mktemp("embedded")) as made:
        yield made


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[Stack]:
    """Give docker-compose.yml with compose.tls.yml as a project of its own.

    Elasticsearch's image puts ELASTIC_PASSWORD into the keystore when it starts. It is done here,
    too, for images that only stand in for it.
    """
    password = tmp_path / "password.yml"
    password.write_text("""
services:
  elasticsearch:
    entrypoint:
      - bash
      - -euc
      - |
        bin/elasticsearch-keystore create
        printenv ELASTIC_PASSWORD | bin/elasticsearch-keystore add -xf bootstrap.password
        exec docker-entrypoint.sh
""")
    files = ("docker-compose.yml", "compose.tls.yml", str(password))
    with project(files, tmp_path, ELASTIC_PASSWORD=PASSWORD) as made:
        yield made


@contextmanager
def project(files: Sequence[str], folder: Path, **environment: str) -> Iterator[Stack]:
    """Give a project whose images are there and which has no containers yet; remove all of it."""
    name = f"films-test-{uuid4().hex[:8]}"
    packages = folder / "packages.yml"
    packages.write_text(f"""
services:
  indexer:
    build: !reset null
    image: {name}-service
    environment:
      PYTHONPATH: /packages
    volumes:
      - {sysconfig.get_path("purelib")}:/packages:ro
""")
    all_files = (*(ROOT / file for file in files), packages)
    made = Stack(name, all_files, free_port(), free_port(), environment)
    try:
        made.run("docker compose config --quiet")
        made.run("docker compose build service")
        yield made
    finally:
        made.attempt("docker compose down --volumes --rmi local --timeout 5")


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """Give a file of two films, with a space in its name."""
    return films_csv(tmp_path / "my films.csv", LIGHTHOUSE, HEIST)


def films_csv(path: Path, *rows: Sequence[object]) -> Path:
    """Write a file that is recognised without a mapping, readable by every user."""
    return _csv(path, ("id", "title", "year", "genre", "description"), *rows)


def _csv(path: Path, *rows: Sequence[object]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    path.chmod(0o644)
    return path


@contextmanager
def searched_all_the_time(stack: Stack) -> Iterator[None]:
    """Search without a pause while something goes on; every search must be answered."""
    stop = Event()
    statuses: list[int] = []
    failed: list[Exception] = []

    def search() -> None:
        try:
            while not stop.is_set():
                statuses.append(stack.service.get("/search", q="bank robbery")[0])
        except HTTPError as error:
            failed.append(error)

    thread = Thread(target=search)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    assert failed == []
    assert set(statuses) == {200}


def test_a_first_start_that_fails_is_reported_and_can_be_repeated(
    stack: Stack, tmp_path: Path
) -> None:
    """`up` fails, the log names the mistake, the service waits for an index and says so; with the
    file corrected the same command serves it."""
    file = _csv(tmp_path / "films.csv", ("nothing",), ("useful",))
    done = stack.attempt("docker compose up -d --wait", FILMS=str(file))
    assert done.returncode == 1
    assert "didn't complete successfully" in done.stderr
    assert "/mnt/films has the columns 'nothing'" in stack.logs()
    assert "for the first index in /data" in stack.logs()
    waiting = stack.container("service")
    assert waiting["State"]["Running"]
    films_csv(file, LIGHTHOUSE, HEIST)
    stack.up(file)
    assert stack.status() == "ready"
    assert stack.titles() == {"The Lighthouse", "Night Heist"}
    assert stack.container("service")["Id"] == waiting["Id"]


def test_up_records_the_name_of_the_file(stack: Stack, films: Path) -> None:
    """A relative path with `..` is mounted where the indexer reads it; the index knows its name."""
    films_csv(films, LIGHTHOUSE, (4, "The Snow Piano", 2004, "Drama", "A pianist is snowed in."))
    stack.up(Path(os.path.relpath(films, ROOT)))
    shown = stack.run("docker compose exec service cat /data/CURRENT")
    manifest = f"/data/generations/{shown.split()[0]}/manifest.json"
    shown = stack.run(f"docker compose exec service cat {manifest}")
    assert json.loads(shown)["source"] == "my films.csv"


def test_another_file_is_served_without_a_pause(stack: Stack, films: Path) -> None:
    """The service answers while another file is indexed, is not restarted, and serves the result;
    a film that was changed over HTTP stays."""
    stack.up(films)
    status, written = stack.writer().send("PUT", f"/movies/{BY_HAND_ID}", BY_HAND)
    assert status == 200, written
    before = stack.container("service")
    other = films_csv(films.with_name("other.csv"), HEIST, ORCHARD)
    with searched_all_the_time(stack):
        stack.up(other)
        eventually(lambda: "The Orchard" in stack.titles(), SLOW)
    assert stack.titles() == {"Night Heist", "The Orchard", BY_HAND["title"]}
    after = stack.container("service")
    assert after["Id"] == before["Id"]
    assert after["State"]["StartedAt"] == before["State"]["StartedAt"]


def test_a_bad_file_leaves_the_service_up(stack: Stack, films: Path) -> None:
    """`up` fails and the log says why; the service answers all the time."""
    stack.up(films)
    bad = _csv(films.with_name("bad.csv"), ("nothing",), ("useful",))
    with searched_all_the_time(stack):
        done = stack.attempt("docker compose up -d --wait", FILMS=str(bad))
    assert done.returncode == 1
    assert "didn't complete successfully" in done.stderr
    assert "/mnt/films has the columns 'nothing'" in stack.logs()


def test_restart_waits_for_elasticsearch(stack: Stack, films: Path) -> None:
    """`restart` starts all containers at once: the indexer waits until Elasticsearch answers, ends
    with success, and a film changed over HTTP is there."""
    stack.up(films)
    assert stack.writer().send("PUT", f"/movies/{BY_HAND_ID}", BY_HAND)[0] == 200
    stack.run("docker compose restart", FILMS=str(films))
    name = stack.container("indexer")["Id"]
    assert stack.run(f"docker wait {name}").strip() == "0", stack.logs()
    assert "for Elasticsearch" in stack.run(f"docker logs {name} 2>&1")
    eventually(lambda: stack.status() == "ready", SLOW)
    assert BY_HAND["title"] in stack.titles()


def test_without_elasticsearch_searches_are_answered_and_changes_are_refused(
    stack: Stack, films: Path
) -> None:
    """The service goes on by meaning, says that it is degraded, and recovers by itself."""
    stack.up(films)
    eventually(lambda: "Night Heist" in stack.titles(), SLOW)
    stack.run("docker compose kill elasticsearch")
    assert stack.status() == "degraded"
    _, answer = stack.service.get("/search", q="thieves rob a bank")
    assert answer["degraded"] == ["keyword"]
    assert answer["hits"][0]["movie"]["title"] == "Night Heist"
    assert stack.writer().send("PUT", "/movies/5", BY_HAND)[0] == 503
    stack.run("docker compose start elasticsearch")
    eventually(lambda: stack.status() == "ready", SLOW)
    assert stack.service.get("/search", q="bank")[1]["degraded"] == []


def test_down_and_up_keep_the_data(stack: Stack, films: Path) -> None:
    """New containers serve what the ones before have indexed, and what was changed over HTTP, even
    if they are started with a file that cannot be indexed."""
    stack.up(films)
    assert stack.writer().send("PUT", f"/movies/{BY_HAND_ID}", BY_HAND)[0] == 200
    eventually(lambda: BY_HAND["title"] in stack.titles(), SLOW)
    _, before = stack.service.get("/health/ready")
    stack.run("docker compose down")
    bad = _csv(films.with_name("bad.csv"), ("nothing",), ("useful",))
    assert stack.attempt("docker compose up -d --wait", FILMS=str(bad)).returncode == 1
    eventually(lambda: stack.status() == "ready", SLOW)
    assert stack.service.get("/health/ready")[1] == before
    assert BY_HAND["title"] in stack.titles()


def test_inspect_writes_a_mapping_that_up_takes(stack: Stack, tmp_path: Path) -> None:
    """The documented command writes a mapping into the current folder, and MAPPING applies it."""
    header = ("Code", "Film Title", "Released", "Plot Summary")
    own = _csv(tmp_path / "own.csv", header, (7, "The Glass Ferry", 1999, "A ferry sinks."))
    (command,) = re.findall(r"^FILMS=\S+ (docker compose run .*)$", GUIDE, re.MULTILINE)
    assert "The Glass Ferry" not in stack.run(command, cwd=tmp_path, FILMS=str(own))
    mapping = tmp_path / "films.mapping.toml"
    mapping.chmod(0o644)
    stack.up(own, str(mapping))
    eventually(lambda: "The Glass Ferry" in stack.titles(), SLOW)


def test_the_documented_commands_of_the_indexer_run(stack: Stack, films: Path) -> None:
    """The indexer's other commands in docs/docker.md succeed on an index with changes by hand."""
    stack.up(films)
    assert stack.writer().send("PUT", f"/movies/{BY_HAND_ID}", BY_HAND)[0] == 200
    commands = re.findall(r"(docker compose run --rm indexer .*)$", GUIDE, re.MULTILINE)
    assert len(commands) == 3
    for command in commands:
        stack.run(command, FILMS=str(films))


def test_the_embedded_stack_is_one_container_with_bounds(embedded: Stack, films: Path) -> None:
    """Once the films are indexed, the service alone is left, and finds them by words and meaning.
    It has no rights, writes to /tmp only, and there no more than 64 MB; its memory is limited."""
    embedded.run("docker compose up -d --wait", FILMS=str(films), WRITES="", DATA_MODE="")
    assert embedded.run("docker compose ps --services").split() == ["service"]
    assert embedded.status() == "ready"
    assert embedded.titles() == {"The Lighthouse", "Night Heist"}
    _, answer = embedded.service.get("/search", q="bank", mode="keyword")
    assert [hit["movie"]["title"] for hit in answer["hits"]] == ["Night Heist"]

    host = embedded.container("service")["HostConfig"]
    assert host["Memory"] == 2**30
    assert host["CapDrop"] == ["ALL"]
    inside = "docker compose exec -T service"
    assert embedded.run(f"{inside} id -u").strip() == "10001"
    for path in ("/srv/x", "/data/x", "/home/films/x"):
        refused = embedded.attempt(f"{inside} touch {path}")
        assert "Read-only file system" in refused.stderr, path
    full = embedded.attempt(f"{inside} dd if=/dev/zero of=/tmp/x bs=1M count=100")
    assert "No space left" in full.stderr
    assert embedded.run(f"{inside} stat -c %s /tmp/x").strip() == str(64 * 2**20)
    embedded.run(f"{inside} rm /tmp/x")
    assert embedded.status() == "ready"


def test_a_change_needs_both_variables(embedded: Stack, films: Path) -> None:
    """With the setting alone, the volume is still read-only: the change is refused, and nothing
    was changed."""
    embedded.run("docker compose up -d --wait", FILMS=str(films), DATA_MODE="")
    status, answer = embedded.writer().send("PUT", f"/movies/{BY_HAND_ID}", BY_HAND)
    assert status == 503
    assert "Read-only file system" in answer["error"]["message"]
    embedded.run("docker compose up -d --wait", FILMS=str(films))
    assert BY_HAND["title"] not in embedded.titles()
    assert embedded.writer().send("PUT", f"/movies/{BY_HAND_ID}", BY_HAND)[0] == 200
    eventually(lambda: BY_HAND["title"] in embedded.titles(), SLOW)


def test_a_backup_is_restored(embedded: Stack, films: Path, tmp_path: Path) -> None:
    """The commands of docs/operations.md bring everything back into an empty volume, changes by
    hand too; and the service alone serves a backup that was unpacked into a folder."""
    guide = (ROOT / "docs/operations.md").read_text("utf-8")
    backup, restore, repair = re.findall(r"^(docker compose run .*)$", guide, re.MULTILINE)
    embedded.run("docker compose up -d --wait", FILMS=str(films))
    assert embedded.writer().send("PUT", f"/movies/{BY_HAND_ID}", BY_HAND)[0] == 200
    eventually(lambda: BY_HAND["title"] in embedded.titles(), SLOW)
    before = embedded.titles()
    embedded.run("docker compose stop")
    embedded.run(backup, cwd=tmp_path)
    embedded.run("docker compose down --volumes")

    embedded.run(restore, cwd=tmp_path)
    embedded.run(repair)
    embedded.run("docker compose up -d --wait", FILMS=str(films))
    assert embedded.titles() == before

    embedded.run("docker compose down --volumes")
    folder = tmp_path / "data"
    folder.mkdir()
    embedded.run(f"tar -C {folder} -xf films.tar && chmod -R a+rX {tmp_path}", cwd=tmp_path)
    (command,) = re.findall(r"^    DATA=\S+ (docker compose .* service)$", GUIDE, re.MULTILINE)
    alone = command.replace("-f compose.embedded.yml ", "")
    assert alone != command
    embedded.run(alone, DATA=str(folder), WRITES="", DATA_MODE="")
    assert embedded.run("docker compose ps --all --services").split() == ["service"]
    assert embedded.titles() == before


def test_elasticsearch_with_tls_and_keys(secured: Stack, films: Path, tmp_path: Path) -> None:
    """The documented steps make certificates and a key for each of the documented roles; films are
    then indexed, found and changed over TLS. Nobody without a key is answered, and the searching
    service's key cannot delete what it reads."""
    (create,) = re.findall(r"^(docker compose exec -T elasticsearch .*)$", GUIDE, re.MULTILINE)
    secured.run("docker compose up -d --wait elasticsearch")
    keys = {}
    for block in re.findall(r'^```json\n(\{"films-.*?)^```', ACCESS, re.MULTILINE | re.DOTALL):
        (name,) = json.loads(block)
        (tmp_path / "role.json").write_text(block)
        answer = json.loads(secured.run(create, cwd=tmp_path))
        assert "encoded" in answer, answer
        keys[name] = answer["encoded"]
    writer, reader = keys["films-writer"], keys["films-reader"]
    variables = {"INDEXER_API_KEY": writer, "FILMS": str(films)}
    secured.run("docker compose up -d --wait", **variables, SERVICE_API_KEY=reader)
    assert secured.status() == "ready"
    _, answer = secured.service.get("/search", q="bank", mode="keyword", require="both")
    assert [hit["movie"]["title"] for hit in answer["hits"]] == ["Night Heist"]

    ask = "docker compose exec -T elasticsearch curl -s --cacert config/certificates/ca.crt"
    status = f"{ask} -o /dev/null -w '%{{http_code}}'"
    films_url = "https://localhost:9200/films-*"
    assert secured.run(f"{status} {films_url}/_search") == "401"
    with_key = f"-H 'Authorization: ApiKey {reader}'"
    found = json.loads(secured.run(f"{ask} {with_key} {films_url}/_search?size=1"))
    index = f"https://localhost:9200/{found['hits']['hits'][0]['_index']}"
    assert secured.run(f"{status} {with_key} -X DELETE {index}") == "403"
    plain = "docker compose exec -T elasticsearch curl -s http://localhost:9200"
    assert secured.attempt(plain).returncode != 0

    secured.run("docker compose up -d --wait", **variables, SERVICE_API_KEY=writer)
    assert secured.writer().send("PUT", f"/movies/{BY_HAND_ID}", BY_HAND)[0] == 200
    eventually(lambda: BY_HAND["title"] in secured.titles(), SLOW)
