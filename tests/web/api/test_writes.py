"""Films changed over HTTP: acknowledged once published, shown by itself, off unless allowed."""

import math
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from hybrid.errors import BuildFailed, NotDurable, NotFound
from hybrid.movie import Movie
from hybrid.serving.writes import AT_ONCE
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.generation import CATALOGUE, CURRENT, open_current, published
from hybrid.web.app import create_app
from indexer import group_commit as module
from indexer.backends import Backends
from indexer.change import Changes
from indexer.generations import lock
from indexer.generations.lock import writer_lock
from indexer.group_commit import GroupCommit
from indexer.update import UpdateResult, change
from tests import corpus
from tests.command import run_code
from tests.eventually import eventually
from tests.faults.injection import failing_syncs
from tests.stores import build_stores, follow_stores, open_group, tools
from tests.stores_agree import assert_holds
from tests.web.http import Service, serving
from tests.web.keys import access_to, key_in

FILMS = corpus.films(40)

FILM = {"title": "The Lighthouse Machine", "genres": ["Drama"], "description": "It dreams."}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Give a data folder with a published generation."""
    build_stores(tmp_path / "data", FILMS)
    return tmp_path / "data"


@pytest.fixture
def group(data: Path) -> Iterator[GroupCommit]:
    """Give what changes it, done with what it does at the start."""
    made = open_group(data)
    with suppress(NotFound):
        made.delete(77)
    yield made
    made.close()


@pytest.fixture
def service(data: Path, group: GroupCommit) -> Iterator[Service]:
    """Give a service that takes changes."""
    follower = follow_stores(data)
    follower.start()
    app = create_app(follower.live, writes=group, access=access_to(data))
    with serving(app) as running:
        yield replace(running, key=key_in(data, "write"))
    follower.close()


def test_a_film_is_put_changed_and_deleted(service: Service, data: Path) -> None:
    """Each change is answered with the generation that has it, and shown soon."""
    status, answer = service.send("PUT", "/movies/5", FILM)
    assert (status, answer["change"], answer["shown"]) == (200, "added", None)
    assert answer["generation"] == published(data)[0].name
    eventually(lambda: service.get("/movies/5")[0] == 200)
    _, found = service.get("/search", q="lighthouse machine")
    assert found["hits"][0]["id"] == 5
    assert service.send("PUT", "/movies/5", FILM)[1] == answer | {"change": "unchanged"}
    assert service.send("PUT", "/movies/5", FILM | {"year": 1999})[1]["change"] == "changed"
    eventually(lambda: service.get("/movies/5")[1]["year"] == 1999)
    status, answer = service.send("DELETE", "/movies/5")
    assert (status, answer["id"], answer["change"]) == (200, 5, "removed")
    eventually(lambda: service.get("/movies/5")[0] == 404)
    assert_holds(open_current(data), FILMS)


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        ("/movies/5", {}, 422, "title"),
        ("/movies/5", {"title": " "}, 422, "title"),
        ("/movies/5", FILM | {"id": 5}, 422, "id"),
        ("/movies/5", FILM | {"colour": "red"}, 422, "colour"),
        ("/movies/5", FILM | {"year": 1492}, 422, "year"),
        ("/movies/5", FILM | {"votes": 2**40}, 422, "votes"),
        ("/movies/5", FILM | {"genres": "Drama"}, 422, "genres"),
        ("/movies/5", {"title": "\x00\x01"}, 422, "title"),
        ("/movies/5", FILM | {"cast": ["a\ud800b"]}, 422, "cast"),
        ("/movies/5", [FILM], 422, "body"),
        ("/movies/x", FILM, 422, "id"),
        ("/movies/9223372036854775808", FILM, 404, "id"),
    ],
)
def test_what_is_no_film_is_refused(
    service: Service, data: Path, path: str, body: object, status: int, field: str
) -> None:
    """The error names the field, and nothing is published."""
    before = published(data)
    found, answer = service.send("PUT", path, body)
    assert found == status
    assert list(answer["error"]["fields"]) == [field]
    assert published(data) == before


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("genres", [f"Kind {n}" for n in range(51)], "51 entries, expected 50 at most"),
        ("cast", ["x" * 201], "an entry of 201 characters, expected 200 at most"),
        ("keywords", [f"word {n}" for n in range(301)], "301 entries, expected 300 at most"),
        ("title", "x" * 1001, "1,001 characters, expected 1,000 at most"),
        ("description", "x" * 50_001, "50,001 characters, expected 50,000 at most"),
        (
            "description",
            " ".join(f"W{n}." for n in range(6_550)),
            "6,550 sentences, expected 300 at most",
        ),
    ],
)
def test_what_is_too_long_is_refused(
    service: Service, data: Path, field: str, value: object, problem: str
) -> None:
    """The error names the field and the limit, nothing is embedded, and nothing is published."""
    before = published(data)
    status, answer = service.send("PUT", "/movies/5", FILM | {field: value})
    assert status == 422
    assert list(answer["error"]["fields"]) == [field]
    assert problem in answer["error"]["fields"][field]
    assert published(data) == before


def test_an_unknown_film_cannot_be_deleted(service: Service, data: Path) -> None:
    """It is 404, and nothing is published."""
    before = published(data)
    status, answer = service.send("DELETE", "/movies/77")
    assert (status, answer["error"]["code"]) == (404, "not_found")
    assert published(data) == before


def test_changes_are_off_unless_allowed(data: Path) -> None:
    """Without the setting the service says which one allows them."""
    follower = follow_stores(data)
    with serving(create_app(follower.live)) as running:
        for method, body in (("PUT", FILM), ("PUT", {}), ("DELETE", None)):
            status, answer = running.send(method, "/movies/5", body)
            assert (status, answer["error"]["code"]) == (403, "writes_off")
            assert "HYBRID_WRITES=on" in answer["error"]["message"]
    follower.close()


def waiting(group: GroupCommit, orders: int) -> None:
    """Wait until so many changes wait to be taken into a group."""
    eventually(lambda: group._orders.qsize() == orders)


class Gate:
    """Holds back publications, and counts them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, then: Callable[..., UpdateResult] = change):
        self.open = threading.Event()
        self.groups = 0
        self._then = then
        monkeypatch.setattr(module, "change", self._change)

    def _change(self, *arguments: Any, **named: Any) -> UpdateResult:
        self.groups += 1
        assert self.open.wait(60)
        return self._then(*arguments, **named)


def test_changes_that_arrive_together_share_a_generation(
    service: Service, group: GroupCommit, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one is published others wait, and all of them are in the next one, in their order."""
    gate = Gate(monkeypatch)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(service.send, "PUT", "/movies/5", FILM)
        eventually(lambda: gate.groups == 1)
        others = [pool.submit(service.send, "PUT", f"/movies/{n}", FILM) for n in range(1000, 1006)]
        waiting(group, 6)
        others.append(pool.submit(service.send, "DELETE", "/movies/5"))
        waiting(group, 7)
        gate.open.set()
        answers = [other.result() for other in others]
    assert gate.groups == 2
    assert first.result()[1]["generation"].startswith("2-")
    assert {answer["generation"] for _, answer in answers} == {published(data)[0].name}
    assert [answer["change"] for _, answer in answers] == ["added"] * 6 + ["removed"]
    added = [Movie(id=n, **movie_fields()) for n in range(1000, 1006)]
    assert_holds(open_current(data), [*FILMS, *added])


def test_a_change_waits_for_as_many_as_there_were_before(
    group: GroupCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clients that were answered together send their next changes one after the other: these share
    a generation, which is published once the last one is there."""
    monkeypatch.setattr(module, "GATHER", 60.0)
    gate = Gate(monkeypatch)
    with ThreadPoolExecutor(4) as pool:
        pool.submit(group.put, 5, FILM)
        eventually(lambda: gate.groups == 1)
        together = [pool.submit(group.delete, film.id) for film in FILMS[:2]]
        waiting(group, 2)
        gate.open.set()
        assert len({one.result(30).generation for one in together}) == 1
        first = pool.submit(group.put, 6, FILM)
        eventually(lambda: group._slots._value == AT_ONCE - 1 and group._orders.empty())
        second = pool.submit(group.put, 7, FILM)
        assert second.result(30).generation == first.result(30).generation


def test_the_changes_of_a_group_are_made_in_their_order(
    group: GroupCommit, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is made to what the one before it left, and the last one counts."""
    gate = Gate(monkeypatch)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(group.put, 5, FILM)
        eventually(lambda: gate.groups == 1)
        orders = [
            partial(group.put, 6, FILM),
            partial(group.put, 6, FILM | {"year": 1999}),
            partial(group.delete, 6),
            partial(group.put, 6, FILM | {"year": 2000}),
        ]
        others = []
        for number, order in enumerate(orders, start=1):
            others.append(pool.submit(order))
            waiting(group, number)
        gate.open.set()
        kinds = [other.result().change for other in (first, *others)]
    assert gate.groups == 2
    assert kinds == ["added", "added", "changed", "removed", "added"]
    with closing(Catalogue(open_current(data).folder)) as catalogue:
        assert {movie.id: movie.year for movie in catalogue.all_films()}[6] == 2000


def movie_fields() -> dict[str, Any]:
    """Return the fields of the film that is put."""
    return FILM | {"genres": ("Drama",)}


def test_too_many_changes_at_once_are_refused(
    service: Service, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that wait leave room for searches; the next one is refused for now."""
    gate = Gate(monkeypatch)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting = [
            pool.submit(service.send, "PUT", f"/movies/{1000 + n}", FILM) for n in range(AT_ONCE)
        ]
        eventually(lambda: service.send("PUT", "/movies/5", FILM | {"id": 5})[0] == 422)
        eventually(lambda: service.send("DELETE", "/movies/77")[0] == 503)
        status, answer = service.send("PUT", "/movies/5", FILM)
        assert (status, answer["error"]["code"]) == (503, "too_many_changes")
        assert service.get("/search", q="captain")[0] == 200
        gate.open.set()
        assert {status for status, _ in (one.result() for one in waiting)} == {200}


def test_changes_that_are_done_make_room(
    group: GroupCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More changes than may wait at once are taken one after the other, also those that fail."""
    monkeypatch.setattr(module, "GATHER", 0.0)
    for _ in range(AT_ONCE + 1):
        with pytest.raises(NotFound):
            group.delete(77)


def test_what_others_left_is_removed_at_the_start(data: Path) -> None:
    """What a killed command left goes when the service starts, before any change."""
    left = data / "generations" / f"7-{'0' * 12}.unfinished"
    left.mkdir()
    open_group(data).close()
    assert not left.exists()


def test_a_removal_is_only_acknowledged_once_published(
    group: GroupCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A film is not said to be missing because of a change that then fails."""
    gate = Gate(monkeypatch, chosen_then_failing)
    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(group.put, 5, FILM)]
        eventually(lambda: gate.groups == 1)
        futures += [pool.submit(group.delete, FILMS[0].id) for _ in range(3)]
        waiting(group, 3)
        gate.open.set()
        for future in futures:
            with pytest.raises(BuildFailed, match="No space"):
                future.result(60)
    assert gate.groups == 2


def chosen_then_failing(
    data: Path, choose: Callable[[Catalogue], Changes], _: Backends, **__: object
) -> UpdateResult:
    """Look at what is to be changed, then fail like a full disk."""
    with closing(Catalogue(open_current(data).folder)) as catalogue:
        choose(catalogue)
    raise OSError(28, "No space left on device")


def test_one_film_spoils_no_other(group: GroupCommit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a group cannot be published each change is tried alone."""
    gate = Gate(monkeypatch, refusing)
    with ThreadPoolExecutor(8) as pool:
        futures = {4: pool.submit(group.put, 4, FILM)}
        eventually(lambda: gate.groups == 1)
        futures |= {n: pool.submit(group.put, n, FILM) for n in (5, 6, 7, 8)}
        waiting(group, 4)
        gate.open.set()
        failed = {n: future.exception() for n, future in futures.items()}
    assert [n for n, error in failed.items() if error] == [7]
    assert "film 7" in str(failed[7])
    assert gate.groups == 2 + 4


def refusing(
    data: Path, choose: Callable[[Catalogue], Changes], tools: Backends, **named: Any
) -> UpdateResult:
    """Refuse film 7."""

    def checked(catalogue: Catalogue) -> Changes:
        changes = choose(catalogue)
        if any(movie.id == 7 for movie in changes.films):
            raise BuildFailed("film 7 is refused")
        return changes

    return change(data, checked, tools, **named)


def test_a_sync_that_fails_once_is_made_good(group: GroupCommit, data: Path) -> None:
    """The change is answered as if nothing had been."""
    with failing_syncs(data, 1):
        assert group.put(5, FILM).change == "added"


@pytest.mark.parametrize("times", [2, math.inf])
def test_what_may_be_lost_is_not_acknowledged(
    group: GroupCommit, data: Path, monkeypatch: pytest.MonkeyPatch, times: float
) -> None:
    """Where the folder of CURRENT cannot be synced, each change of a group is told that it is
    published and may be lost, and none is tried alone. The same change made again is answered once
    CURRENT was written again and synced, and else is an error."""
    gate = Gate(monkeypatch)
    with failing_syncs(data, times), ThreadPoolExecutor(8) as pool:
        first = pool.submit(group.delete, 77)
        eventually(lambda: gate.groups == 1)
        others = [pool.submit(group.put, n, FILM) for n in (6, 7, 8)]
        waiting(group, 3)
        gate.open.set()
        assert isinstance(first.exception(), NotFound)
        for other in others:
            with pytest.raises(NotDurable, match="is published, but a power cut may undo that"):
                other.result(60)
        assert gate.groups == 2
        if times == math.inf:
            with pytest.raises(BuildFailed, match="Input/output error"):
                group.put(6, FILM)
    with (data / CURRENT).open() as before:  # open, so that its inode is not used again
        assert group.put(6, FILM).change == "unchanged"
        assert not os.path.samestat(os.fstat(before.fileno()), (data / CURRENT).stat())
        assert before.read() == (data / CURRENT).read_text()


def test_another_writer_is_reported(service: Service, data: Path) -> None:
    """While a command writes, a change is refused and may be tried again."""
    with writer_lock(data, patience=10):  # the service tidies up when it starts
        status, answer = service.send("PUT", "/movies/5", FILM)
    assert (status, answer["error"]["code"]) == (503, "another_writer")
    assert service.send("PUT", "/movies/5", FILM)[0] == 200


def test_another_writer_is_waited_for(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change over HTTP is published once the command that writes is done."""
    patient = GroupCommit(data, replace(tools(), patience=10.0))
    patient.put(4, FILM)
    tried = threading.Event()

    def trying(seconds: float) -> None:
        tried.set()
        sleep(seconds)

    with ThreadPoolExecutor(1) as pool:
        with writer_lock(data, patience=10):
            monkeypatch.setattr(lock, "sleep", trying)
            put = pool.submit(patient.put, 5, FILM)
            assert tried.wait(60)
            assert not put.done()
        assert put.result(60).change == "added"
    patient.close()


def test_a_damaged_generation_is_not_changed(service: Service, data: Path) -> None:
    """The file is named, the service goes on with what it has open, and nothing is published."""
    file = open_current(data).file(CATALOGUE)
    content = file.read_bytes()
    file.write_bytes(content[:-1])
    status, answer = service.send("PUT", "/movies/5", FILM)
    assert (status, answer["error"]["code"]) == (503, "generation_unusable")
    assert str(file) in answer["error"]["message"]
    assert service.get("/search", q="captain")[0] == 200
    file.write_bytes(content)
    assert service.send("PUT", "/movies/5", FILM)[0] == 200


def test_the_service_changes_films_without_what_a_build_needs() -> None:
    """Neither PyTorch nor pandas nor a progress bar is imported for a change."""
    code = (
        "import sys, indexer.group_commit, indexer.update\n"
        "found = {'torch', 'pandas', 'tqdm', 'sentence_transformers'} & set(sys.modules)\n"
        "assert not found, found"
    )
    run_code(code)
