"""Records of a Parquet file, whose columns have types already."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from hybrid.errors import SourceUnreadable
from indexer.sources.lines import Line
from indexer.sources.records import Record, fold

MAGIC = b"PAR1"


def is_parquet(path: Path) -> bool:
    """Tell whether a file begins like a Parquet file."""
    if not path.is_file():  # a pipe would be waited for
        return False
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def parquet_records(path: Path) -> Iterator[Record]:
    """Yield one record a row, numbered from 1. Raises SourceUnreadable."""
    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise SourceUnreadable(
            f"{path} is a damaged Parquet file ({error}); expected a whole one"
        ) from error
    columns = [fold(str(name)) for name in frame.columns]
    for number, row in enumerate(frame.itertuples(index=False, name=None), start=1):
        values = {name: _plain(value) for name, value in zip(columns, row, strict=True)}
        yield Record(Line(number, ", ".join(str(v) for v in values.values() if v)), values)


def _plain(value: Any) -> object:
    """Return what JSON could hold: lists for arrays, text for dates, None for missing."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, str | list | bool):
        return value
    if pd.isna(value):
        return None
    return value if isinstance(value, int | float) else str(value)
