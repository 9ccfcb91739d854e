"""Keys: made at random, kept as hashes in a folder, one file each.

A service looks a key up for each request: a new key works at once, and a revoked one no more.

The file of a key holds no secret. A hash that is fast to compute is enough, because nobody can try
out 256 random bits; slow hashes are for passwords, which people choose.
"""

import hmac
import logging
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hybrid.access.last_use import last_use_file
from hybrid.errors import InvalidInput
from hybrid.storage.durable import make_folder, remove, replace

Scope = Literal["read", "write", "judge"]
"""What a key allows: to search and read films, to change films, to record judgements."""

SCOPES: tuple[Scope, ...] = get_args(Scope)

PREFIX = "hfs"
"""Begins every key, so that people and scanners for secrets recognise one."""

_KEY = re.compile(rf"{PREFIX}_([0-9a-f]{{12}})_[A-Za-z0-9_-]{{43}}")
"""A key: the prefix, its id, and 256 random bits in URL-safe base64."""

_ID = re.compile(r"[0-9a-f]{12}")


class KeyRecord(BaseModel):
    """What is kept of a key. `sha256` is the hash of the whole key, in hexadecimal."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1)]
    created: datetime
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


@dataclass(frozen=True)
class Key:
    """A key that exists: its id, and what is kept of it."""

    id: str
    record: KeyRecord

    def allows(self, scope: Scope) -> bool:
        """Whether the key has this scope. No scope includes another."""
        return scope in self.record.scopes


class KeyFolder:
    """The keys in a folder, which need not exist. Safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def create(self, scopes: Sequence[Scope], name: str = "") -> tuple[Key, str]:
        """Create a key, on disk once this returns; return it and its text, which is kept nowhere.

        Raises OSError.
        """
        key_id = secrets.token_hex(6)
        text = f"{PREFIX}_{key_id}_{secrets.token_urlsafe(32)}"
        record = KeyRecord(
            name=name,
            scopes=tuple(scope for scope in SCOPES if scope in scopes),
            created=datetime.now(UTC).replace(microsecond=0),
            sha256=_hash(text),
        )
        make_folder(self.folder)
        replace(self._file(key_id), f"{record.model_dump_json(indent=2)}\n")
        return Key(key_id, record), text

    def find(self, text: str) -> Key | None:
        """Return the key with this text; None if there is none, or its file cannot be read."""
        match = _KEY.fullmatch(text)
        record = self._record(match[1]) if match else None
        if match is None or record is None:
            return None
        # The id is no secret, the rest is compared in a time that does not depend on it.
        same = hmac.compare_digest(_hash(text), record.sha256)
        return Key(match[1], record) if same else None

    def all(self) -> list[Key]:
        """Return all keys, the oldest first. Raises InvalidInput if a file is damaged, OSError."""
        keys = []
        for file in self.folder.glob("*.json"):
            if not _ID.fullmatch(file.stem):
                continue
            try:
                record = KeyRecord.model_validate_json(file.read_bytes())
            except ValidationError:
                problem = f"is not a key: revoke {file.stem}, or restore the file"
                raise InvalidInput(f"{file} {problem}", {"keys": problem}) from None
            keys.append(Key(file.stem, record))
        return sorted(keys, key=lambda key: (key.record.created, key.id))

    def revoke(self, key_id: str) -> None:
        """Remove a key, on disk too once this returns.

        Raises InvalidInput if there is none with this id, OSError.
        """
        file = self._file(key_id)
        if not _ID.fullmatch(key_id) or not file.is_file():
            problem = "is not the id of a key: `python -m hybrid keys list` shows all"
            raise InvalidInput(f"'{key_id}' {problem}", {"id": problem})
        last_use_file(self.folder, key_id).unlink(missing_ok=True)
        remove(file)

    def _file(self, key_id: str) -> Path:
        return self.folder / f"{key_id}.json"

    def _record(self, key_id: str) -> KeyRecord | None:
        try:
            return KeyRecord.model_validate_json(self._file(key_id).read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            # Whoever has the key is refused; whoever runs the service learns why.
            reason = error.strerror if isinstance(error, OSError) else "it is damaged"
            logging.getLogger(__name__).warning("key %s is refused: %s", key_id, reason)
            return None


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()
