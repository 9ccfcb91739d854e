"""A process that serves while others publish: it keeps up, and never serves what is damaged."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from sqlite3 import ProgrammingError
from threading import Event

import pytest

from hybrid.engines.lexical.tantivy import TantivyEngine
from hybrid.errors import EngineUnavailable, GenerationUnusable, InvalidInput
from hybrid.fusion.preferences import FILE, Preferences
from hybrid.query import SearchQuery
from hybrid.serving.watcher import POLL, REST, GenerationWatcher
from hybrid.storage.generation import CATALOGUE, CURRENT, open_current, published
from hybrid.web.app import create_app
from indexer.generations.publish import publish_previous
from tests import corpus
from tests.eventually import eventually
from tests.stores import build_stores, follow_stores, put, remove
from tests.web.http import Service, serving

FIRST, SECOND = corpus.films(40), corpus.films(60)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Give a data folder with a published generation."""
    build_stores(tmp_path / "data", FIRST)
    return tmp_path / "data"


@pytest.fixture
def watcher(data: Path) -> Iterator[GenerationWatcher]:
    """Give what serves it, not yet watching by itself."""
    found = follow_stores(data)
    yield found
    found.close()


def size(watcher: GenerationWatcher) -> int:
    """Return the number of films that are served."""
    search = watcher.live.acquire()
    watcher.live.release(search)
    return len(search.catalogue)


def damage(data: Path) -> Path:
    """Flip a bit in the catalogue of the published generation."""
    file = data / "generations" / published(data)[0].name / CATALOGUE
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    return file


def test_a_new_generation_is_noticed(data: Path, watcher: GenerationWatcher) -> None:
    """Within seconds of its publication the new generation answers."""
    watcher.start()
    assert size(watcher) == len(FIRST)
    build_stores(data, SECOND)
    eventually(lambda: size(watcher) == len(SECOND))
    assert watcher.live.publication_problem is None


def pauses_between(
    watcher: GenerationWatcher,
    monkeypatch: pytest.MonkeyPatch,
    *refreshes: tuple[float, Callable[[], object]],
) -> list[float]:
    """Return how long a watcher pauses before each refresh, and after the last. Refreshes take so
    many seconds, and something is done before each."""
    now, pauses, steps = [100.0], list[float](), iter(refreshes)
    refresh = watcher.refresh

    class Clock(Event):
        """Notes the pauses, and sets itself once nothing is left to be done."""

        def wait(self, timeout: float | None = None) -> bool:
            pauses.append(timeout or 0.0)
            return len(pauses) > len(refreshes)

    def step() -> None:
        seconds, act = next(steps)
        act()
        refresh()
        now[0] += seconds

    monkeypatch.setattr(watcher, "_stop", Clock())
    monkeypatch.setattr(watcher, "refresh", step)
    monkeypatch.setattr("hybrid.serving.watcher.monotonic", lambda: now[0])
    watcher._run()
    return pauses


def test_searches_have_half_of_the_time(
    watcher: GenerationWatcher, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However quickly changes follow each other, opening them pauses for as long as it took."""
    idle, change = lambda: None, lambda: put(data, SECOND[-1])
    pauses = pauses_between(watcher, monkeypatch, (0.0, idle), (7.0, change), (0.5, idle))
    assert pauses == pytest.approx([POLL, POLL, POLL + 7.0, POLL + 0.5])


def test_searches_have_more_where_many_change_films(
    watcher: GenerationWatcher, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After changes that were published together, put or removed, generations are left out; after
    a single one again none is."""
    steps = (
        (1.0, lambda: put(data, *SECOND[40:42])),
        (1.0, lambda: remove(data, SECOND[0].id)),
        (2.0, lambda: remove(data, SECOND[1].id, SECOND[2].id)),
        (1.0, lambda: put(data, SECOND[43])),
    )
    pauses = pauses_between(watcher, monkeypatch, *steps)
    assert pauses == pytest.approx([POLL, POLL + REST, POLL + 1, POLL + 2 * REST, POLL + 1])


def test_a_request_ends_on_the_generation_it_began_with(
    data: Path, watcher: GenerationWatcher
) -> None:
    """A search stays open through two publications, and is closed when it is released."""
    held, again = watcher.live.acquire(), watcher.live.acquire()
    assert held is again
    for films in (SECOND, FIRST):
        build_stores(data, films)
        watcher.refresh()
    assert held.search(SearchQuery(query="captain")).generation.startswith("1-")
    watcher.live.release(again)
    assert held.movie(FIRST[0].id) == FIRST[0]
    watcher.live.release(held)
    with pytest.raises(ProgrammingError, match="closed"):
        held.catalogue.highest_id()  # films that were shown are kept in memory


def test_what_is_served_is_closed_with_it(data: Path) -> None:
    """Nothing of the generation stays open."""
    closed = follow_stores(data)
    search = closed.live.acquire()
    closed.close()
    with pytest.raises(ProgrammingError, match="closed"):
        search.movie(FIRST[0].id)


def test_a_damaged_generation_is_refused(
    data: Path, watcher: GenerationWatcher, caplog: pytest.LogCaptureFixture
) -> None:
    """The old one goes on, the new one is named with what is wrong, there and in the log; repaired,
    it is served."""
    name = build_stores(data, SECOND).manifest.name
    file = damage(data)
    with serving(create_app(watcher.live)) as service:
        assert ready(service) == ("ready", [])
        watcher.refresh()
        status, problems = ready(service)
        assert status == "degraded"
        assert len(problems) == 1
        assert name in problems[0]
        assert str(file) in problems[0]
        assert service.get("/search", q="captain")[0] == 200
    logged = [vars(each) for each in caplog.records if each.msg == "generation unusable"]
    assert [each["generation"] for each in logged] == [name]
    assert str(file) in logged[0]["problem"]
    assert size(watcher) == len(FIRST)
    build_stores(data, SECOND)
    watcher.refresh()
    assert (size(watcher), watcher.live.publication_problem) == (len(SECOND), None)


def ready(service: Service) -> tuple[str, list[str]]:
    """Return what the service says of itself."""
    _, answer = service.get("/health/ready")
    return answer["status"], answer["problems"]


def test_a_generation_is_tried_again(
    data: Path, watcher: GenerationWatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that could not be opened is served once it can be, though nothing else is published."""
    build_stores(data, SECOND)
    file = open_current(data).file(CATALOGUE)
    content = file.read_bytes()
    damage(data)
    watcher.refresh()
    file.write_bytes(content)
    watcher.refresh()
    assert size(watcher) == len(FIRST)
    monkeypatch.setattr("hybrid.serving.watcher.RETRY", -1.0)
    watcher.refresh()
    assert (size(watcher), watcher.live.publication_problem) == (len(SECOND), None)


def test_at_the_start_the_one_before_stands_in(data: Path) -> None:
    """A service that finds the published generation damaged serves the one before, and says so."""
    name = build_stores(data, SECOND).manifest.name
    damage(data)
    with pytest.raises(GenerationUnusable, match=CATALOGUE):
        open_current(data)
    watcher = follow_stores(data)
    assert size(watcher) == len(FIRST)
    assert name in str(watcher.live.publication_problem)
    watcher.refresh()
    assert name in str(watcher.live.publication_problem)
    watcher.close()


def test_nothing_to_serve_is_an_error(data: Path) -> None:
    """Without a generation before it, a damaged one ends the start with its name."""
    damage(data)
    with pytest.raises(GenerationUnusable, match=CATALOGUE):
        follow_stores(data)


def test_current_is_lost_while_serving(data: Path, watcher: GenerationWatcher) -> None:
    """A folder that loses its CURRENT costs no answer; it is reported until it is there again."""
    text = (data / CURRENT).read_text()
    (data / CURRENT).unlink()
    watcher.refresh()
    assert "no index" in str(watcher.live.publication_problem)
    assert size(watcher) == len(FIRST)
    (data / CURRENT).write_text(text)
    watcher.refresh()
    assert watcher.live.publication_problem is None


def test_what_is_served_is_checked(
    data: Path, watcher: GenerationWatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that shrinks, or an engine that loses films, is reported within a minute."""
    monkeypatch.setattr("hybrid.serving.watcher.CHECK", -1.0)
    watcher.refresh()
    assert watcher.live.store_problem is None
    file = data / "generations" / published(data)[0].name / "vectors-0.npy"
    content = file.read_bytes()
    os.truncate(file, len(content) - 1)
    watcher.refresh()
    assert str(file) in str(watcher.live.store_problem)
    file.write_bytes(content)
    monkeypatch.setattr(TantivyEngine, "count", lambda _: len(FIRST) + 2)
    monkeypatch.setattr("hybrid.serving.watcher.SETTLED", -1.0)
    watcher.refresh()
    assert watcher.live.store_problem is None
    watcher.refresh()
    assert "holds 2 films too many" in str(watcher.live.store_problem)
    with serving(create_app(watcher.live)) as service:
        assert ready(service)[0] == "degraded"


def test_what_is_served_is_checked_from_the_start(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Films that the engine lacks are reported once that lasts, until a build repairs it."""
    with monkeypatch.context() as patched:
        patched.setattr(TantivyEngine, "count", lambda _: len(FIRST) - 2)
        watcher = follow_stores(data)
        watcher.refresh()
        assert watcher.live.store_problem is None
        patched.setattr("hybrid.serving.watcher.SETTLED", -1.0)
        watcher.refresh()
    assert "lacks 2 films" in str(watcher.live.store_problem)
    build_stores(data, SECOND)
    watcher.refresh()
    assert watcher.live.store_problem is None
    watcher.close()


def test_a_monitor_sees_it(
    data: Path, watcher: GenerationWatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The figures at /metrics say which generation is served, and what is wrong."""
    monkeypatch.setattr("hybrid.serving.watcher.CHECK", -1.0)
    monkeypatch.setattr("hybrid.serving.watcher.time", lambda: 1234567890.5)
    watcher.refresh()
    with serving(create_app(watcher.live)) as service:
        figures = scraped(service)
        assert figures["hybrid_films"] == len(FIRST)
        assert figures[f'hybrid_generation_info{{generation="{published(data)[0].name}"}}'] == 1
        assert figures["hybrid_stores_checked_timestamp_seconds"] == 1234567890.5
        assert [figures[f"hybrid_{name}"] for name in WHOLE] == [1, 1, 1]
        build_stores(data, SECOND)
        damage(data)
        watcher.refresh()
        watcher.live.store_problem = "vectors-0.npy is gone"
        monkeypatch.setattr(TantivyEngine, "check", away)
        assert [scraped(service)[f"hybrid_{name}"] for name in WHOLE] == [0, 0, 0]


WHOLE = ("published_served", "stores_whole", "keyword_engine_up")


def scraped(service: Service) -> dict[str, float]:
    """Return the figures that a monitor reads."""
    lines = service.page("/metrics")[1].splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def away(_: TantivyEngine) -> None:
    """Stand for an engine that does not answer."""
    raise EngineUnavailable("away")


def preferences(watcher: GenerationWatcher) -> Preferences:
    """Return those that requests are ranked by."""
    search = watcher.live.acquire()
    watcher.live.release(search)
    return search.preferences


def test_new_preferences_rank_at_once(data: Path, watcher: GenerationWatcher) -> None:
    """The file is followed without a restart, and without it the built-in preferences hold; a
    request keeps those that it began with."""
    assert preferences(watcher) == Preferences()
    held = watcher.live.acquire()
    Preferences(fusion="rrf", text_weight=0.5).save(data)
    watcher.refresh()
    assert preferences(watcher) == Preferences(fusion="rrf", text_weight=0.5)
    assert held.preferences == Preferences()
    assert held.movie(FIRST[0].id) == FIRST[0]
    watcher.live.release(held)
    with pytest.raises(ProgrammingError, match="closed"):
        held.catalogue.highest_id()  # films that were shown are kept in memory
    with serving(create_app(watcher.live)) as service:
        _, answer = service.get("/search", q="captain")
        assert answer["query"]["fusion"] == "rrf"
        (data / FILE).unlink()
        watcher.refresh()
        _, answer = service.get("/search", q="captain")
        assert answer["query"]["fusion"] == "attainable"


def test_preferences_that_say_the_same_open_nothing(data: Path, watcher: GenerationWatcher) -> None:
    """A file that is written again, or that says what is built in, costs no opening."""
    before = watcher.live.acquire()
    for _ in range(2):
        Preferences().save(data)
        watcher.refresh()
    again = watcher.live.acquire()
    assert again is before
    watcher.live.release(before)
    watcher.live.release(again)


def test_wrong_preferences_are_reported_and_not_used(
    data: Path, watcher: GenerationWatcher
) -> None:
    """The last good ones stay in force, for generations published later too; /health/ready names
    the file and the field; once the file is right it is used at once."""
    good = Preferences(fusion="dbsf")
    good.save(data)
    watcher.refresh()
    with serving(create_app(watcher.live)) as service:
        for wrong, problem in (
            ("alpha = 2", "alpha: is neither a number"),
            ("alpha = ", "is not a TOML file"),
            ("colour = 1", "colour: is unknown"),
        ):
            (data / FILE).write_text(wrong)
            watcher.refresh()
            status, problems = ready(service)
            assert (status, len(problems)) == ("degraded", 1)
            assert str(data / FILE) in problems[0]
            assert problem in problems[0]
            assert scraped(service)["hybrid_preferences_used"] == 0
        assert watcher.live.publication_problem is None
        assert preferences(watcher) == good
        build_stores(data, SECOND)
        watcher.refresh()
        assert (size(watcher), preferences(watcher)) == (len(SECOND), good)
        assert watcher.live.publication_problem is None
        assert ready(service)[0] == "degraded"
        Preferences(alpha=0.5).save(data)
        watcher.refresh()
        assert preferences(watcher) == Preferences(alpha=0.5)
        assert ready(service) == ("ready", [])
        assert scraped(service)["hybrid_preferences_used"] == 1
        (data / FILE).write_text("alpha = 2")
        watcher.refresh()
        (data / FILE).unlink()
        watcher.refresh()
        assert preferences(watcher) == Preferences()
        assert ready(service) == ("ready", [])


def test_preferences_rank_the_generation_that_stands_in(
    data: Path, watcher: GenerationWatcher
) -> None:
    """While the published generation is damaged, the one that is served follows the file too."""
    build_stores(data, SECOND)
    damage(data)
    watcher.refresh()
    Preferences(fusion="rrf").save(data)
    watcher.refresh()
    assert (size(watcher), preferences(watcher)) == (len(FIRST), Preferences(fusion="rrf"))
    assert CATALOGUE in str(watcher.live.publication_problem)
    assert watcher.live.preferences_problem is None


def test_wrong_preferences_at_the_start_are_an_error(data: Path) -> None:
    """A service does not begin with a ranking that nobody chose."""
    (data / FILE).write_text("alpha = 2")
    with pytest.raises(InvalidInput, match=FILE):
        follow_stores(data)


def test_rollback_goes_back_one(data: Path, watcher: GenerationWatcher) -> None:
    """The generation before is served again; there is none before that."""
    first = published(data)[0].name
    second = build_stores(data, SECOND).manifest.name
    watcher.refresh()
    assert publish_previous(data) == (second, first)
    watcher.refresh()
    assert size(watcher) == len(FIRST)
    with pytest.raises(GenerationUnusable, match="no generation before"):
        publish_previous(data)
    third = build_stores(data, SECOND).manifest.name
    assert [line.name for line in published(data)] == [third, first]


def test_files_that_a_newer_generation_removed_are_no_damage(
    data: Path, watcher: GenerationWatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of a generation that is outdated are removed while it is still served."""
    monkeypatch.setattr("hybrid.serving.watcher.CHECK", -1.0)
    (data / "generations" / published(data)[0].name / CATALOGUE).unlink()
    watcher._check_stores()
    assert CATALOGUE in str(watcher.live.store_problem)
    current = (data / CURRENT).read_text()
    (data / CURRENT).unlink()
    watcher._check_stores()
    assert CATALOGUE in str(watcher.live.store_problem)
    (data / CURRENT).write_text(current.replace("1-", "2-"))
    watcher._check_stores()
    assert watcher.live.store_problem is None


def test_an_engine_that_is_away_lacks_no_films(
    watcher: GenerationWatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That it does not answer is reported by itself."""
    monkeypatch.setattr("hybrid.serving.watcher.CHECK", -1.0)
    monkeypatch.setattr("hybrid.serving.watcher.SETTLED", -1.0)
    monkeypatch.setattr(TantivyEngine, "count", away)
    for _ in range(3):
        watcher.refresh()
        assert watcher.live.store_problem is None


def test_whatever_fails_the_watcher_goes_on(
    data: Path, watcher: GenerationWatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says what happened, and tries again."""

    def fail(_: Path) -> None:
        raise RuntimeError("nobody thought of this")

    with monkeypatch.context() as patched:
        patched.setattr("hybrid.serving.watcher.published", fail)
        (data / CURRENT).touch()
        patched.setattr(watcher, "_seen", None)
        watcher.start()
        eventually(lambda: "nobody thought of this" in str(watcher.live.publication_problem))
        assert "cannot be opened" in str(watcher.live.publication_problem)
    build_stores(data, SECOND)
    eventually(lambda: size(watcher) == len(SECOND))
    eventually(lambda: watcher.live.publication_problem is None)
