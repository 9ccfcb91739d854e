"""A data folder of another user, who lets others read it and nothing more."""

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests import corpus
from tests.command import Index
from tests.stores import build_stores, put
from tests.web.production import command, production

FILMS = corpus.films(40)
AS_NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


@contextmanager
def umask(mask: int) -> Iterator[None]:
    """Make files by this umask."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@pytest.mark.parametrize("mask", [0o022, 0o027])
def test_all_files_follow_the_umask(tmp_path: Path, mask: int) -> None:
    """Of a build and of a change: no file of an index is kept from those who may read the rest."""
    data = tmp_path / "data"
    with umask(mask):
        build_stores(data, FILMS[1:])
        put(data, FILMS[0])
    for path in (data, *data.rglob("*")):
        wanted = (0o777 if path.is_dir() else 0o666) & ~mask
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path


def not_nobody() -> str | None:
    """Return why a test cannot run this project as the user nobody, None if it can."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        return "becoming another user needs root and setpriv"
    command = [*AS_NOBODY, sys.executable, "-c", "import hybrid"]
    done = subprocess.run(command, capture_output=True, check=False)
    return "the user nobody cannot read this environment" if done.returncode else None


@pytest.fixture
def readable(index: Index) -> Iterator[Path]:
    """Give a copy of the index that the user nobody can read, and not write; else skip. In CI
    nothing is skipped."""
    if missing := not_nobody():
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    with TemporaryDirectory(dir="/tmp") as folder:
        shutil.copytree(index.data, Path(folder, "data"))
        Path(folder).chmod(0o755)
        yield Path(folder, "data")


@pytest.mark.parametrize("index", ["embedded"], indirect=True)
def test_who_cannot_write_can_search_and_serve(readable: Path) -> None:
    """Neither command needs to write a byte to the data folder, nor to be its owner."""
    there = {path: path.stat().st_mtime_ns for path in readable.rglob("*")}
    variables = {"HYBRID_DATA": str(readable), "HOME": "/nonexistent"}
    touched = subprocess.run(
        [*AS_NOBODY, "touch", readable / "x"], stderr=subprocess.DEVNULL, check=False
    )
    assert touched.returncode != 0
    done = subprocess.run(
        [*AS_NOBODY, *command("search", "heist", "--mode", "keyword")],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "candidates" in done.stdout
    with production(*AS_NOBODY, **variables) as running:
        assert running.service.get("/health/ready")[1]["status"] == "ready"
        status, answer = running.service.get("/search", q="heist")
        assert (status, answer["degraded"]) == (200, [])
    assert {path: path.stat().st_mtime_ns for path in readable.rglob("*")} == there
