"""Files that are replaced as a whole."""

from pathlib import Path

import pytest

from hybrid.fusion.preferences import FILE, Preferences
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
