"""What faults are done to."""

from pathlib import Path

import pytest

from indexer.update import change, match_source
from tests.faults.work import BUILT, FILMS
from tests.stores import build_stores, of_source, tools


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a data folder with a published generation and one before, to be copied.

    The published one is FILMS, in a base that both share and a delta.
    """
    data = tmp_path_factory.mktemp("built") / "data"
    build_stores(data, BUILT)
    change(data, match_source(of_source(FILMS), False, False), tools())
    return data
