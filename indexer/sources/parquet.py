"""The rows of a Parquet file, whose columns have names and types."""

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from math import isnan
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from hybrid.errors import SourceUnreadable
from indexer.sources.lines import EXPECTED, Line
from indexer.sources.records import Record, fold

_MAGIC = b"PAR1"
_ROWS = 1_000  # at a time: a file may be larger than memory


def is_parquet(path: Path) -> bool:
    """Tell whether `path` is a file that begins as Parquet does."""
    if not path.is_file():
        return False  # to open a pipe would wait for its other end
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False  # `read_lines` reports why it cannot be opened


def parquet_columns(path: Path) -> list[str]:
    """Return the folded names of the columns. Raises SourceUnreadable."""
    with _readable(path):
        return [fold(name) for name in pq.read_schema(path).names]


def parquet_records(path: Path, columns: list[str]) -> Generator[Record]:
    """Yield one record a row under `columns`; rows count from 1. Raises SourceUnreadable."""
    number = 0
    with _readable(path), pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_ROWS):
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                number += 1
                values = dict(zip(columns, map(_plain, row), strict=True))
                yield Record(Line(number, json.dumps(values, ensure_ascii=False)), values)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Raise one error for the many that reading raises."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        reason = str(error).partition("\n")[0]
        raise SourceUnreadable(
            f"{path} is a damaged Parquet file ({reason}); {EXPECTED}"
        ) from error


def _plain(value: object) -> object:
    """Return a value as JSON could hold it: dates as text, None for NaN."""
    match value:
        case list() | tuple():
            return [_plain(entry) for entry in value if entry is not None]
        case dict():
            return {fold(str(name)): _plain(entry) for name, entry in value.items()}
        case float() if isnan(value):
            return None  # pandas and others write it for a missing number
        case None | str() | bool() | int() | float():
            return value
        case Decimal():
            return int(value) if value % 1 == 0 else float(value)
        case _:
            return _text(value)


def _text(value: object) -> str:
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date | time) else str(value)
