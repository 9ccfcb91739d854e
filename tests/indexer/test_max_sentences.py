"""HYBRID_MAX_SENTENCES counts in every command that reads films, and in the service."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hybrid.errors import BuildFailed, InvalidInput
from hybrid.settings import Settings
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.generation import open_current
from indexer import cli
from indexer.backends import Backends
from indexer.build import BuildOptions
from indexer.group_commit import open_writes
from tests import corpus
from tests.fakes import HashingEncoder
from tests.indexer.film_files import json_lines
from tests.stores import build_stores, tools

FILM = {"title": "Three", "year": 1950, "cast": [], "genres": [], "extract": "One. Two. Three."}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Give a data folder with a published generation."""
    build_stores(tmp_path / "data", corpus.films(3))
    return tmp_path / "data"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Give a file with one film of three sentences."""
    return json_lines(tmp_path / "films.jsonl", [FILM])


def run(data: Path, *command: str, typed: str | None = None) -> Any:
    """Run a command of the indexer that keeps two sentences."""
    variables = {"HYBRID_DATA": str(data), "HYBRID_MAX_SENTENCES": "2"}
    return CliRunner().invoke(cli.main, command, input=typed, env=variables)


@pytest.mark.parametrize("command", [["build"], ["update", "--create"]])
def test_builds_keep_as_many(
    tmp_path: Path, source: Path, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The options of a build have the setting."""
    given: list[BuildOptions] = []

    def build(*values: object) -> None:
        given.extend(value for value in values if isinstance(value, BuildOptions))
        raise BuildFailed("enough")

    monkeypatch.setattr(cli, "_build", build)
    run(tmp_path / "none", *command, str(source))
    assert [options.max_sentences for options in given] == [2]


def test_updates_keep_as_many(data: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The film is cut, and that is said."""
    monkeypatch.setattr("indexer.backends.backends_for", stand_ins)
    done = run(data, "update", str(source))
    assert "cut                  1  description" in done.output
    with closing(Catalogue(open_current(data).folder)) as catalogue:
        assert [film.description for film in catalogue.all_films()] == ["One. Two."]


def test_inspect_shows_as_many(data: Path, source: Path) -> None:
    """As a build would do."""
    output = run(data, "inspect", str(source)).output
    assert "cut description: 3 sentences, expected 2 at most" in output


def test_films_by_hand_have_no_more(data: Path) -> None:
    """Neither on the command line nor over HTTP."""
    values = {"title": "Three", "description": "One. Two. Three."}
    done = run(data, "upsert", typed=json.dumps({"id": 5, **values}))
    assert done.exit_code
    assert "3 sentences, expected 2 at most" in done.output
    writes = open_writes(Settings(data=data, max_sentences=2), no_model)
    with closing(writes), pytest.raises(InvalidInput, match="3 sentences, expected 2 at most"):
        writes.put(5, values)


def stand_ins(*_: object, **__: object) -> Backends:
    """Return backends without a model."""
    return tools()


def no_model(_: object) -> HashingEncoder:
    """Return what stands in for the model."""
    return HashingEncoder()
