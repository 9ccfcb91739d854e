"""The lines of a file as text, or an error that says what the file is instead."""

import codecs
import gzip
import io
import re
import shlex
import zlib
from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from hybrid.errors import SourceUnreadable

LONGEST = 131_072
"""Characters of the longest record, as csv limits a field; a longer line is cut somewhere above."""

EXPECTED = "expected CSV or JSON lines in UTF-8, plain or gzipped, or a Parquet file"

_GZIP = b"\x1f\x8b"
_CHUNK = 4 * (LONGEST + 1)  # UTF-8 takes at most 4 bytes a character
_FOREIGN = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"PAR1": "a Parquet file that is gzipped",
    b"SQLite f": "an SQLite database",
    b"%PDF": "a PDF document",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"\x28\xb5\x2f\xfd": "a zstd file",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    _GZIP: "gzipped twice",
}
_MARKS = {  # UTF-32 first: its little-endian mark begins like that of UTF-16
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1f]")


class Line(NamedTuple):
    """One physical line with its end; numbers start at 1."""

    number: int
    text: str


def read_lines(path: Path) -> Generator[Line]:
    """Yield the lines of `path`, unzipped if need be; raise SourceUnreadable if it is not text."""
    if path.exists() and not path.is_file() and not path.is_dir():
        raise SourceUnreadable(f"{path} is not a regular file; {EXPECTED}")
    try:
        with path.open("rb") as file:
            zipped = file.peek(2).startswith(_GZIP)
            stream = gzip.GzipFile(fileobj=file) if zipped else file
            _refuse_foreign(path, stream.peek(8))
            for number, raw in enumerate(iter(partial(_next_line, stream), b""), 1):
                yield Line(number, _decode(path, number, raw))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise SourceUnreadable(f"{path} is a damaged gzip file ({error}); {EXPECTED}") from error
    except OSError as error:
        raise SourceUnreadable(f"{path} cannot be read: {error.strerror}; {EXPECTED}") from error


def _next_line(stream: io.BufferedReader | gzip.GzipFile) -> bytes:
    """Return the next line, or the start of a very long one, so that it fits in memory."""
    raw = rest = stream.readline(_CHUNK)
    while rest and not rest.endswith(b"\n"):
        rest = stream.readline(_CHUNK)
    return raw


def _refuse_foreign(path: Path, head: bytes) -> None:
    for magic, what in _FOREIGN.items():
        if head.startswith(magic):
            raise SourceUnreadable(f"{path} is {what}; {EXPECTED}")
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            raise SourceUnreadable(
                f"{path} is {encoding} text; {EXPECTED}. {_conversion(path, encoding)}"
            )


def _decode(path: Path, number: int, raw: bytes) -> str:
    if number == 1:
        raw = raw.removeprefix(codecs.BOM_UTF8)
    if 0 in raw:
        raise _not_text(path, number, raw, raw.index(0))
    try:
        # The cut may fall into a character; a line so long is rejected anyway.
        return raw.decode("utf-8", "strict" if len(raw) < _CHUNK else "replace")
    except UnicodeDecodeError as error:
        raise _not_text(path, number, raw, error.start) from None


def _not_text(path: Path, number: int, raw: bytes, position: int) -> SourceUnreadable:
    found = f"{path}, line {number}, byte {position + 1} (0x{raw[position]:02x}) is not UTF-8 text"
    encoding = _guess_encoding(raw)
    if encoding:
        return SourceUnreadable(
            f"{found}, it looks like {encoding}; {EXPECTED}. {_conversion(path, encoding)}"
        )
    stray = r" (stray NUL bytes can be removed: tr -d '\000')" if raw[position] == 0 else ""
    return SourceUnreadable(f"{found}, it looks like binary data{stray}; {EXPECTED}")


def _guess_encoding(raw: bytes) -> str | None:
    """Guess the encoding of a line; None if it is none of those we know."""
    if raw[1::2].count(0) > len(raw) // 4:
        return "UTF-16LE"
    if raw[::2].count(0) > len(raw) // 4:
        return "UTF-16BE"
    if _CONTROLS.search(raw):
        return None
    try:
        raw.decode("windows-1252")  # what people call Latin-1 is part of it
    except UnicodeDecodeError:
        return None
    return "WINDOWS-1252"


def _conversion(path: Path, encoding: str) -> str:
    """Return the command that converts a file to UTF-8, gzipped or not."""
    target = shlex.quote("utf8-" + path.name.removesuffix(".gz"))
    source = shlex.quote(str(path))
    return f"Convert it: gzip -cdf {source} | iconv -f {encoding} -t UTF-8 > {target}"
