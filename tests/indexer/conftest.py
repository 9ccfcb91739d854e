"""Data folders that tests of the write side change."""

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def data(built: Path, tmp_path: Path) -> Path:
    """Give a copy of what a module has `built` once, to be changed or damaged."""
    return Path(shutil.copytree(built, tmp_path / "data"))
