"""Records that a source had when it was read last: a record that is the same gives the same film.

A generation has a table of the records that its source's films were made of. So an update reads and
cleans only what is new in a file: it takes a tenth of the time.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from hybrid import bounds, movie
from hybrid.ranking import Ids
from hybrid.storage.arrays import read_arrays, write_arrays
from hybrid.storage.generation import RECORDS, Generation
from hybrid.storage.manifest import FileDigest
from hybrid.text import sentences

if TYPE_CHECKING:
    # Reading files of films takes long to import, and is not installed for serving alone.
    from indexer.sources.records import Record

Digests = NDArray[np.uint64]

RecordRows = NDArray[np.void]
"""Rows of the table, of the type TABLE."""

TABLE = np.dtype(
    [
        ("record", "<u8"),  # 64 bits of the digest of the record as it was read, and of how
        ("values", "<u8"),  # those of the film it became, without an id that we gave to it
        ("page", "<u8"),  # and what a numbered film is recognised by, as `MatchKeys` has it
        ("title", "<u8"),
        ("film", "<i8"),  # the id of the film in the catalogue
        ("content", "<i8"),  # its `content_number`
        ("described", "?"),  # whether it has a description
        ("dated", "?"),  # and a year
    ]
)
"""A row for each film whose record was read without a fault; 0 is no digest of a record."""

NONE: RecordRows = np.empty(0, TABLE)

NEW = -1
"""The `film` of a row that no catalogue has yet."""


class RecordRow(NamedTuple):
    """A row of the table as Python reads it."""

    record: int
    values: int
    page: int
    title: int
    film: int
    content: int
    described: bool
    dated: bool


class KnownRecord(NamedTuple):
    """A record that is known, with its number in the file, and the row of the table."""

    number: int
    record: "Record"
    row: RecordRow


@dataclass(frozen=True)
class KnownRecords:
    """The table `rows`, sorted by `record`, and a `key`, on which the digests of records depend."""

    rows: RecordRows
    key: bytes

    @classmethod
    def of(cls, rows: RecordRows) -> Self:
        """Return the records of a table, for reading with this version of the code."""
        return cls(rows, _code())

    def read_so(self, *how: object) -> "KnownRecords":
        """Return the table for records that are read in this way: others are not in it."""
        return replace(self, key=digest(self.key, repr(how)))

    def digests(self, records: "Sequence[Record]") -> Digests:
        """Return the digest of each record, of its values or, if it has none, of its text."""
        key = self.key
        texts = (r.line.text if r.values is None else repr(r.values) for r in records)
        found = b"".join([digest(key, text) for text in texts])
        digests: Digests = np.maximum(np.frombuffer(found, "<u8"), 1)
        return digests

    def find(self, digests: Digests) -> tuple[NDArray[np.bool_], Sequence[RecordRow]]:
        """Return which records are known, bool (n,), and the rows of those that are."""
        known = self.rows["record"]
        places = known.searchsorted(digests)
        found = places < len(known)
        found[found] = known[places[found]] == digests[found]
        return found, list(map(RecordRow._make, self.rows[places[found]].tolist()))


def digest(key: bytes, text: str) -> bytes:
    """Return 8 bytes of a digest of a text."""
    return blake2b(text.encode(errors="surrogatepass"), digest_size=8, key=key).digest()


def records_of(generation: Generation) -> RecordRows:
    """Return the table of a generation, which is empty if it has none or that is damaged."""
    file, expected = generation.file(RECORDS), generation.manifest.files.get(RECORDS)
    try:
        if expected is None or FileDigest.of(file) != expected:
            return NONE
    except OSError:
        return NONE
    (rows,) = read_arrays(file)
    return rows


@dataclass(frozen=True)
class SourceRecords:
    """The records of n films of a source: their `rows` (n,), and the ids and `content_number`s
    under which the catalogue has them, int64 (n,) each."""

    rows: RecordRows
    films: Ids
    contents: Ids

    def write(self, file: Path) -> None:
        """Write the table of a generation. Raises OSError."""
        table = self.rows.copy()
        table["film"], table["content"] = self.films, self.contents
        table = table[table["record"] != 0]
        write_arrays(file, [table[np.argsort(table["record"], kind="stable")]])


@cache
def _code() -> bytes:
    """Return a digest of the code that makes films of records: with other code none is known."""
    indexer = Path(__file__).parent
    files = [*(indexer / "sources").glob("*.py"), *(indexer / "films").glob("*.py")]
    files += [Path(str(module.__file__)) for module in (bounds, movie, sentences)]
    code = blake2b(unicodedata.unidata_version.encode(), digest_size=32)
    for file in sorted(files):
        code.update(file.read_bytes())
    return code.digest()


def table_of(rows: Sequence[tuple[Any, ...]]) -> RecordRows:
    """Return rows as an array of the type TABLE, (n,)."""
    return np.array(rows, TABLE)
