"""Elasticsearch over TLS, with keys of the least privileges, as docs/access.md describes it."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from elasticsearch import AuthorizationException, Elasticsearch

from hybrid.engines.factory import elasticsearch
from hybrid.engines.lexical.elasticsearch import ElasticsearchEngine, connect
from hybrid.errors import EngineUnavailable, HybridError, InvalidInput
from hybrid.query import Filters
from hybrid.settings import Settings
from hybrid.storage.generation import open_current
from indexer.update import change, delete, upsert
from tests import corpus
from tests.command import PREFIX
from tests.elasticsearch_deployment import Deployment
from tests.elasticsearch_node import node
from tests.elasticsearch_node.security import ADMIN, Security

ROOT = Path(__file__).parents[1]

FILMS = corpus.films(12)

ROLES = {
    name: role
    for block in re.findall(
        r"^```json\n(.*?)^```", (ROOT / "docs/access.md").read_text("utf-8"), re.M | re.S
    )
    for name, role in json.loads(block).items()
}
READER, WRITER = ROLES["films-reader"], ROLES["films-writer"]

Role = dict[str, Any]


@dataclass(frozen=True)
class Secured:
    """A node, its authority, and a client of its superuser."""

    url: str
    security: Security
    admin: Elasticsearch

    def key(self, role: Role, prefix: str) -> str:
        """Create a key of a role of the documentation, for another prefix."""
        text = json.dumps(role).replace('"films', f'"{prefix}')
        created = self.admin.security.create_api_key(
            name=uuid4().hex, role_descriptors={"role": json.loads(text)}
        )
        return str(created["encoded"])

    def client(self, key: str) -> Elasticsearch:
        """Return a client as the product makes it."""
        return connect(self.url, key, 10.0, self.security.ca)


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """Give a secured node; skip where none can run. In CI nothing is skipped."""
    missing = node.missing()
    if missing and os.environ.get("CI"):
        pytest.fail(f"CI must run on a real Elasticsearch: {missing}")
    if missing:
        pytest.skip(f"no Elasticsearch: {missing}")
    work = tmp_path_factory.mktemp("secured")
    security = Security(work / "tls", uuid4().hex)
    security.create()
    with (
        node.running(work, security) as started,
        Elasticsearch(
            started.url, basic_auth=(ADMIN, security.password), ca_certs=str(security.ca)
        ) as admin,
    ):
        yield Secured(started.url, security, admin)


@pytest.fixture
def prefix(secured: Secured) -> Iterator[str]:
    """Give a prefix whose indices are removed afterwards."""
    made = f"{PREFIX}-{uuid4().hex[:8]}"
    yield made
    indices = list(secured.admin.indices.get(index=f"{made}-*"))
    if indices:
        secured.admin.indices.delete(index=indices)


def write_all(client: Elasticsearch, data: Path, prefix: str) -> Deployment:
    """Build an index, change and delete films, and build another: all that a writer ever does."""
    deployment = Deployment(client, data, prefix)
    deployment.build(FILMS)
    changed = FILMS[0].model_copy(update={"title": "The Lighthouse Machine"})
    results = [
        change(data, upsert([changed]), deployment.tools),
        change(data, delete([FILMS[1].id]), deployment.tools),
    ]
    deployment.build(FILMS[2:])
    deployment.build(FILMS[3:])
    for result in results:
        if result.warnings:
            raise EngineUnavailable(result.warnings[0])
    return deployment


def read_all(client: Elasticsearch, index: str) -> None:
    """Make each request that a search or a probe makes."""
    engine = ElasticsearchEngine(client, index)
    found = engine.search("captain mirror", Filters(), 10)
    assert len(found.ids)
    assert engine.score("captain", found.ids).max() > 0
    assert engine.attainable("captain mirror") > 0
    assert engine.explain("captain", found.ids)
    assert engine.count() == len(FILMS) - 3
    engine.check()


def without(role: Role, names: int, privilege: str) -> Role:
    """Return a role that lacks a privilege."""
    lesser = deepcopy(role)
    lesser["indices"][names]["privileges"].remove(privilege)
    return lesser


def test_the_roles_suffice(secured: Secured, prefix: str, tmp_path: Path) -> None:
    """A writer's key writes all that is ever written, a reader's key reads it, and no more."""
    with secured.client(secured.key(WRITER, prefix)) as writer:
        deployment = write_all(writer, tmp_path / "data", prefix)
        assert list(secured.admin.indices.get_alias(name=prefix)) == [deployment.index]
        read_all(writer, deployment.index)
    with secured.client(secured.key(READER, prefix)) as reader:
        read_all(reader, deployment.index)
        for forbidden in (
            partial(reader.index, index=deployment.index, id="1", document={"id": 1}),
            partial(reader.delete, index=deployment.index, id="4"),
            partial(reader.indices.delete, index=deployment.index),
            partial(reader.indices.create, index=f"{prefix}-x"),
            partial(reader.search, index="other"),
        ):
            with pytest.raises(AuthorizationException):
                forbidden()


@pytest.mark.parametrize("privilege", READER["indices"][0]["privileges"])
def test_each_privilege_of_the_reader_is_needed(
    secured: Secured, prefix: str, tmp_path: Path, privilege: str
) -> None:
    """Without it a search fails, and says that access is refused."""
    deployment = Deployment(secured.admin, tmp_path / "data", prefix)
    deployment.build(FILMS[3:])
    key = secured.key(without(READER, 0, privilege), prefix)
    with (
        secured.client(key) as reader,
        pytest.raises(EngineUnavailable, match=r"refuses access \(403\)"),
    ):
        read_all(reader, deployment.index)


@pytest.mark.parametrize(
    ("names", "privilege"),
    [
        (number, privilege)
        for number, names in enumerate(WRITER["indices"])
        for privilege in names["privileges"]
        # A service that changes films searches with the same key.
        if privilege != "indices:admin/analyze"
    ],
)
def test_each_privilege_of_the_writer_is_needed(
    secured: Secured, prefix: str, tmp_path: Path, names: int, privilege: str
) -> None:
    """Without it something of what a writer does fails, or ends with a warning or no alias."""
    with secured.client(secured.key(without(WRITER, names, privilege), prefix)) as writer:
        data = tmp_path / "data"
        done = False
        with suppress(HybridError):
            write_all(writer, data, prefix)
            done = True
        aliased = secured.admin.options(ignore_status=404).indices.get_alias(name=prefix)
        assert not (done and list(aliased) == [open_current(data).manifest.lexical.index])


def test_the_certificate_is_checked(secured: Secured, tmp_path: Path) -> None:
    """Without the authority, or with another, the error names the setting."""
    other = Security(tmp_path / "other", "x")
    other.create()
    for ca in (None, other.ca):
        with (
            connect(secured.url, None, 10.0, ca) as client,
            pytest.raises(EngineUnavailable, match="HYBRID_ELASTICSEARCH_CA"),
        ):
            ElasticsearchEngine(client, "films-1").check()


@pytest.mark.parametrize("key", [None, "d3Jvbmc6d3Jvbmc="])
def test_a_wrong_key_is_told(secured: Secured, key: str | None) -> None:
    """Without a key, or with one that does not exist, Elasticsearch refuses."""
    with (
        connect(secured.url, key, 10.0, secured.security.ca) as client,
        pytest.raises(EngineUnavailable, match=r"refuses access \(401\)"),
    ):
        ElasticsearchEngine(client, "films-1").check()


def test_a_file_that_is_no_certificate_is_refused(tmp_path: Path) -> None:
    """So is an authority for a URL without TLS; each is an error that names the file."""
    file = tmp_path / "ca.crt"
    file.write_text("no certificate")
    with pytest.raises(InvalidInput, match=re.escape(f"{file} is not a certificate")):
        connect("https://127.0.0.1:9200", None, 1.0, file)
    with pytest.raises(InvalidInput, match="must begin with https"):
        connect("http://127.0.0.1:9200", None, 1.0, file)
    with pytest.raises(InvalidInput, match="HYBRID_ELASTICSEARCH_CA"):
        Settings.load(elasticsearch_ca=tmp_path / "missing")


def test_settings_alone_connect(
    secured: Secured, prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """URL, key and certificate of the environment give the client of all commands."""
    deployment = Deployment(secured.admin, tmp_path / "data", prefix)
    deployment.build(FILMS[3:])
    monkeypatch.setenv("HYBRID_ELASTICSEARCH_URL", secured.url)
    monkeypatch.setenv("HYBRID_ELASTICSEARCH_CA", str(secured.security.ca))
    monkeypatch.setenv("HYBRID_ELASTICSEARCH_API_KEY", secured.key(READER, prefix))
    with elasticsearch(Settings.load()) as client:
        read_all(client, deployment.index)
