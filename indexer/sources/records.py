"""Lines to records: the values of a film by column, or what is wrong with it."""

import csv
import json
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from indexer.sources.lines import LONGEST, Line

MOST_LINES = 200
"""A longer CSV record has an unclosed quote, and must not swallow the films after it."""

_TOO_LONG = f"longer than {LONGEST:,} characters, which no film is"


@dataclass(frozen=True)
class Record:
    """One record: its first line and its values, or its fault; a blank line has neither.

    A line of JSON lines is `unparsed` until `parse` is called: most lines of an update are known.
    """

    line: Line
    values: dict[str, object] | None = None
    fault: str | None = None
    unparsed: bool = False


@lru_cache(maxsize=1024)  # every line of JSON has them again
def fold(name: str) -> str:
    """Return the form in which names of columns are compared."""
    return name.strip().casefold()


def quoted(names: Collection[str], most: int = 40) -> str:
    """Return names of columns for an error: quoted, the long ones cut, and not too many."""
    shown = ", ".join(repr(name[:40]) for name in islice(names, most))
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")


def csv_fields(lines: Iterable[str], delimiter: str = ",") -> tuple[list[str], int]:
    """Return the fields of the first CSV record in `lines` and how many lines it takes."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    return next(reader), reader.line_num


def csv_records(
    columns: Sequence[str], lines: Iterator[Line], delimiter: str = ","
) -> Iterator[Record]:
    """Yield the records under a header.

    After a broken record reading resumes at the line below its first, so that an unclosed quote
    costs one film.
    """
    ahead = deque(islice(lines, 1))
    while ahead:
        record, used = _csv_record(columns, ahead, lines, delimiter)
        yield record
        for _ in range(used):
            ahead.popleft()
        if not ahead:
            ahead.extend(islice(lines, 1))


def _csv_record(
    columns: Sequence[str], ahead: deque[Line], lines: Iterator[Line], delimiter: str
) -> tuple[Record, int]:
    first = ahead[0]
    if not first.text.strip():
        return Record(first), 1
    try:
        fields, used = csv_fields(_texts(ahead, lines), delimiter)
    except csv.Error as error:
        return Record(first, fault=f"broken quoting: {error}, expected pairs of quotes"), 1
    if len(fields) != len(columns):
        fault = f"wrong number of fields: {len(fields)}, expected {len(columns)} as in the header"
        return Record(first, fault=fault), 1
    return Record(first, dict(zip(columns, fields, strict=True))), used


def _texts(ahead: deque[Line], lines: Iterator[Line]) -> Iterator[str]:
    """Yield the lines that one record may take; those read for it stay in `ahead`."""
    size = 0
    for position in range(MOST_LINES):
        if position == len(ahead):
            ahead.extend(islice(lines, 1))
        if position == len(ahead):
            return
        size += len(ahead[position].text)
        if size > LONGEST:
            raise csv.Error(_TOO_LONG)
        yield ahead[position].text
    raise csv.Error(f"more than {MOST_LINES} lines in quotes")


def json_records(lines: Iterable[Line]) -> Iterator[Record]:
    """Yield one record for each line of JSON lines, not parsed yet."""
    return (Record(line, unparsed=True) for line in lines)


def parse(record: Record) -> Record:
    """Return a record with its values, or its fault."""
    line = record.line
    if not record.unparsed:
        return record
    if not line.text.strip():
        return Record(line)
    try:
        return Record(line, _json_object(line.text))
    except ValueError as error:
        return Record(line, fault=str(error))


def _json_object(text: str) -> dict[str, object]:
    if len(text) > LONGEST:
        raise ValueError(f"too long a line: {_TOO_LONG}")
    value = json_value(text)
    if not isinstance(value, dict):
        raise ValueError(f"no film: a JSON {type(value).__name__}, expected an object")  # noqa: TRY004
    return value


def json_value(text: str) -> object:
    """Return the value of a JSON text. Raises ValueError saying what is wrong with it."""
    try:
        value: object = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_constant, parse_int=_integer
        )
        if "\\u" in text:  # only an escape can make half a surrogate pair
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise ValueError(f"no valid JSON: {error.msg} at character {error.pos + 1}") from error
    except UnicodeEncodeError as error:
        raise ValueError(r"no valid text: half a surrogate pair (like \ud800)") from error
    except RecursionError as error:
        raise ValueError("no film: nested too deeply") from error
    return value


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = {fold(name): value for name, value in pairs}
    if len(values) < len(pairs):
        raise ValueError("repeated key: expected each once, case and outer blanks do not count")
    return values


def _integer(digits: str) -> int:
    try:
        return int(digits)
    except ValueError as error:
        raise ValueError(f"number of {len(digits):,} digits: expected 4,300 at most") from error


def _constant(name: str) -> object:
    raise ValueError(f"no valid JSON: {name}, expected a number or null")
