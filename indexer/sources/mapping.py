"""A file of your own: a small TOML file says which of its columns is which field of a film.

separator = ","          # between the entries of a list in a cell
[columns]                # field of a film = column of the file
title = "Film"
year = "Released"        # a year, or a date that begins or ends with one
"""

import re
import tomllib
from functools import partial
from pathlib import Path

import pandas as pd

from hybrid.errors import SourceUnreadable
from hybrid.movie import Movie
from indexer.sources.format import Format, as_objects
from indexer.sources.kaggle import film_id
from indexer.sources.records import fold

LISTS = "genres keywords cast directors writers companies countries languages".split()

_YEAR = re.compile(r"([0-9]{4})(?:[-/. ].*)?|.*[-/., ]([0-9]{4})")
_ID = re.compile(r"\s*(?:tt)?([0-9]{1,19})\s*", re.IGNORECASE)


def read_mapping(path: Path) -> Format:
    """Return the format that a mapping describes. Raises SourceUnreadable, naming the key."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SourceUnreadable(f"the mapping {path} cannot be read: {error}") from error
    columns, separator = found.pop("columns", None), found.pop("separator", ",")
    if found:
        raise _wrong(path, f"has the key {', '.join(found)}; expected columns and separator")
    if not isinstance(separator, str) or not separator:
        raise _wrong(path, f"has the separator {separator!r}; expected text such as ','")
    if not isinstance(columns, dict) or "title" not in columns:
        raise _wrong(path, 'names no title; expected a table [columns] with title = "COLUMN"')
    for field, column in columns.items():
        if field not in Movie.model_fields:
            known = ", ".join(Movie.model_fields)
            raise _wrong(path, f"has columns.{field}, which no film has; known are {known}")
        if not isinstance(column, str) or not column.strip():
            raise _wrong(path, f"has columns.{field} = {column!r}; expected the name of a column")
    fields = {fold(column): field for field, column in columns.items()}
    if len(fields) < len(columns):
        raise _wrong(path, "names a column for two fields; expected each column once")
    return Format(f"mapping {path.name}", "", fields, {}, partial(_parse, separator=separator))


def _wrong(path: Path, problem: str) -> SourceUnreadable:
    return SourceUnreadable(f"the mapping {path} {problem}")


def _parse(frame: pd.DataFrame, separator: str) -> pd.DataFrame:
    parsed = {field: as_objects([_split(v, separator) for v in frame[field]]) for field in LISTS}
    parsed["year"] = as_objects([_year(value) for value in frame["year"]])
    if "id" in frame:
        parsed["id"] = as_objects([film_id(value, _ID) for value in frame["id"]])
    return frame.assign(**parsed)


def _split(value: object, separator: str) -> object:
    return value.split(separator) if isinstance(value, str) else value


def _year(value: object) -> object:
    """Return the year of a date, whatever else as it is."""
    match = _YEAR.fullmatch(str(value).strip()) if isinstance(value, str) else None
    return (match[1] or match[2]) if match else value
