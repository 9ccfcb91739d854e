"""Files that are replaced as a whole."""

from pathlib import Path

import pytest

from hybrid.fusion.preferences import FILE, Preferences
from hybrid.storage import durable
from hybrid.storage.durable import make_folder, replace
from indexer.generations.lock import deployment_id


def test_a_file_is_replaced(tmp_path: Path) -> None:
    """It has the new text, and nothing is left beside it."""
    file = tmp_path / "file"
    for text in ("old", "new\n"):
        replace(file, text)
        assert file.read_bytes() == text.encode()
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("name", ["CURRENT", FILE, "DEPLOYMENT"])
@pytest.mark.parametrize("there", [True, False])
def test_a_planted_link_is_not_followed(tmp_path: Path, name: str, there: bool) -> None:
    """A link where the new text is written first is removed, and what it points to stays as it is,
    or is not made."""
    target, data = tmp_path / "target", tmp_path / "data"
    data.mkdir()
    if there:
        target.write_text("mine")
    (data / f".{name}.new").symlink_to(target)
    if name == "DEPLOYMENT":
        deployment_id(data)
    elif name == FILE:
        Preferences().save(data)
    else:
        replace(data / name, "text")
    assert (data / name).stat().st_size
    assert not (data / name).is_symlink()
    assert [file.name for file in data.iterdir()] == [name]
    assert target.exists() == there
    assert not there or target.read_text() == "mine"


def test_a_link_planted_at_the_last_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that comes after the check is an error, and not followed either."""
    target, file = tmp_path / "target", tmp_path / "file"
    unlink = Path.unlink

    def planting(path: Path, missing_ok: bool = False) -> None:
        unlink(path, missing_ok=missing_ok)
        monkeypatch.undo()
        path.symlink_to(target)

    monkeypatch.setattr(Path, "unlink", planting)
    with pytest.raises(FileExistsError):
        replace(file, "text")
    assert list(tmp_path.iterdir()) == []


def test_folders_are_made(tmp_path: Path) -> None:
    """All that are missing, and none again; a file in the way is named."""
    for _ in range(2):
        make_folder(tmp_path / "a" / "b")
        assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        make_folder(tmp_path / "file")


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Give the paths that are synced, in their order."""
    paths: list[Path] = []
    sync = durable.sync

    def noting(path: Path) -> None:
        sync(path)
        paths.append(path)

    monkeypatch.setattr(durable, "sync", noting)
    return paths


def test_a_file_is_removed_for_good(tmp_path: Path, synced: list[Path]) -> None:
    """Its folder is synced once it is gone, or it would be there again after a power cut."""
    file = tmp_path / "file"
    file.touch()
    durable.remove(file)
    assert list(tmp_path.iterdir()) == []
    assert synced == [tmp_path]
    with pytest.raises(FileNotFoundError):
        durable.remove(file)


def test_syncs_keep_no_file_open(tmp_path: Path) -> None:
    """Whether they succeed or not: a service that runs for months syncs millions of times."""
    for _ in range(3):
        durable.sync(tmp_path)
    before = set(Path("/proc/self/fd").iterdir())
    durable.sync(tmp_path)
    assert set(Path("/proc/self/fd").iterdir()) == before


def test_all_are_synced_though_one_fails(tmp_path: Path, synced: list[Path]) -> None:
    """The error arrives once the others are on disk."""
    files = [tmp_path / f"file-{number}" for number in range(4)]
    for file in files:
        file.touch()
    durable.sync_all(files)
    assert set(synced) == set(files)
    synced.clear()
    files[1].unlink()
    with pytest.raises(FileNotFoundError, match="file-1"):
        durable.sync_all(files)
    assert set(synced) == {files[0], files[2], files[3]}
