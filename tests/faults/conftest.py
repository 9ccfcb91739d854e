"""What faults are done to."""

from pathlib import Path

import pytest

from tests.faults.work import FILMS
from tests.stores import build_stores


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a data folder with a published generation and one before, to be copied."""
    data = tmp_path_factory.mktemp("built") / "data"
    build_stores(data, FILMS[:5])
    build_stores(data, FILMS)
    return data
