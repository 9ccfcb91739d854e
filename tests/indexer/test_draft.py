"""A generation while it is written: what it shares with the one before."""

import errno
import os
import re
from contextlib import suppress
from pathlib import Path

import pytest

from hybrid.engines.lexical.tantivy_writer import TantivyWriter
from hybrid.engines.semantic.encoder import ENCODER_FOLDER, MODEL_FILES, WEIGHTS_SUFFIX
from hybrid.errors import BuildFailed
from hybrid.settings import Precision
from hybrid.storage.generation import Generation, open_current
from indexer.generations.draft import Draft, draft_generation
from indexer.generations.lock import deployment_id
from tests import corpus
from tests.stores import build_stores, put

FILMS = corpus.films(12)

INT8, FLOAT32 = MODEL_FILES["int8"], MODEL_FILES["float32"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a data folder with a published generation."""
    data = tmp_path_factory.mktemp("draft") / "data"
    build_stores(data, FILMS)
    return data


@pytest.mark.parametrize(
    ("before", "wanted", "shared"),
    [
        ("float32", "float32", {"words", FLOAT32, INT8, INT8 + WEIGHTS_SUFFIX}),
        ("int8", "int8", {"words", FLOAT32, INT8, INT8 + WEIGHTS_SUFFIX}),
        ("int8", "float32", {"words", FLOAT32}),
        ("float32", "int8", None),
    ],
)
def test_the_model_is_shared_as_far_as_it_is_needed(
    data: Path, before: Precision, wanted: Precision, shared: set[str] | None
) -> None:
    """All of it for the same precision, what float32 needs for float32; int8 is to be exported."""
    opened = open_current(data)
    queries = opened.manifest.model.queries.model_copy(update={"precision": before})
    model = opened.manifest.model.model_copy(update={"queries": queries})
    manifest = opened.manifest.model_copy(update={"model": model})
    for name in ("words", FLOAT32, INT8, INT8 + WEIGHTS_SUFFIX):
        (opened.file(ENCODER_FOLDER) / name).write_text(name)
    folder = data / "draft"
    folder.mkdir()
    draft = Draft(data, folder, TantivyWriter(folder))
    generation = Generation(opened.folder, manifest)
    assert draft.share_model(generation, 0, wanted, 0) == (shared is not None)
    assert draft.file(ENCODER_FOLDER).exists() == (shared is not None)
    found = {path.name for path in (folder / ENCODER_FOLDER).glob("*")}
    assert found >= (shared or set())
    assert shared is None or (INT8 in found) == (INT8 in shared)
    for path in (folder / ENCODER_FOLDER).glob("*"):
        assert path.samefile(opened.file(ENCODER_FOLDER) / path.name)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        ("An IO error: StorageFull", os.strerror(errno.ENOSPC)),
        ("the schema does not fit", "the schema does not fit"),
    ],
)
def test_a_keyword_index_that_cannot_be_written_is_told(
    data: Path, monkeypatch: pytest.MonkeyPatch, error: str, message: str
) -> None:
    """In the words of the system where the disk is full; nothing is left of the draft."""

    def fail(*_: object) -> None:
        raise ValueError(error)

    monkeypatch.setattr(TantivyWriter, "_commit", fail)
    before = list((data / "generations").iterdir())
    with pytest.raises(BuildFailed, match=f"tantivy cannot be written: {message}$"):
        put(data, FILMS[0].model_copy(update={"title": "Else"}))
    assert list((data / "generations").iterdir()) == before


def test_a_writer_is_given_the_folder_and_the_deployment(data: Path) -> None:
    """By which it knows its own indices; the name is above all that were used."""
    given: list[tuple[Path, str]] = []

    def writer_in(folder: Path, deployment: str) -> TantivyWriter:
        given.append((folder, deployment))
        return TantivyWriter(folder)

    (data / "generations" / "7-0123456789ab").mkdir()
    (data / "generations" / "99-notes").mkdir()
    with suppress(KeyError), draft_generation(data, writer_in) as draft:
        assert given == [(draft.folder, deployment_id(data))]
        assert re.fullmatch("8-[0-9a-f]{12}", draft.name)
        assert draft.folder == data / "generations" / f"{draft.name}.unfinished"
        raise KeyError("anything")
    assert not draft.folder.exists()


def test_whoever_may_read_the_folder_may_read_the_index(data: Path) -> None:
    """Tantivy restricts two of its files to their owner."""
    mask = os.umask(0o027)
    generation = put(data, FILMS[0].model_copy(update={"title": "Else"})).manifest
    os.umask(mask)
    folder = data / "generations" / generation.name / "tantivy"
    assert (folder / "meta.json").stat().st_mode & 0o777 == 0o640
    assert not list(folder.glob("*.lock"))
    writer = TantivyWriter(data)
    writer.prepare(None)
    writer.folder.chmod(0o755)
    writer.write(FILMS, (), len(FILMS))
    for name in ("meta.json", ".managed.json"):
        assert (writer.folder / name).stat().st_mode & 0o777 == 0o644
