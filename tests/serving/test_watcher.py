"""A process that serves while others publish: it keeps up, and never serves what is damaged."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybrid.engines.lexical.tantivy import TantivyEngine
from hybrid.errors import EngineUnavailable, GenerationUnusable, InvalidInput
from hybrid.fusion.preferences import FILE, Preferences
from hybrid.query import SearchQuery
from hybrid.serving.watcher import GenerationWatcher
from hybrid.storage.generation import CATALOGUE, CURRENT, open_current, published
from hybrid.web.app import create_app
from indexer.generations.publish import publish_previous
from tests import corpus
from tests.eventually import eventually
from tests.stores import build_stores, follow_stores
from tests.web.http import Service, serving

FIRST, SECOND = corpus.films(40), corpus.films(60)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Give a data folder with a published generation."""
    build_stores(tmp_path / "data", FIRST)
    return tmp_path / "data"


@pytest.fixture
def follower(data: Path) -> Iterator[GenerationWatcher]:
    """Give what serves it, not yet looking by itself."""
    found = follow_stores(data)
    yield found
    found.close()


def size(follower: GenerationWatcher) -> int:
    """Return the number of films that are served."""
    search = follower.live.acquire()
    follower.live.release(search)
    return len(search.catalogue)


def damage(data: Path) -> Path:
    """Flip a bit in the catalogue of the published generation."""
    file = data / "generations" / published(data)[0].name / CATALOGUE
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    return file


def test_a_new_generation_is_noticed(data: Path, follower: GenerationWatcher) -> None:
    """Within seconds of its publication the new generation answers."""
    follower.start()
    assert size(follower) == len(FIRST)
    build_stores(data, SECOND)
    eventually(lambda: size(follower) == len(SECOND))
    assert follower.live.trouble is None


def test_a_request_ends_on_the_generation_it_began_with(
    data: Path, follower: GenerationWatcher
) -> None:
    """What was lent stays open through two publications, and is closed when it is given back."""
    lent, again = follower.live.acquire(), follower.live.acquire()
    assert lent is again
    for films in (SECOND, FIRST):
        build_stores(data, films)
        follower.look()
    assert lent.search(SearchQuery(query="captain")).generation.startswith("1-")
    follower.live.release(again)
    assert lent.movie(FIRST[0].id) == FIRST[0]
    follower.live.release(lent)
    with pytest.raises(Exception, match="closed"):
        lent.movie(FIRST[0].id)


def test_a_damaged_generation_is_refused(data: Path, follower: GenerationWatcher) -> None:
    """The old one goes on, the new one is named with what is wrong; mended, it is served."""
    name = build_stores(data, SECOND).manifest.name
    file = damage(data)
    with serving(create_app(follower.live)) as service:
        assert ready(service) == ("ready", [])
        follower.look()
        status, problems = ready(service)
        assert status == "degraded"
        assert len(problems) == 1
        assert name in problems[0]
        assert str(file) in problems[0]
        assert service.get("/search", q="captain")[0] == 200
    assert size(follower) == len(FIRST)
    build_stores(data, SECOND)
    follower.look()
    assert (size(follower), follower.live.trouble) == (len(SECOND), None)


def ready(service: Service) -> tuple[str, list[str]]:
    """Return what the service says of itself."""
    _, answer = service.get("/health/ready")
    return answer["status"], answer["problems"]


def test_a_generation_is_tried_again(
    data: Path, follower: GenerationWatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that could not be opened is served once it can be, though nothing else is published."""
    build_stores(data, SECOND)
    file = open_current(data).file(CATALOGUE)
    content = file.read_bytes()
    damage(data)
    follower.look()
    file.write_bytes(content)
    follower.look()
    assert size(follower) == len(FIRST)
    monkeypatch.setattr("hybrid.serving.watcher.RETRY", -1.0)
    follower.look()
    assert (size(follower), follower.live.trouble) == (len(SECOND), None)


def test_at_the_start_the_one_before_stands_in(data: Path) -> None:
    """A service that finds the published generation damaged serves the one before, and says so."""
    name = build_stores(data, SECOND).manifest.name
    damage(data)
    with pytest.raises(GenerationUnusable, match=CATALOGUE):
        open_current(data)
    follower = follow_stores(data)
    assert size(follower) == len(FIRST)
    assert name in str(follower.live.trouble)
    follower.look()
    assert name in str(follower.live.trouble)
    follower.close()


def test_nothing_to_serve_is_an_error(data: Path) -> None:
    """Without a generation before it, a damaged one ends the start with its name."""
    damage(data)
    with pytest.raises(GenerationUnusable, match=CATALOGUE):
        follow_stores(data)


def test_current_is_lost_while_serving(data: Path, follower: GenerationWatcher) -> None:
    """A folder that loses its CURRENT costs no answer; it is told, and told no more when mended."""
    text = (data / CURRENT).read_text()
    (data / CURRENT).unlink()
    follower.look()
    assert "no index" in str(follower.live.trouble)
    assert size(follower) == len(FIRST)
    (data / CURRENT).write_text(text)
    follower.look()
    assert follower.live.trouble is None


def test_what_is_served_is_looked_at(
    data: Path, follower: GenerationWatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that shrinks, or an engine that loses films, is told within a minute."""
    monkeypatch.setattr("hybrid.serving.watcher.CHECK", -1.0)
    follower.look()
    assert follower.live.fault is None
    file = data / "generations" / published(data)[0].name / "vectors-0.npy"
    content = file.read_bytes()
    os.truncate(file, len(content) - 1)
    follower.look()
    assert str(file) in str(follower.live.fault)
    file.write_bytes(content)
    monkeypatch.setattr(TantivyEngine, "count", lambda _: len(FIRST) + 2)
    monkeypatch.setattr("hybrid.serving.watcher.SETTLED", -1.0)
    follower.look()
    assert follower.live.fault is None
    follower.look()
    assert "holds 2 films too many" in str(follower.live.fault)
    with serving(create_app(follower.live)) as service:
        assert ready(service)[0] == "degraded"


def test_what_is_served_is_looked_at_from_the_start(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Films that the engine lacks are told once that lasts, until a whole generation is there."""
    with monkeypatch.context() as patched:
        patched.setattr(TantivyEngine, "count", lambda _: len(FIRST) - 2)
        follower = follow_stores(data)
        follower.look()
        assert follower.live.fault is None
        patched.setattr("hybrid.serving.watcher.SETTLED", -1.0)
        follower.look()
    assert "lacks 2 films" in str(follower.live.fault)
    build_stores(data, SECOND)
    follower.look()
    assert follower.live.fault is None
    follower.close()


def test_a_monitor_sees_it(
    data: Path, follower: GenerationWatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The figures at /metrics say which generation is served, and what is wrong."""
    monkeypatch.setattr("hybrid.serving.watcher.CHECK", -1.0)
    monkeypatch.setattr("hybrid.serving.watcher.time", lambda: 1234567890.5)
    follower.look()
    with serving(create_app(follower.live)) as service:
        figures = scraped(service)
        assert figures["hybrid_films"] == len(FIRST)
        assert figures[f'hybrid_generation_info{{generation="{published(data)[0].name}"}}'] == 1
        assert figures["hybrid_stores_checked_timestamp_seconds"] == 1234567890.5
        assert [figures[f"hybrid_{name}"] for name in WHOLE] == [1, 1, 1]
        build_stores(data, SECOND)
        damage(data)
        follower.look()
        follower.live.fault = "vectors-0.npy is gone"
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


def preferences(follower: GenerationWatcher) -> Preferences:
    """Return those that requests are ranked by."""
    search = follower.live.acquire()
    follower.live.release(search)
    return search.preferences


def test_new_preferences_rank_at_once(data: Path, follower: GenerationWatcher) -> None:
    """The file is followed without a restart, and without it the built-in preferences hold; a
    request keeps those that it began with."""
    assert preferences(follower) == Preferences()
    lent = follower.live.acquire()
    Preferences(fusion="rrf", text_weight=0.5).save(data)
    follower.look()
    assert preferences(follower) == Preferences(fusion="rrf", text_weight=0.5)
    assert lent.preferences == Preferences()
    assert lent.movie(FIRST[0].id) == FIRST[0]
    follower.live.release(lent)
    with pytest.raises(Exception, match="closed"):
        lent.movie(FIRST[0].id)
    with serving(create_app(follower.live)) as service:
        _, answer = service.get("/search", q="captain")
        assert answer["query"]["fusion"] == "rrf"
        (data / FILE).unlink()
        follower.look()
        _, answer = service.get("/search", q="captain")
        assert answer["query"]["fusion"] == "attainable"


def test_preferences_that_say_the_same_open_nothing(
    data: Path, follower: GenerationWatcher
) -> None:
    """A file that is written again, or that says what is built in, costs no opening."""
    before = follower.live.acquire()
    for _ in range(2):
        Preferences().save(data)
        follower.look()
    again = follower.live.acquire()
    assert again is before
    follower.live.release(before)
    follower.live.release(again)


def test_wrong_preferences_are_reported_and_not_used(
    data: Path, follower: GenerationWatcher
) -> None:
    """The last good ones stay in force, for generations published later too; /health/ready names
    the file and the field; once the file is right it is used at once."""
    good = Preferences(fusion="dbsf")
    good.save(data)
    follower.look()
    with serving(create_app(follower.live)) as service:
        for wrong, problem in (
            ("alpha = 2", "alpha: is neither a number"),
            ("alpha = ", "is not a TOML file"),
            ("colour = 1", "colour: is unknown"),
        ):
            (data / FILE).write_text(wrong)
            follower.look()
            status, problems = ready(service)
            assert (status, len(problems)) == ("degraded", 1)
            assert str(data / FILE) in problems[0]
            assert problem in problems[0]
            assert scraped(service)["hybrid_preferences_used"] == 0
        assert follower.live.trouble is None
        assert preferences(follower) == good
        build_stores(data, SECOND)
        follower.look()
        assert (size(follower), preferences(follower)) == (len(SECOND), good)
        assert follower.live.trouble is None
        assert ready(service)[0] == "degraded"
        Preferences(alpha=0.5).save(data)
        follower.look()
        assert preferences(follower) == Preferences(alpha=0.5)
        assert ready(service) == ("ready", [])
        assert scraped(service)["hybrid_preferences_used"] == 1
        (data / FILE).write_text("alpha = 2")
        follower.look()
        (data / FILE).unlink()
        follower.look()
        assert preferences(follower) == Preferences()
        assert ready(service) == ("ready", [])


def test_preferences_rank_the_generation_that_stands_in(
    data: Path, follower: GenerationWatcher
) -> None:
    """While the published generation is damaged, the one that is served follows the file too."""
    build_stores(data, SECOND)
    damage(data)
    follower.look()
    Preferences(fusion="rrf").save(data)
    follower.look()
    assert (size(follower), preferences(follower)) == (len(FIRST), Preferences(fusion="rrf"))
    assert CATALOGUE in str(follower.live.trouble)
    assert follower.live.bad_preferences is None


def test_wrong_preferences_at_the_start_are_an_error(data: Path) -> None:
    """A service does not begin with a ranking that nobody chose."""
    (data / FILE).write_text("alpha = 2")
    with pytest.raises(InvalidInput, match=FILE):
        follow_stores(data)


def test_rollback_goes_back_one(data: Path, follower: GenerationWatcher) -> None:
    """The generation before is served again; there is none before that."""
    first = published(data)[0].name
    second = build_stores(data, SECOND).manifest.name
    follower.look()
    assert publish_previous(data) == (second, first)
    follower.look()
    assert size(follower) == len(FIRST)
    with pytest.raises(GenerationUnusable, match="no generation before"):
        publish_previous(data)
    third = build_stores(data, SECOND).manifest.name
    assert [line.name for line in published(data)] == [third, first]
