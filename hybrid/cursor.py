"""Cursors: where the next page of a list begins, as text that the client sends back.

The cursor of a search carries its window: the ids of all films that it found, in order. Later pages
need nothing else, so they are the same whatever is published meanwhile.
"""

import hashlib
import zlib
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from hybrid.errors import InvalidInput
from hybrid.movie import MAX_ID
from hybrid.query import SearchQuery

MAX_FILMS = 3000
"""Of a window: the lists of words, titles and meaning, of at most 1,000 films each."""

SHOWN = frozenset({"limit", "highlight", "explain", "require", "cursor"})
"""Fields of a query that neither choose films nor order them: they may change between pages."""

WINDOW = b"w"
"""The first byte of the cursor of a search."""

DIGEST_BYTES, CHECKSUM_BYTES = 6, 4

MAX_BITS = 64
"""Of the difference of two ids, zigzagged."""


@dataclass(frozen=True)
class Window:
    """The films that a search found: their ids from best to worst, and the place, counted from 0,
    at which a page begins."""

    ids: tuple[int, ...]
    place: int


def write_cursor(window: Window, query: SearchQuery) -> str:
    """Return the cursor from which a page of `query` begins at the place of the window.

    Base64url of: a letter, 6 bytes of the query's SHA-256, the place and the differences of
    successive ids as LEB128 (those zigzagged), CRC-32 of all this. 427 of 36 thousand films take
    1,400 characters. Ids are no secret, so that a checksum against damage is enough.
    """
    steps = (b - a for a, b in zip((0, *window.ids), window.ids, strict=False))
    numbers = [window.place, *(step << 1 if step >= 0 else (-step << 1) - 1 for step in steps)]
    content = WINDOW + _digest(query) + b"".join(map(_leb128, numbers))
    checksum = zlib.crc32(content).to_bytes(CHECKSUM_BYTES)
    return urlsafe_b64encode(content + checksum).rstrip(b"=").decode()


def read_cursor(query: SearchQuery) -> Window | None:
    """Return the window and place of the query's cursor, None if it has none.

    Raises InvalidInput if the cursor is damaged or belongs to another query.
    """
    if query.cursor is None:
        return None
    content = _checked(query.cursor)
    kind, digest = content[:1], content[1 : 1 + DIGEST_BYTES]
    if kind != WINDOW:
        raise _refused("is of another version: search again without it")
    if digest != _digest(query):
        raise _refused(
            "belongs to another query: send it with the query of its response, of which only "
            f"{', '.join(sorted(SHOWN - {'cursor'}))} may change, or search without it"
        )
    numbers = list(islice(_numbers(content[1 + DIGEST_BYTES :]), MAX_FILMS + 2))
    ids = tuple(_ids(numbers[1:]))
    # Whoever computes a checksum of their own may write anything.
    if not 0 < len(set(ids)) == len(ids) <= MAX_FILMS or not all(0 <= i <= MAX_ID for i in ids):
        raise _damaged()
    return Window(ids, numbers[0])


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


def _leb128(number: int) -> bytes:
    """Return a number as the fewest bytes of 7 bits, the lowest first."""
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*written, number])


def _numbers(content: bytes) -> Iterator[int]:
    """Yield the numbers that `_leb128` wrote one after the other. Raises InvalidInput for a number
    that no window has."""
    number = shift = 0
    for byte in content:
        if shift > MAX_BITS:
            raise _damaged()
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            yield number
            number = shift = 0


def _ids(zigzagged: Iterable[int]) -> Iterator[int]:
    film = 0
    for step in zigzagged:
        film += -(step >> 1) - 1 if step & 1 else step >> 1
        yield film


def _damaged() -> InvalidInput:
    return _refused("is damaged: send `next_cursor` as it was received, or search without it")


def _refused(problem: str) -> InvalidInput:
    return InvalidInput(f"cursor {problem}", {"cursor": problem})
