"""Cursors: where the next page of a list begins, as text that the client sends back.

The cursor of a search carries its window: the ids of all films that it found, in order. Later pages
need nothing else, so they are the same whatever is published meanwhile. The cursor of a list that
may have all films carries what the last film is ordered by, and its id.
"""

import hashlib
import zlib
from base64 import b64decode, urlsafe_b64encode
from dataclasses import dataclass

import numpy as np
from pydantic import FiniteFloat, TypeAdapter, ValidationError

from hybrid.errors import InvalidInput
from hybrid.query import FilmId, SearchQuery

MAX_FILMS = 3000
"""Of a window: the lists of words, titles and meaning, of at most 1,000 films each."""

SHOWN = frozenset({"limit", "highlight", "explain", "require", "cursor", "facets"})
"""Fields of a query that neither choose films nor order them: they may change between pages."""

WINDOW, PLACE = b"w", b"p"
"""The first byte of the cursor of a search, and of a list without one."""

DIGEST_BYTES, CHECKSUM_BYTES = 6, 4

INT64_BYTES = 8


@dataclass(frozen=True)
class Window:
    """The films that a search found: their ids from best to worst, and the place, counted from 0,
    at which a page begins."""

    ids: tuple[int, ...]
    place: int


@dataclass(frozen=True)
class Place:
    """After which film a page begins: `key` is what it is ordered by, None without such a value."""

    key: FiniteFloat | str | None
    film: FilmId


_PLACE = TypeAdapter(Place)


def write_window(window: Window, query: SearchQuery) -> str:
    """Return the cursor from which a page of `query` begins at the place of the window.

    It has the place and the ids as int64, compressed with bytes of equal weight side by side: 427
    of 36 thousand films take some 1,200 characters.
    """
    numbers = np.array([window.place, *window.ids], "<i8")
    by_weight = numbers.view(np.uint8).reshape(-1, INT64_BYTES).T
    return _written(WINDOW, query, zlib.compress(by_weight.tobytes(), level=1))


def write_place(place: Place, query: SearchQuery) -> str:
    """Return the cursor from which a page of `query` begins after a film: key and id as JSON."""
    return _written(PLACE, query, _PLACE.dump_json(place))


def _written(kind: bytes, query: SearchQuery, content: bytes) -> str:
    """Return as base64url: the kind, 6 bytes of the query's SHA-256, the content, and CRC-32 of it
    all. Nothing of this is secret, so that a checksum against damage is enough."""
    whole = kind + _digest(query) + content
    checksum = zlib.crc32(whole).to_bytes(CHECKSUM_BYTES)
    return urlsafe_b64encode(whole + checksum).rstrip(b"=").decode()


def read_window(query: SearchQuery) -> Window | None:
    """Return the window and place of the query's cursor, None if it has none.

    Raises InvalidInput if the cursor is damaged or belongs to another query.
    """
    content = _read(WINDOW, query)
    if content is None:
        return None
    # Whoever computes a checksum of their own may write anything.
    place, *ids = _numbers(content)
    if not 0 < len(set(ids)) == len(ids) <= MAX_FILMS or min(place, *ids) < 0:
        raise _damaged()
    return Window(tuple(ids), place)


def read_place(query: SearchQuery) -> Place | None:
    """Return the film after which the page begins, None without a cursor.

    Raises InvalidInput like `read_window`.
    """
    content = _read(PLACE, query)
    if content is None:
        return None
    try:
        place = _PLACE.validate_json(content)
    except ValidationError:
        raise _damaged() from None
    if place.key is not None and isinstance(place.key, str) != (query.sort == "title"):
        raise _damaged()
    return place


def _read(kind: bytes, query: SearchQuery) -> bytes | None:
    """Return what the query's cursor says, None if it has none."""
    if query.cursor is None:
        return None
    content = _checked(query.cursor)
    if content[1 : 1 + DIGEST_BYTES] != _digest(query):
        raise _refused(
            "belongs to another query: send it with the query of its response, of which only "
            f"{', '.join(sorted(SHOWN - {'cursor'}))} may change, or search without it"
        )
    if content[:1] != kind:
        raise _refused("is of another version: search again without it")
    return content[1 + DIGEST_BYTES :]


def _checked(cursor: str) -> bytes:
    """Return what a cursor says, without its checksum. Raises InvalidInput if it is damaged."""
    try:
        whole = b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
    except ValueError:  # no base64, not ASCII
        raise _damaged() from None
    content, checksum = whole[:-CHECKSUM_BYTES], whole[-CHECKSUM_BYTES:]
    if len(content) < 2 + DIGEST_BYTES or zlib.crc32(content).to_bytes(CHECKSUM_BYTES) != checksum:
        raise _damaged()
    return content


def _digest(query: SearchQuery) -> bytes:
    """Return what tells the query from others, whatever it shows of its films."""
    fields = query.model_dump_json(exclude=set(SHOWN), by_alias=False)
    return hashlib.sha256(fields.encode()).digest()[:DIGEST_BYTES]


def _numbers(content: bytes) -> list[int]:
    """Return the numbers that `write_window` wrote. Raises InvalidInput if these are none."""
    inflate = zlib.decompressobj()
    try:
        by_weight = inflate.decompress(content, INT64_BYTES * (MAX_FILMS + 2))
    except zlib.error:
        raise _damaged() from None
    if not by_weight or len(by_weight) % INT64_BYTES:
        raise _damaged()
    numbers = np.frombuffer(by_weight, np.uint8).reshape(INT64_BYTES, -1).T.copy().view("<i8")
    return numbers.ravel().tolist()


def _damaged() -> InvalidInput:
    return _refused("is damaged: send `next_cursor` as it was received, or search without it")


def _refused(problem: str) -> InvalidInput:
    return InvalidInput(f"cursor {problem}", {"cursor": problem})
