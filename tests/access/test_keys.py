"""Keys: random, kept as hashes, revoked for good, and their last use to the hour."""

import hmac
import re
import secrets
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from hybrid.access import keys as module
from hybrid.access import last_use as uses
from hybrid.access.keys import KeyFolder
from hybrid.access.last_use import LastUse, last_use
from hybrid.errors import InvalidInput
from hybrid.storage.durable import replace
from tests.command import run


@pytest.fixture
def folder(tmp_path: Path) -> KeyFolder:
    """Give a folder for keys that does not exist yet."""
    return KeyFolder(tmp_path / "data" / "keys")


def test_a_key_is_found_by_its_text_alone(folder: KeyFolder) -> None:
    """Every other text is no key: one character less, more or other, wherever it is."""
    key, text = folder.create(("read", "write"), "importer")
    assert folder.find(text) == key
    others = [text[:-1], f"{text}A", f" {text}", f"{text}\n", text.upper(), "", "é" * len(text)]
    for place, character in enumerate(text):
        others.append(text[:place] + ("A" if character != "A" else "B") + text[place + 1 :])
    assert [other for other in others if folder.find(other)] == []


def test_what_is_kept_does_not_give_the_key_away(folder: KeyFolder) -> None:
    """The one file holds the SHA-256 of the text, and no other part of it than the id."""
    key, text = folder.create(("write",))
    (file,) = folder.folder.iterdir()
    kept = file.read_text()
    assert sha256(text.encode()).hexdigest() in kept
    assert text.removeprefix(f"hfs_{key.id}_") not in kept


def test_keys_are_random_and_recognisable(folder: KeyFolder) -> None:
    """Each has the prefix, an id of its own and 256 random bits."""
    texts = [folder.create(("read",))[1] for _ in range(50)]
    parts = [re.fullmatch(r"hfs_([0-9a-f]{12})_([\w-]{43})", text) for text in texts]
    assert len({part[1] for part in parts if part}) == 50
    assert len({part[2] for part in parts if part}) == 50


def test_hashes_are_compared_in_constant_time(
    folder: KeyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comparison is that of hmac, for a right and for a wrong key."""
    _, text = folder.create(("read",))
    compared = []
    real = hmac.compare_digest

    def compare(one: str, other: str) -> bool:
        compared.append((one, other))
        return bool(real(one, other))

    monkeypatch.setattr(hmac, "compare_digest", compare)
    assert folder.find(text)
    assert not folder.find(text[:-4] + "AAAA")
    assert [one == other for one, other in compared] == [True, False]


def test_scopes_do_not_include_each_other(folder: KeyFolder) -> None:
    """A key allows what it was created for, and nothing else."""
    key, _ = folder.create(("write",))
    assert [scope for scope in module.SCOPES if key.allows(scope)] == ["write"]


def test_a_revoked_key_is_gone(folder: KeyFolder) -> None:
    """Nothing of it is left, others stay, and it cannot be revoked twice."""
    (key, text), (other, other_text) = folder.create(("read",)), folder.create(("read",))
    LastUse(folder.folder).note(key.id)
    folder.revoke(key.id)
    assert folder.find(text) is None
    assert folder.find(other_text) == other
    assert [file.name for file in folder.folder.iterdir()] == [f"{other.id}.json"]
    with pytest.raises(InvalidInput, match="is not the id of a key"):
        folder.revoke(key.id)


@pytest.mark.parametrize("key_id", ["", "..", "../outside", "0" * 12, "*", "é"])
def test_only_keys_are_revoked(folder: KeyFolder, key_id: str) -> None:
    """No id leads out of the folder."""
    folder.create(("read",))
    outside = folder.folder.parent / "outside.json"
    outside.touch()
    with pytest.raises(InvalidInput):
        folder.revoke(key_id)
    assert outside.exists()
    assert len(folder.all()) == 1


def cut(file: Path) -> None:
    """Leave half of a file."""
    file.write_bytes(file.read_bytes()[:40])


def without_scopes(file: Path) -> None:
    """Leave a key that allows nothing known."""
    file.write_text(file.read_text().replace("read", "everything"))


@pytest.mark.parametrize("damage", [cut, without_scopes, Path.unlink])
def test_a_damaged_key_is_refused(folder: KeyFolder, damage: Callable[[Path], object]) -> None:
    """A file that is not as it was written lets nobody in."""
    _, text = folder.create(("read",))
    (file,) = folder.folder.iterdir()
    damage(file)
    assert folder.find(text) is None


def test_a_link_planted_beside_a_key_is_not_followed(
    folder: KeyFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files that a key or its use is written to replace links, whose targets stay."""
    target = tmp_path / "target"
    target.write_text("precious")
    monkeypatch.setattr(secrets, "token_hex", lambda _: "0" * 12)
    folder.folder.mkdir(parents=True)
    for name in (".%s.json.new", "%s.json", ".%s.used.new", "%s.used"):
        (folder.folder / (name % ("0" * 12))).symlink_to(target)
    key, text = folder.create(("read",))
    LastUse(folder.folder).note(key.id)
    assert target.read_text() == "precious"
    assert folder.find(text) == key
    assert last_use(folder.folder, key.id)


def test_uses_are_written_once_an_hour(folder: KeyFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand uses in an hour are one write, and the next hour is another."""
    key, _ = folder.create(("read",))
    written = []
    real = replace

    def counted(file: Path, text: str) -> None:
        written.append(file)
        real(file, text)

    monkeypatch.setattr(uses, "replace", counted)
    noted, start = LastUse(folder.folder), datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert last_use(folder.folder, key.id) is None
    for second in range(1000):
        noted.note(key.id, start + timedelta(seconds=second))
    assert len(written) == 1
    assert last_use(folder.folder, key.id) == start
    noted.note(key.id, start + timedelta(hours=1))
    assert len(written) == 2
    assert last_use(folder.folder, key.id) == start + timedelta(hours=1)


def test_a_folder_that_cannot_be_written_does_not_stop_uses(folder: KeyFolder) -> None:
    """Keys in a folder that a service only reads are used all the same."""
    key, text = folder.create(("read",))
    blocker = folder.folder / f".{key.id}.used.new"
    blocker.mkdir()  # root, as CI is, may write into any folder
    LastUse(folder.folder).note(key.id)
    assert last_use(folder.folder, key.id) is None
    assert folder.find(text) == key


def test_the_command_line(tmp_path: Path) -> None:
    """A key is created, shown once and alone on standard output, listed, used and revoked."""
    data = {"HYBRID_DATA": str(tmp_path)}
    made = run("hybrid", "keys", "create", "--scope", "write", "--name", "me\x1b[31m", **data)
    assert made.returncode == 0, made.stderr
    key = KeyFolder(tmp_path / "keys").find(made.stdout.removesuffix("\n"))
    assert key
    assert f"key {key.id} for write, shown only now" in made.stderr
    mode = (tmp_path / "keys" / f"{key.id}.json").stat().st_mode
    assert not mode & (stat.S_IWGRP | stat.S_IWOTH)
    LastUse(tmp_path / "keys").note(key.id, datetime(2026, 1, 2, 3, 4, tzinfo=UTC))
    listed = run("hybrid", "keys", "list", **data).stdout
    assert listed.split() == [
        key.id, "write", "created", f"{key.record.created:%Y-%m-%d}",
        "used", "2026-01-02", "03:04", "UTC", "me", "[31m",
    ]  # fmt: skip
    revoked = run("hybrid", "keys", "revoke", key.id, **data)
    assert revoked.stdout == f"Revoked {key.id}.\n"
    assert run("hybrid", "keys", "list", **data).stdout == f"No key in {tmp_path / 'keys'}.\n"


def test_the_folder_is_a_setting(tmp_path: Path) -> None:
    """HYBRID_KEYS names it, wherever the data are."""
    folder = tmp_path / "elsewhere"
    made = run("hybrid", "keys", "create", "--scope", "read", HYBRID_KEYS=str(folder))
    assert KeyFolder(folder).find(made.stdout.strip())


def test_a_damaged_file_is_named_and_can_be_revoked(folder: KeyFolder) -> None:
    """The list says which key is damaged; revoking that one makes the list whole."""
    key, _ = folder.create(("read",))
    (file,) = folder.folder.iterdir()
    cut(file)
    with pytest.raises(InvalidInput, match=f"{key.id}.json is not a key: revoke {key.id}"):
        folder.all()
    folder.revoke(key.id)
    assert folder.all() == []
