"""A file of your own: a small TOML file says which of its columns is which field of a film.

name = "my films"        # what to call the format
separator = ","          # between the entries of a list in a cell
[columns]                # field of a film = column of the file
title = "Film"
year = "Released"        # a year, or a date that begins or ends with one
"""

import re
import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from hybrid.bounds import LISTS
from hybrid.errors import SourceUnreadable
from hybrid.movie import Movie
from indexer.sources.format import TEXTS, Format, as_objects, film_id, names_of, year_of
from indexer.sources.records import fold, quoted

_ID = re.compile(r"\s*(?:tt)?([0-9]{1,20})(?:\.0)?\s*", re.IGNORECASE)
_KEYS = {"name": str, "separator": str, "columns": dict}


@dataclass(frozen=True)
class Mapping:
    """A mapping as read: `columns` maps a field of `Movie` to the folded name of its column."""

    path: Path
    text: str
    name: str
    separator: str
    columns: dict[str, str]

    def format(self, file: Path, found: Collection[str]) -> Format:
        """Return the format of `file`, whose columns are `found`. Raises SourceUnreadable."""
        for field, column in self.columns.items():
            if column not in found:
                raise _wrong(
                    self.path,
                    self.text,
                    field,
                    f"{field} is the column {column!r}, which {file} does not have; "
                    f"expected one of {quoted(found)}",
                )
        parse = partial(_parse, columns=self.columns, separator=self.separator)
        return Format(self.name, "", self.columns, {}, parse)


def read_mapping(path: Path) -> Mapping:
    """Read a mapping. Raises SourceUnreadable naming the line and the key that are wrong."""
    text, values = _read_toml(path)
    for key, value in values.items():
        _check_key(path, text, key, value)
    columns = values.get("columns", {})
    for field, column in columns.items():
        if field not in Movie.model_fields:
            known = ", ".join(Movie.model_fields)
            raise _wrong(
                path, text, field, f"a film has no field {field!r}; expected one of {known}"
            )
        if not isinstance(column, str) or not column.strip():
            problem = f"{field} is {column!r}; expected the name of a column in quotes"
            raise _wrong(path, text, field, problem)
    if "title" not in columns:
        raise SourceUnreadable(
            f'mapping {path} names no title; expected under [columns] a line like title = "Film"'
        )
    return Mapping(
        path=path,
        text=text,
        name=values.get("name", "columns of a mapping"),
        separator=values.get("separator", ","),
        columns={field: fold(column) for field, column in columns.items()},
    )


def _read_toml(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        values = tomllib.loads(text)
        repr(values)  # fails if a number is too long to be shown in an error
    except OSError as error:
        raise SourceUnreadable(f"mapping {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SourceUnreadable(f"mapping {path} is not UTF-8 text; expected TOML") from error
    except tomllib.TOMLDecodeError as error:
        raise SourceUnreadable(
            f'mapping {path} is not valid TOML: {error}; expected lines like title = "Film"'
        ) from error
    except (ValueError, RecursionError) as error:  # more digits or brackets than Python takes
        raise SourceUnreadable(
            f"mapping {path} has a number or a nesting that is too long; "
            'expected lines like title = "Film"'
        ) from error
    return text, values


def _check_key(path: Path, text: str, key: str, value: object) -> None:
    if key not in _KEYS:
        remedy = f"expected {', '.join(_KEYS)}"
        if key in Movie.model_fields:
            remedy = f"put {key} under a line [columns]"
        raise _wrong(path, text, key, f"unknown key {key!r}; {remedy}")
    if not isinstance(value, _KEYS[key]):
        kind = "a table [columns]" if key == "columns" else "text in quotes"
        raise _wrong(path, text, key, f"{key} is {value!r}; expected {kind}")
    if not value:
        raise _wrong(path, text, key, f"{key} is empty; leave it out or fill it in")


def _wrong(path: Path, text: str, key: str, problem: str) -> SourceUnreadable:
    """Return the error, with the line that the key begins, if any."""
    begins = re.compile(rf"""\s*\[?\s*["']?{re.escape(key)}["']?\s*[]=]""")
    lines = (number for number, line in enumerate(text.splitlines(), 1) if begins.match(line))
    where = next((f", line {number}" for number in lines), "")
    return SourceUnreadable(f"mapping {path}{where}: {problem}")


def _parse(frame: pd.DataFrame, columns: dict[str, str], separator: str) -> pd.DataFrame:
    """Split lists, and parse ids, years and texts."""
    parsed: dict[str, list[object]] = {}
    for field, column in columns.items():
        values = frame[field].tolist()
        if field in LISTS:
            parsed[field] = [_entries(column, value, separator) for value in values]
        elif field in TEXTS:
            parsed[field] = [_text(value) for value in values]
        elif field == "year":
            parsed[field] = [year_of(value) for value in values]
        elif field == "id":
            parsed[field] = [film_id(value, _ID) for value in values]
    return frame.assign(**{field: as_objects(values) for field, values in parsed.items()})


def _entries(column: str, value: object, separator: str) -> object:
    """Return the entries of a list; a cell that begins with a bracket is JSON."""
    if isinstance(value, str) and not value.lstrip().startswith("["):
        return value.split(separator)
    return names_of(column, value)


def _text(value: object) -> object:
    """Return a number as text: a film may be called 1917, and a budget be a number."""
    if isinstance(value, float) and value % 1 == 0:
        return str(int(value))
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if number else value
