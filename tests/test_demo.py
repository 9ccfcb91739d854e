"""The demo indexes its films where nothing is lost by it."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from indexer.cli import SAMPLE, main
from tests import corpus
from tests.fakes import HashingEncoder
from tests.stores import build_stores


class Demo:
    """The demo command in a folder of its own, without the model and the server."""

    def __init__(self) -> None:
        self.built: list[Path] = []
        self.served: list[Path] = []

    def run(self, *arguments: str, **variables: str) -> Result:
        """Run it; note the folders that were built and served by this run."""
        self.built.clear()
        self.served.clear()
        return CliRunner().invoke(main, ["demo", *arguments], env=variables)


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Demo:
    """Give the command, run in an empty folder."""
    made = Demo()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HYBRID_DATA", raising=False)
    monkeypatch.setattr("hybrid.web.server.check_address", lambda *_: None)
    monkeypatch.setattr("hybrid.web.server.serve", lambda s: made.served.append(s.data))
    monkeypatch.setattr("indexer.cli._build_elsewhere", lambda s: made.built.append(s.data))
    return made


def build_sample(data: Path) -> None:
    """Index the films of the sample with the model of the tests."""
    from hybrid.engines.lexical.tantivy_writer import TantivyWriter
    from indexer.build import BuildOptions, build

    options = BuildOptions(limit=20)
    build(SAMPLE, data, "x", HashingEncoder(), lambda folder, _: TantivyWriter(folder), options)


def test_the_sample_is_built_once(demo: Demo) -> None:
    """In its own folder or a named one, where nothing is published; then it is served as it is."""
    for data, arguments in (("data/demo", ()), ("mine", ("--data", "mine"))):
        assert demo.run(*arguments).exit_code == 0
        assert demo.built == demo.served == [Path(data)]
        build_sample(Path(data))
        assert demo.run(*arguments).exit_code == 0
        assert (demo.built, demo.served) == ([], [Path(data)])


def test_an_empty_variable_names_no_folder(demo: Demo) -> None:
    """HYBRID_DATA without a value is as if it were not set."""
    assert demo.run(HYBRID_DATA="").exit_code == 0
    assert demo.built == demo.served == [Path("data/demo")]


def test_another_index_is_not_replaced(demo: Demo) -> None:
    """A folder that the environment or the option names for one's own index is left alone."""
    build_stores(Path("mine"), corpus.films(5))
    for done in (demo.run("--data", "mine"), demo.run(HYBRID_DATA="mine")):
        assert done.exit_code == 1
        assert "mine holds another index, of films.jsonl" in done.output
        assert demo.built == demo.served == []


def test_a_damaged_index_is_not_replaced(demo: Demo) -> None:
    """One's own index that cannot be read is not overwritten either."""
    build_stores(Path("mine"), corpus.films(5))
    (catalogue,) = Path("mine").rglob("catalogue.sqlite")
    catalogue.write_bytes(b"")
    done = demo.run("--data", "mine")
    assert (done.exit_code, demo.built, demo.served) == (1, [], [])
    assert "catalogue.sqlite" in done.output


def test_the_demo_replaces_its_own_index(demo: Demo) -> None:
    """In its own folder one of other films or a damaged one is built again."""
    build_stores(Path("data/demo"), corpus.films(5))
    demo.run()
    assert demo.built == [Path("data/demo")]
    (catalogue,) = Path("data/demo").rglob("catalogue.sqlite")
    catalogue.write_bytes(b"")
    assert demo.run("--data", "data/demo").exit_code == 0
    assert demo.built == [Path("data/demo")]
