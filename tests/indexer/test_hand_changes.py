"""Films changed by hand outlive every build and update that does not discard the changes."""

from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from unittest.mock import patch

import pytest
from click.testing import CliRunner, Result

from hybrid.errors import BuildFailed
from hybrid.movie import Movie
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.generation import CURRENT, MANIFEST, open_current, published
from hybrid.storage.manifest import Counts
from indexer.background_merge import merge_delta
from indexer.cli import main
from indexer.repair import repair
from indexer.update import HandChanges, UpdateResult, change, match_source, rollback
from tests import corpus
from tests.fakes import HashingEncoder
from tests.indexer.film_files import json_lines
from tests.stores import (
    build_stores,
    films_file,
    follow_films,
    of_source,
    open_group,
    put,
    remove,
    tools,
)
from tests.stores_agree import assert_holds

FILMS = corpus.films(12)
FIRST, SECOND, THIRD = FILMS[:3]
RENAMED = FIRST.model_copy(update={"title": "Renamed"})
ADDED = Movie(id=5000, title="The Lighthouse Machine", description="It dreams. Of the sea.")
CHANGED = [RENAMED, *FILMS[2:], ADDED]
"""The films once one was renamed, one deleted and one added by hand."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a data folder whose films were changed by hand."""
    data = tmp_path_factory.mktemp("hand") / "data"
    build_stores(data, FILMS)
    put(data, RENAMED, ADDED)
    remove(data, SECOND.id)
    return data


def remembered(data: Path) -> dict[int, Movie | None]:
    """Return the changes by hand that the published catalogue knows, which the manifest counts."""
    generation = open_current(data)
    with closing(Catalogue(generation.folder)) as catalogue:
        found = catalogue.hand_changes()
    assert generation.manifest.counts.hand_changes == len(found)
    return found


def test_changes_by_hand_are_remembered(data: Path) -> None:
    """With each film stands how the source has it: it is renamed, is gone, or was never there."""
    assert remembered(data) == {FIRST.id: FIRST, SECOND.id: SECOND, ADDED.id: None}
    put(data, RENAMED.model_copy(update={"year": 1951}))
    assert remembered(data)[FIRST.id] == FIRST


def test_a_film_that_is_as_in_the_source_again_is_not_changed(data: Path) -> None:
    """Whoever takes back each of the changes has changed nothing."""
    put(data, FIRST, SECOND)
    assert remembered(data) == {ADDED.id: None}
    remove(data, ADDED.id)
    assert remembered(data) == {}
    assert not follow_films(data, FILMS, hand_changes=None).published


def test_changes_over_http_are_changes_by_hand(tmp_path: Path) -> None:
    """PUT and DELETE are remembered like the commands."""
    build_stores(tmp_path / "data", FILMS)
    group = open_group(tmp_path / "data")
    group.put(ADDED.id, {"title": ADDED.title})
    group.delete(SECOND.id)
    group.close()
    assert remembered(tmp_path / "data") == {SECOND.id: SECOND, ADDED.id: None}


def test_an_update_refuses_to_choose(data: Path) -> None:
    """Without an option for the changes it publishes nothing and names both ways."""
    before = published(data)
    with pytest.raises(BuildFailed, match=r"3 films were changed by hand.*--keep-.*--discard-"):
        follow_films(data, FILMS[3:], hand_changes=None)
    assert published(data) == before
    assert_holds(open_current(data), CHANGED)


def test_an_update_keeps_changes(data: Path) -> None:
    """Films changed by hand stay as they are, all others follow the source, and what the source
    says of the changed ones is what counts from now on."""
    newer = FIRST.model_copy(update={"year": 1950})
    others = [m.model_copy(update={"title": "Followed"}) for m in FILMS[4:]]
    done = follow_films(data, [newer, SECOND, *others], hand_changes="keep")
    assert (done.changed, done.removed, done.kept, done.discarded) == (8, 2, 3, 0)
    assert_holds(open_current(data), [RENAMED, ADDED, *others])
    assert remembered(data) == {FIRST.id: newer, SECOND.id: SECOND, ADDED.id: None}
    assert_holds(open_current(data), [RENAMED, ADDED, *others])


def test_a_source_that_follows_the_changes(data: Path) -> None:
    """Once the source says what was changed by hand nothing is left to keep, though no film
    changes with it."""
    done = follow_films(data, CHANGED, hand_changes="keep")
    assert (done.published, done.added + done.changed + done.removed) == (True, 0)
    assert remembered(data) == {}
    assert_holds(open_current(data), CHANGED)
    assert not follow_films(data, CHANGED, hand_changes="keep").published


def test_an_update_discards_changes(data: Path) -> None:
    """Told so, it makes the index hold the films of the source and nothing more."""
    done = follow_films(data, FILMS)
    assert (done.added, done.changed, done.removed) == (1, 1, 1)
    assert (done.kept, done.discarded) == (0, 3)
    assert remembered(data) == {}
    assert_holds(open_current(data), FILMS)


@pytest.mark.parametrize("hand_changes", ["keep", "discard"])
def test_a_source_of_a_few_films(data: Path, hand_changes: HandChanges) -> None:
    """With keep_missing the changes to films that the source does not hold stay, whatever becomes
    of the others."""
    follow_films(data, [SECOND], True, hand_changes)
    left: dict[int, Movie | None] = {FIRST.id: FIRST, ADDED.id: None}
    if hand_changes == "keep":
        assert_holds(open_current(data), CHANGED)
        assert remembered(data) == left | {SECOND.id: SECOND}
    else:
        assert_holds(open_current(data), [*CHANGED, SECOND])
        assert remembered(data) == left


def test_a_build_refuses_to_discard(data: Path, tmp_path: Path) -> None:
    """It says how many films changed and what to do, and changes nothing, or else builds."""
    before = published(data)
    source = films_file(tmp_path / "source", FILMS)
    arguments = ["build", str(source), "--mapping", str(source.with_name("mapping.toml"))]
    refused = command(data, *arguments)
    assert refused.exit_code == 1
    for part in ("3 films were changed by hand", "--discard-changes", "update SOURCE --keep-"):
        assert part in refused.output
    assert published(data) == before
    done = command(data, *arguments, "--discard-changes")
    assert done.exit_code == 0, done.output
    assert "by hand              3  changes discarded" in done.output
    assert_holds(open_current(data), FILMS)
    assert remembered(data) == {}
    assert command(data, *arguments).exit_code == 0


def test_a_build_over_a_damaged_manifest_refuses_to_discard(data: Path, tmp_path: Path) -> None:
    """What cannot be counted may be there: it is lost only if somebody says so."""
    open_current(data).file(MANIFEST).write_text("{}", encoding="utf-8")
    source = films_file(tmp_path / "source", FILMS)
    arguments = ["build", str(source), "--mapping", str(source.with_name("mapping.toml"))]
    refused = command(data, *arguments)
    assert refused.exit_code == 1
    assert "cannot be read" in refused.output
    assert "--discard-changes" in refused.output
    done = command(data, *arguments, "--discard-changes")
    assert done.exit_code == 0, done.output
    assert_holds(open_current(data), FILMS)


def command(data: Path, *arguments: str) -> Result:
    """Run a command on the embedded engine and the model of the tests."""
    with (
        patch("indexer.backends.backends_for", lambda *_, **__: tools()),
        patch("indexer.embedding.model.load_model", lambda *_: HashingEncoder()),
    ):
        return CliRunner().invoke(main, [*arguments, "--data", str(data), "--quiet"])


def test_the_update_command(data: Path, tmp_path: Path) -> None:
    """It refuses without an option, and says what was kept or discarded with one."""
    source = films_file(tmp_path / "source", FILMS)
    arguments = ["update", str(source), "--mapping", str(source.with_name("mapping.toml"))]
    refused = command(data, *arguments)
    assert (refused.exit_code, "add --keep-changes" in refused.output) == (1, True)
    both = command(data, *arguments, "--keep-changes", "--discard-changes")
    assert (both.exit_code, "exclude each other" in both.output) == (1, True)
    kept = command(data, *arguments, "--keep-changes")
    assert kept.exit_code == 0, kept.output
    assert "by hand              3  changes kept, 0 discarded" in kept.output
    assert_holds(open_current(data), CHANGED)
    discarded = command(data, *arguments, "--discard-changes")
    assert "by hand              0  changes kept, 3 discarded" in discarded.output
    assert_holds(open_current(data), FILMS)


def test_an_update_may_create_the_index(tmp_path: Path) -> None:
    """One command serves the first time and every time after; without --create it names it."""
    data = tmp_path / "data"
    source = films_file(tmp_path / "source", FILMS)
    arguments = ["update", str(source), "--mapping", str(source.with_name("mapping.toml"))]
    refused = command(data, *arguments)
    assert (refused.exit_code, "add --create" in refused.output) == (1, True)
    assert not (data / CURRENT).exists()
    done = command(data, *arguments, "--create", "--keep-changes")
    assert done.exit_code == 0, done.output
    assert_holds(open_current(data), FILMS)
    put(data, RENAMED)
    again = command(data, *arguments, "--create", "--keep-changes")
    assert "1  changes kept" in again.output
    assert_holds(open_current(data), [RENAMED, *FILMS[1:]])


def test_rollback_and_repair_keep_what_is_remembered(data: Path) -> None:
    """The table goes with its catalogue."""
    before = remembered(data)
    repair(data, tools(), embed_again=False)
    assert remembered(data) == before
    follow_films(data, FILMS)
    rollback(data, tools())
    assert remembered(data) == before
    follow_films(data, FILMS, hand_changes="keep")
    assert_holds(open_current(data), CHANGED)


def test_a_manifest_of_an_earlier_version(data: Path) -> None:
    """One that does not count changes by hand has none."""
    counts = open_current(data).manifest.counts.model_dump()
    del counts["hand_changes"]
    assert Counts.model_validate(counts).hand_changes == 0


NUMBERED = [
    {"title": "Alien", "year": 1979, "cast": [], "genres": []},
    {"title": "Brazil", "year": 1985, "cast": [], "genres": []},
    {"title": "Cube", "year": 1997, "cast": [], "genres": []},
]
CUBE = Movie(id=9, title="Cube", year=1997, rating=7.2)


def numbered(films: Iterable[Mapping[str, object]]) -> list[Movie]:
    """Return films as a source without ids gives them: each under the number of its record."""
    return [Movie.model_validate({**film, "id": number}) for number, film in enumerate(films)]


def follow_numbered(
    data: Path, films: Iterable[Mapping[str, object]], hand_changes: HandChanges
) -> UpdateResult:
    """Follow a source without ids."""
    source = of_source(numbered(films))
    return change(data, match_source(source, True, False, hand_changes), tools())


@pytest.fixture
def unnumbered(tmp_path: Path) -> Path:
    """Give an index of a source without ids, of which Alien was renamed, Brazil deleted and Cube,
    which the source did not have, added by hand."""
    data = tmp_path / "data"
    source = json_lines(tmp_path / "films.jsonl", NUMBERED[:2])
    assert command(data, "build", str(source)).exit_code == 0
    put(data, Movie(id=0, title="Alien: The Director's Cut", year=2003), CUBE)
    remove(data, 1)
    return data


def test_films_without_ids_are_recognised_as_the_source_had_them(unnumbered: Path) -> None:
    """Neither the renamed nor the deleted film comes a second time, under another id, and one
    added by hand is the one that the source has now."""
    done = follow_numbered(unnumbered, NUMBERED[::-1], "keep")
    assert (done.added, done.changed, done.removed) == (0, 0, 0)
    renamed = Movie(id=0, title="Alien: The Director's Cut", year=2003)
    assert_holds(open_current(unnumbered), [renamed, CUBE])
    alien, brazil = numbered(NUMBERED[:2])
    plain = CUBE.model_copy(update={"rating": None})
    assert remembered(unnumbered) == {0: alien, 1: brazil, 9: plain}


def test_films_without_ids_get_theirs_back(unnumbered: Path) -> None:
    """With the changes discarded every film is as in the source, under the id that it had."""
    follow_numbered(unnumbered, NUMBERED, "discard")
    plain = CUBE.model_copy(update={"rating": None})
    assert_holds(open_current(unnumbered), [*numbered(NUMBERED[:2]), plain])
    assert remembered(unnumbered) == {}


def test_a_namesake_added_by_hand_is_not_taken_for_the_films_of_the_source(tmp_path: Path) -> None:
    """Of two films of one title and year the source's is recognised first."""
    data = tmp_path / "data"
    source = json_lines(tmp_path / "films.jsonl", NUMBERED)
    assert command(data, "build", str(source)).exit_code == 0
    remove(data, 0)
    follow_numbered(data, NUMBERED[1:], "discard")
    twin = Movie(id=0, title="Cube", year=1997, rating=1.0)
    put(data, twin)
    done = follow_numbered(data, NUMBERED[1:], "keep")
    assert not done.published
    assert_holds(open_current(data), [twin, *numbered(NUMBERED)[1:]])
    assert remembered(data) == {0: None}


@pytest.mark.parametrize("merged", [False, True])
def test_a_build_that_discards_them_forgets_them(data: Path, merged: bool) -> None:
    """Whether they are in the delta or were merged into the base."""
    if merged:
        assert merge_delta(data, tools(), always=True)
    assert len(remembered(data)) == 3
    follow_films(data, FILMS, hand_changes="discard")
    assert remembered(data) == {}
    assert_holds(open_current(data), FILMS)
