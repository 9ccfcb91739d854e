"""A generation is written in a folder of its own and becomes the published one in one step."""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from hybrid.errors import BuildFailed
from hybrid.generation import (
    CURRENT,
    GENERATIONS,
    MANIFEST,
    UNFINISHED,
    FileDigest,
    Manifest,
    current_name,
)

NAME = re.compile(rf"[0-9]+-[0-9a-f]{{12}}({re.escape(UNFINISHED)})?")


@contextmanager
def only_writer(data: Path) -> Iterator[None]:
    """Hold the data folder's lock, which dies with its process. Raises BuildFailed if held."""
    data.mkdir(parents=True, exist_ok=True)
    with (data / "WRITER").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BuildFailed(
                f"another build is writing to {data}: wait for it, or use another --data folder"
            ) from None
        yield


def deployment_id(data: Path) -> str:
    """Return the UUID of this data folder, made on first use: it marks what is ours."""
    file = data / "DEPLOYMENT"
    if not file.exists():
        _write_atomically(file, uuid4().hex)
    return file.read_text(encoding="ascii").strip()


def unfinished_folder(data: Path) -> Path:
    """Make a folder for a generation in the making, `<n>-<uuid>.unfinished`, n above all others."""
    there = (data / GENERATIONS).glob("*")
    numbers = [_number(folder) for folder in there if NAME.fullmatch(folder.name)]
    name = f"{max(numbers, default=0) + 1}-{uuid4().hex[:12]}"
    folder = data / GENERATIONS / f"{name}{UNFINISHED}"
    folder.mkdir(parents=True)
    return folder


def publish(data: Path, folder: Path, manifest: Manifest) -> Path:
    """Make the finished `folder` the published generation and return its new place.

    Replacing CURRENT is the only commit.
    """
    manifest_file = folder / MANIFEST
    manifest_file.write_text(manifest.model_dump_json(indent=2), encoding="utf-8")
    for path in (folder, *folder.rglob("*")):
        _sync(path)
    final = data / GENERATIONS / manifest.name
    folder.rename(final)
    _sync(final.parent)
    digest = FileDigest.of(final / MANIFEST).sha256
    _write_atomically(data / CURRENT, f"{manifest.name} {digest}\n")
    return final


def collect(data: Path) -> list[str]:
    """Remove all generations but the published one and the one before; return those names.

    What is not named like a generation is not ours and stays.
    """
    current = data / GENERATIONS / str(current_name(data))
    folders = [
        folder
        for folder in (data / GENERATIONS).iterdir()
        if NAME.fullmatch(folder.name) and folder.is_dir()
    ]
    older = [
        folder
        for folder in folders
        if not folder.name.endswith(UNFINISHED) and _number(folder) < _number(current)
    ]
    # A service that runs may still read the one before.
    kept = {current, *sorted(older, key=_number)[-1:]}
    for folder in set(folders) - kept:
        shutil.rmtree(folder)
    return sorted(folder.name for folder in kept)


def _number(folder: Path) -> int:
    return int(folder.name.partition("-")[0])


def _write_atomically(file: Path, text: str) -> None:
    """Replace `file`: after a crash it holds the old text or the new, whole."""
    new = file.with_name(f".{file.name}.new")
    new.write_text(text, encoding="ascii")
    _sync(new)
    new.replace(file)
    _sync(file.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
