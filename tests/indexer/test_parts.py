"""Parts of a source that several processes or machines embed, and their caches as one."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from hybrid.errors import BuildFailed
from indexer.cli import main
from indexer.embedding.cache import CACHE, import_vectors
from indexer.films.film_file import FileOptions
from indexer.films.sentences import all_texts, cut
from indexer.parts import Part, embed_part
from tests import corpus
from tests.command import run
from tests.fakes import HashingEncoder
from tests.stores import build_file, films_file

FILMS = corpus.films(60)


def test_parts_make_the_whole(tmp_path: Path) -> None:
    """Every sentence is in one part; the parts' caches together are all that a build needs."""
    source = films_file(tmp_path / "source", FILMS)
    options = FileOptions(source.with_name("mapping.toml"))
    data, embedded = tmp_path / "data", []
    data.mkdir()
    for number in (1, 2, 3):
        model, folder = HashingEncoder(), tmp_path / f"machine-{number}"
        count = embed_part(source, folder, model, Part(number, 3), options, quiet=True)
        assert count == len(model.encoded) > 0
        assert embed_part(source, folder, model, Part(number, 3), options, quiet=True) == 0
        assert import_vectors(data / CACHE, folder / CACHE) == count
        embedded += model.encoded
    assert sorted(embedded) == sorted(set(all_texts(cut(FILMS))))
    assert import_vectors(data / CACHE, tmp_path / "machine-1" / CACHE) == 0
    built = build_file(data, source)
    assert (built.embedded.distinct, built.embedded.encoded) == (len(embedded), 0)


def test_what_is_no_cache_is_told(tmp_path: Path) -> None:
    """A file that is not a cache of embeddings is an error that names it; nothing is written."""
    other = tmp_path / "notes.txt"
    other.write_text("no database, but long enough to be taken for one" * 100)
    with pytest.raises(BuildFailed, match=r"notes\.txt is not a cache"):
        import_vectors(tmp_path / CACHE, other)
    assert not (tmp_path / CACHE).exists()


@pytest.mark.parametrize("part", ["0/8", "9/8", "2", "a/b", "2/0", "/"])
def test_a_part_is_one_of_several(part: str) -> None:
    """Another is refused with what to write."""
    done = run("indexer", "embed", "sample", "--part", part)
    assert done.returncode == 2
    assert "write 2/8" in done.stderr


def test_caches_are_imported_by_the_command(tmp_path: Path) -> None:
    """It says of each cache how many embeddings it added, and makes a data folder if need be."""
    source, data = films_file(tmp_path / "source", FILMS), tmp_path / "new" / "data"
    options = FileOptions(source.with_name("mapping.toml"))
    count = embed_part(source, tmp_path / "other", HashingEncoder(), options=options, quiet=True)
    command = ["import-embeddings", str(tmp_path / "other" / CACHE), "--data", str(data)]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0, done.output
    assert f"Copied {count:,} embeddings" in done.output
    again = CliRunner().invoke(main, command)
    assert "Copied 0 embeddings" in again.output
