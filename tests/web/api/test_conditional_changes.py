"""Changes that depend on what a film is now, that wait until they are shown, and their audit."""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid.errors import BuildFailed, NotDurable, PreconditionFailed
from hybrid.movie import Movie, content_hash
from hybrid.serving.watcher import GenerationWatcher
from hybrid.serving.writes import ANY, AT_ONCE, Condition, Terms
from hybrid.storage.generation import number_of, open_current, published
from hybrid.web.api import movies as module
from hybrid.web.app import create_app
from indexer import group_commit
from indexer.group_commit import GroupCommit
from tests import corpus
from tests.eventually import eventually
from tests.faults.injection import failing_syncs
from tests.stores import build_stores, follow_stores, open_group
from tests.stores_agree import assert_holds
from tests.web.api.test_writes import Gate, chosen_then_failing, waiting
from tests.web.http import Service, serving
from tests.web.keys import access_to, keys_of

FILMS = corpus.films(40)

FILM = {"title": "The Lighthouse Machine"}

CONTENTS = {film.id: content_hash(film) for film in FILMS}

FIRST = FILMS[0].id


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Give a data folder with a published generation."""
    build_stores(tmp_path / "data", FILMS)
    return tmp_path / "data"


@pytest.fixture
def group(data: Path) -> Iterator[GroupCommit]:
    """Give what changes it."""
    made = open_group(data)
    yield made
    made.close()


@pytest.fixture
def follower(data: Path) -> Iterator[GenerationWatcher]:
    """Give what serves it, which notices a publication only when it is told to look."""
    made = follow_stores(data)
    yield made
    made.close()


@pytest.fixture
def service(data: Path, group: GroupCommit, follower: GenerationWatcher) -> Iterator[Service]:
    """Give a service that takes changes with the key of the test."""
    app = create_app(follower.live, writes=group, access=access_to(data))
    with serving(app) as running:
        yield replace(running, key=keys_of(data).create(("write",), "test")[1])


def test_a_film_has_the_etag_of_its_content(service: Service) -> None:
    """A client that has it gets no body; with another it gets the film."""
    answer = service.raw("GET", f"/movies/{FIRST}")
    assert answer.headers["ETag"] == f'"{CONTENTS[FIRST]}"'
    for known in (answer.headers["ETag"], f'"x", W/{answer.headers["ETag"]}', "*"):
        again = service.raw("GET", f"/movies/{FIRST}", **{"If-None-Match": known})
        assert (again.status, again.data) == (304, b"")
        assert again.headers["ETag"] == answer.headers["ETag"]
    other = service.raw("GET", f"/movies/{FIRST}", **{"If-None-Match": '"x"'})
    assert (other.status, other.data) == (200, answer.data)
    assert "ETag" not in service.raw("GET", "/movies/5").headers


def test_a_film_is_changed_only_if_it_is_as_the_client_knows_it(
    service: Service, data: Path
) -> None:
    """Otherwise 412 names the ETag that it has, and nothing is published."""
    before = published(data)
    right, wrong = f'"{CONTENTS[FIRST]}"', '"0000"'
    for method in ("PUT", "DELETE"):
        for tags in (wrong, "", f"W/{right}", f'"{CONTENTS[FIRST][:-1]}"'):
            status, answer = service.send(method, f"/movies/{FIRST}", FILM, If_Match=tags)
            assert (status, answer["error"]["code"]) == (412, "precondition_failed"), tags
            assert right in answer["error"]["message"]
    for tags in (right, "*"):
        status, answer = service.send("PUT", "/movies/5", FILM, If_Match=tags)
        assert (status, answer["error"]["code"]) == (412, "precondition_failed")
        assert "does not exist" in answer["error"]["message"]
        assert service.send("DELETE", "/movies/5", If_Match=tags)[0] == 412
    assert published(data) == before
    status, answer = service.send("PUT", f"/movies/{FIRST}", FILM, If_Match=f"{wrong}, {right}")
    assert (status, answer["change"]) == (200, "changed")
    status, answer = service.send("PUT", f"/movies/{FIRST}", FILM, If_Match=answer["etag"])
    assert (status, answer["change"]) == (200, "unchanged")
    status, answer = service.send("DELETE", f"/movies/{FIRST}", If_Match=answer["etag"])
    assert (status, answer["change"], answer["etag"]) == (200, "removed", None)
    assert_holds(open_current(data), FILMS[1:])


def test_a_film_is_only_created_on_request(service: Service) -> None:
    """With `If-None-Match: *` an existing film is a 412."""
    assert service.send("PUT", "/movies/5", FILM, If_None_Match="*")[1]["change"] == "added"
    status, answer = service.send("PUT", "/movies/5", FILM, If_None_Match="*")
    assert (status, answer["error"]["code"]) == (412, "precondition_failed")


def test_of_changes_that_race_one_wins(
    group: GroupCommit, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where many change the same state of a film in one group the first does, and every other is
    told; so with many that create one."""
    gate = Gate(monkeypatch)
    unchanged = Terms(Condition(among=frozenset({CONTENTS[FIRST]})))
    absent = Terms(Condition(not_among=frozenset({ANY})))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        first = pool.submit(group.put, 5, FILM)
        eventually(lambda: gate.groups == 1)
        racing = []
        for number in range(6):
            racing.append(pool.submit(group.put, FIRST, FILM | {"year": 2000 + number}, unchanged))
            waiting(group, 2 * number + 1)
            racing.append(pool.submit(group.put, 6, FILM | {"year": 2000 + number}, absent))
            waiting(group, 2 * number + 2)
        gate.open.set()
        failed = [future.exception() for future in racing]
    assert first.result().change == "added"
    assert [error is None for error in failed] == [True] * 2 + [False] * 10
    assert all(isinstance(error, PreconditionFailed) for error in failed[2:])
    put = [Movie(id=n, title=FILM["title"], year=y) for n, y in ((5, None), (6, 2000))]
    changed = Movie(id=FIRST, title=FILM["title"], year=2000)
    assert_holds(open_current(data), [changed, *FILMS[1:], *put])


contents = st.none() | st.sets(st.sampled_from(["a", "b", ANY])).map(frozenset)


@given(contents, contents, st.sampled_from([None, "a", "b", "c"]))
def test_conditions_are_those_of_http(
    among: frozenset[str] | None, not_among: frozenset[str] | None, content: str | None
) -> None:
    """RFC 9110, 13.1.1 and 13.1.2: If-Match needs one that matches, If-None-Match needs none;
    `*` matches whatever exists."""
    matching = {content, ANY} if content else set()
    expected = (among is None or bool(among & matching)) and not (not_among or set()) & matching
    assert Condition(among, not_among).holds(content) == expected


def test_a_change_is_waited_for_until_it_is_shown(
    service: Service, follower: GenerationWatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With wait=shown the answer comes once this process shows the film, as a GET then says."""
    monkeypatch.setattr(module, "SHOWN_WITHIN", 600.0)
    with ThreadPoolExecutor(1) as pool:
        put = pool.submit(service.send, "PUT", "/movies/5?wait=shown", FILM)
        eventually(lambda: not put.done() and number_of(published_name(follower)) > 1)
        assert service.get("/movies/5")[0] == 404
        follower.refresh()
        status, answer = put.result(30)
    assert (status, answer["shown"], answer["change"]) == (200, True, "added")
    assert service.get("/movies/5")[0] == 200
    again = service.send("PUT", "/movies/5?wait=shown", FILM)[1]
    assert (again["change"], again["shown"]) == ("unchanged", True)


def published_name(follower: GenerationWatcher) -> str:
    """Return the name of the published generation."""
    return published(follower._data)[0].name


def test_waiting_ends(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change that is not shown in time is answered: it is published, not shown yet."""
    monkeypatch.setattr(module, "SHOWN_WITHIN", 0.05)
    status, answer = service.send("PUT", "/movies/5?wait=shown", FILM)
    assert (status, answer["change"], answer["shown"]) == (200, "added", False)


def test_those_that_wait_are_bounded(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the bound a change is answered at once, and a place is free again afterwards."""
    monkeypatch.setattr(module, "SHOWN_WITHIN", 600.0)
    for _ in range(AT_ONCE):
        assert module._waiting.acquire(blocking=False)
    try:
        assert service.send("PUT", "/movies/5?wait=shown", FILM)[1]["shown"] is False
    finally:
        module._waiting.release(AT_ONCE)
    monkeypatch.setattr(module, "SHOWN_WITHIN", 0.01)
    for _ in range(AT_ONCE + 1):
        assert service.send("PUT", "/movies/5?wait=shown", FILM)[1]["shown"] is False
    assert module._waiting._value == AT_ONCE


@pytest.mark.parametrize("query", ["wait=seen", "wait=", "wat=shown"])
def test_other_waits_are_refused(service: Service, data: Path, query: str) -> None:
    """What is misspelt is an error that names it, and nothing is published."""
    before = published(data)
    for method in ("PUT", "DELETE"):
        status, answer = service.send(method, f"/movies/{FIRST}?{query}", FILM)
        assert (status, list(answer["error"]["fields"])) == (422, [query.partition("=")[0]])
    assert published(data) == before


def test_every_change_is_in_the_audit_log(
    service: Service, data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A line has the key's id, the film, its content before and after, and the generation; what was
    refused has none, and no line has a key."""
    (key,) = keys_of(data).all()
    caplog.set_level(logging.INFO, "hybrid.audit")
    put = service.send("PUT", f"/movies/{FIRST}", FILM)[1]
    after = content_hash(Movie(id=FIRST, title=FILM["title"]))
    assert service.send("PUT", f"/movies/{FIRST}", FILM, If_Match='"x"')[0] == 412
    assert service.send("DELETE", "/movies/77")[0] == 404
    assert service.send("PUT", f"/movies/{FIRST}", {})[0] == 422
    deleted = service.send("DELETE", f"/movies/{FIRST}")[1]
    expected = [
        ("changed", CONTENTS[FIRST], after, put["generation"]),
        ("removed", after, None, deleted["generation"]),
    ]
    lines = [vars(record) for record in caplog.records if record.name == "hybrid.audit"]
    names = ("key", "film", "change", "before", "after", "generation")
    assert [tuple(line[name] for name in names) for line in lines] == [
        (key.id, FIRST, *fields) for fields in expected
    ]
    assert service.key
    assert service.key not in caplog.text


def test_a_change_that_may_be_lost_is_in_the_audit_log(
    group: GroupCommit,
    data: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is published all the same; a change that is not published is not in the log."""
    caplog.set_level(logging.INFO, "hybrid.audit")
    group.put(7, FILM)
    with failing_syncs(data, 2), pytest.raises(NotDurable):
        group.put(5, FILM)
    (_, record) = caplog.records
    assert vars(record)["film"] == 5
    assert vars(record)["generation"] == published(data)[0].name
    monkeypatch.setattr(group_commit, "change", chosen_then_failing)
    with pytest.raises(BuildFailed):
        group.put(6, FILM)
    assert len(caplog.records) == 2
