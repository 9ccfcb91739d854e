"""Access over HTTP: keys and their scopes, hosts, origins, and the errors of each."""

import random
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from apiflask import APIFlask

from hybrid.access.access import Access
from hybrid.access.hosts import Hosts
from hybrid.access.keys import KeyFolder
from hybrid.serving.live_search import LiveSearch
from hybrid.web.app import create_app
from indexer.group_commit import GroupCommit
from tests import corpus
from tests.stores import build_stores, follow_stores, open_group
from tests.web.http import Service, received, serving
from tests.web.keys import key_in, keys_of

FILMS = corpus.films(20)

FILM = {"title": "The Lighthouse Machine"}

ATTEMPTS = 200
"""Wrong keys on every route."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a data folder with a published generation."""
    data = tmp_path_factory.mktemp("access") / "data"
    build_stores(data, FILMS)
    return data


@pytest.fixture(scope="module")
def live(data: Path) -> Iterator[LiveSearch]:
    """Give the search over it."""
    follower = follow_stores(data)
    yield follower.live
    follower.close()


@pytest.fixture(scope="module")
def group(data: Path) -> Iterator[GroupCommit]:
    """Give what changes it."""
    made = open_group(data)
    yield made
    made.close()


@pytest.fixture(scope="module")
def closed_app(live: LiveSearch, group: GroupCommit, data: Path) -> APIFlask:
    """Give a service that takes changes and lets nobody read without a key."""
    return create_app(live, writes=group, access=Access(keys_of(data), reads_open=False))


@pytest.fixture(scope="module")
def closed(closed_app: APIFlask) -> Iterator[Service]:
    """Give it over a socket."""
    with serving(closed_app) as running:
        yield running


@pytest.fixture(scope="module")
def opened(live: LiveSearch, group: GroupCommit, data: Path) -> Iterator[Service]:
    """Give a service that takes changes and lets everybody read."""
    with serving(create_app(live, writes=group, access=Access(keys_of(data)))) as running:
        yield running


def wrong_authorizations(real: str, folder: KeyFolder) -> list[str]:
    """Return headers with keys that do not exist, each in its own way."""
    revoked, revoked_text = folder.create(("read", "write", "judge"))
    folder.revoke(revoked.id)
    draw = random.Random(15)
    alphabet = "ABCDEFabcdef0123456789_-"

    def mutated() -> str:
        place = draw.randrange(len(real))
        others = [character for character in alphabet if character != real[place]]
        return real[:place] + draw.choice(others) + real[place + 1 :]

    fixed = [
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {revoked_text}",
        f"Bearer {real}{real}",
        f"Bearer {real[:-1]}",
        f"Bearer {real},",
        f"Token {real}",
        real,
        "Basic",
        "Basic !!!",
        f"Basic {b64encode(real.encode()).decode()}",
        f"Basic {b64encode(f'{real}:'.encode()).decode()}",
        f"Digest {real}",
        "Bearer hfs_../../../etc/passwd_" + "A" * 43,
        "Bearer " + "A" * 8000,
        "Bearer null",
        "Bearer hfs_000000000000_" + "A" * 43,
    ]
    return fixed + [f"Bearer {mutated()}" for _ in range(ATTEMPTS - len(fixed))]


def test_no_wrong_key_passes_on_any_route(closed_app: APIFlask, data: Path) -> None:
    """Of 200 wrong keys each on every route and method none passes, and all get a 401 in the one
    shape that says how to get a key; with the right key each route answers something else."""
    real = key_in(data, "read", "write", "judge")
    wrong = wrong_authorizations(real, keys_of(data))
    client = closed_app.test_client()
    asked = 0
    for rule in closed_app.url_map.iter_rules():
        if rule.endpoint in ("static", "health.alive", "health.ready"):
            continue
        path = rule.rule.replace("<movie_id>", "5").replace("<int:film>", "5")
        for method in (rule.methods or set()) - {"HEAD"}:
            asked += 1
            for authorization in wrong:
                headers = {"Authorization": authorization}
                answer = client.open(path, method=method, headers=headers, json=FILM)
                assert answer.status_code == 401, (method, path, authorization)
                assert answer.headers["WWW-Authenticate"] == 'Bearer realm="films"'
                assert answer.json
                assert answer.json["error"]["code"] == "key_required"
                assert "python -m hybrid keys create" in answer.json["error"]["message"]
            headers = {"Authorization": f"Bearer {real}"}
            status = client.open(path, method=method, headers=headers, json={}).status_code
            assert status not in (401, 403), (method, path)
    assert asked >= 12


def test_what_does_not_exist_needs_a_key_too(closed: Service) -> None:
    """Without a key nobody learns which routes there are."""
    assert closed.get("/nowhere")[0] == 401
    assert closed.get("/openapi.json")[0] == 401


def test_probes_and_styles_need_no_key(closed: Service) -> None:
    """Monitors ask without one, and an error page is shown as it should be; metrics need one."""
    assert closed.get("/health/live")[0] == 200
    assert closed.get("/health/ready")[0] == 200
    assert closed.page("/static/shared/base.css")[0] == 200
    assert closed.raw("GET", "/metrics").status == 401


def test_reading_is_open_unless_closed(opened: Service) -> None:
    """Everybody searches; nobody changes anything without a key."""
    assert opened.get("/search", q="captain")[0] == 200
    assert replace(opened, key="wrong").get("/search", q="captain")[0] == 200
    for method in ("PUT", "DELETE"):
        status, answer = opened.send(method, "/movies/5", FILM)
        assert (status, answer["error"]["code"]) == (401, "key_required")
        assert "`python -m hybrid keys create --scope write`" in answer["error"]["message"]


def test_a_key_opens_what_its_scopes_say(closed: Service, data: Path) -> None:
    """Reading with a key to read, changing with one to write, and each else is a 403."""
    reader = replace(closed, key=key_in(data, "read"))
    writer = replace(closed, key=key_in(data, "write"))
    judge = replace(closed, key=key_in(data, "judge"))
    assert reader.get("/search", q="captain")[0] == 200
    assert writer.send("PUT", "/movies/900", FILM)[1]["change"] == "added"
    for service, method, path in (
        (reader, "PUT", "/movies/5"),
        (reader, "DELETE", "/movies/5"),
        (writer, "GET", "/search?q=captain"),
        (judge, "POST", "/search"),
        (judge, "PUT", "/movies/5"),
    ):
        status, answer = service.send(method, path, {"query": "captain"})
        assert (status, answer["error"]["code"]) == (403, "scope_missing"), (method, path)
        assert "keys create --scope" in answer["error"]["message"]


def test_keys_count_from_the_next_request_on(closed: Service, data: Path) -> None:
    """A service that runs knows a key once it was created, and no more once it was revoked."""
    key, text = keys_of(data).create(("read",))
    reader = replace(closed, key=text)
    for _ in range(2):
        assert reader.get("/search", q="captain")[0] == 200
    keys_of(data).revoke(key.id)
    assert reader.get("/search", q="captain")[0] == 401


def test_a_browser_asks_its_user_for_the_key(closed: Service, data: Path) -> None:
    """A page without a key challenges in the way browsers know; the key is the password."""
    status, text, headers = closed.page("/")
    assert (status, headers["WWW-Authenticate"]) == (401, 'Basic realm="films"')
    assert "This needs a key" in text
    password = b64encode(f"anybody:{key_in(data, 'read')}".encode()).decode()
    answer = closed.raw("GET", "/?q=captain", Authorization=f"Basic {password}", Accept="text/html")
    assert answer.status == 200


@pytest.mark.parametrize("path", ["/search?q=captain", "/", "/movies/5", "/metrics", "/nowhere"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST", "OPTIONS"])
def test_a_foreign_host_is_refused(opened: Service, method: str, path: str) -> None:
    """A name that somebody pointed to this machine is not answered for, with or without a port."""
    for host in ("evil.example", "evil.example:8000", "localhost.evil.example", ""):
        answer = opened.raw(method, path, Host=host)
        assert answer.status == 421, host
        assert answer.json()["error"]["code"] == "foreign_host"
    assert opened.raw(method, path, Host="localhost").status != 421


def test_probes_are_answered_for_any_host(opened: Service) -> None:
    """Orchestrators ask by the address of a container."""
    assert opened.raw("GET", "/health/ready", Host="10.1.2.3:8000").status == 200


def test_further_hosts_are_a_setting(live: LiveSearch) -> None:
    """A host that is listed is answered for, also to a client without a header Host."""
    app = create_app(live, access=Access(hosts=Hosts(frozenset({"films.example", "127.0.0.1"}))))
    with serving(app) as running:
        assert running.raw("GET", "/search?q=heist", Host="films.example").status == 200
        assert running.raw("GET", "/search?q=heist", Host="localhost").status == 421
        old = running.connect(b"GET /search?q=heist HTTP/1.0\r\n\r\n")
        assert received(old)[0] == 200


def test_pages_of_other_sites_change_nothing(opened: Service, data: Path) -> None:
    """Whatever key a browser sends along; a page of the service itself may."""
    writer = replace(opened, key=key_in(data, "write"))
    for origin in ("http://evil.example", "null", opened.url.replace("http", "ftp"), "x"):
        for method in ("PUT", "DELETE"):
            status, answer = writer.send(method, "/movies/901", FILM, Origin=origin)
            assert (status, answer["error"]["code"]) == (403, "cross_site")
    assert writer.send("PUT", "/movies/901", FILM, Origin=opened.url)[0] == 200
    assert writer.send("DELETE", "/movies/901", Origin=opened.url)[0] == 200
    assert opened.raw("GET", "/search?q=heist", Origin="http://evil.example").status == 200


def test_no_key_is_in_an_error(closed: Service) -> None:
    """An answer does not repeat what was sent as a key."""
    secret = "hfs_000000000000_" + "S" * 43
    answer = closed.raw("GET", "/search?q=x", Authorization=f"Bearer {secret}")
    assert answer.status == 401
    assert "SSSS" not in answer.data.decode()
