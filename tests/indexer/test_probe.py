"""A generation that does not find its own films is not published."""

import shutil
from pathlib import Path

import faiss
import numpy as np
import pytest

from hybrid.engines.semantic.ivfpq import read_index, write_index
from hybrid.errors import BuildFailed
from hybrid.storage.generation import FAISS_INDEX, Generation, open_current
from indexer.generations.smoke_test import probe
from tests import corpus
from tests.stores import build_stores

FILMS = corpus.films(150)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a data folder with a published generation that has a FAISS index."""
    data = tmp_path_factory.mktemp("probe") / "data"
    build_stores(data, FILMS)
    return data


def without(built: Path, folder: Path, films: range) -> Generation:
    """Return a copy of the generation whose index lacks these films."""
    generation = open_current(Path(shutil.copytree(built, folder)))
    index = read_index(generation.file(FAISS_INDEX))
    ids = np.array([FILMS[film].id for film in films], np.int64)
    index.remove_ids(faiss.IDSelectorBatch(ids))
    write_index(index, generation.file(FAISS_INDEX))
    return generation


def test_films_that_are_not_found_stop_it(built: Path, tmp_path: Path) -> None:
    """Where most films are not found by their own sentences it says which; a few may be missed."""
    probe(without(built, tmp_path / "few", range(40)))
    with pytest.raises(BuildFailed, match="not found by their first sentences"):
        probe(without(built, tmp_path / "most", range(110)))
