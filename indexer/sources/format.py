"""A format of film files, and functions that several formats parse values with."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from reprlib import repr as shown
from typing import Any

import pandas as pd

from hybrid.movie import Movie
from indexer.sources.records import json_value

CSV, JSON_LINES, PARQUET = "CSV", "JSON lines", "Parquet"

TEXTS = [
    name for name, field in Movie.model_fields.items() if field.annotation in (str, str | None)
]
"""The fields of `Movie` that hold one text."""

NUMBER = re.compile(r"\s*([0-9]{1,20})\s*")

_YEAR = re.compile(r"([0-9]{4})(?![0-9]).*|.*(?<![0-9])([0-9]{4})")
_NAMED = 'expected a list like [{"id": 28, "name": "Action"}]'
_NUMERIC = re.compile(r"[0-9.,]+")


@dataclass(frozen=True)
class Format:
    """A format: the columns of the fields of `Movie`, and how their values are parsed.

    `required` and `optional` map a field of `Movie` to the folded name of its column, which several
    fields may share. `parse` takes and returns a frame with the fields as columns. Its values are
    texts, or what JSON and Parquet hold; an `id` is parsed to int, or left as it is.
    """

    name: str
    container: str
    required: dict[str, str]
    optional: dict[str, str]
    parse: Callable[[pd.DataFrame], pd.DataFrame]

    @property
    def columns(self) -> dict[str, str]:
        """All columns of the format."""
        return {**self.required, **self.optional}

    def missing(self, found: Collection[str]) -> list[str]:
        """Return the required columns that are not among `found`, each once."""
        return [name for name in dict.fromkeys(self.required.values()) if name not in found]


@dataclass(frozen=True)
class Fault:
    """Why a value cannot be read, in its place. Cleaning rejects the film for it."""

    reason: str


def as_objects(values: list[Any]) -> "pd.Series[Any]":
    """Return a column of Python objects: pandas turns no int into float, no text into missing."""
    return pd.Series(values, dtype=object)


def split_at_commas(column: "pd.Series[Any]", but: str = r"(?!)") -> "pd.Series[Any]":
    """Split texts at their commas, except before a match of the pattern `but`."""
    comma = re.compile(rf",(?!\s*{but})")
    return as_objects([comma.split(v) if isinstance(v, str) else v for v in column])


def film_id(value: object, pattern: re.Pattern[str] = NUMBER) -> object:
    """Return the number in a value of this pattern ("tt0111161": 111161), others as they are."""
    match = pattern.fullmatch(str(value))
    return int(match[1]) if match else value


def year_of(value: object) -> object:
    """Return the year that a date begins or ends with, anything else as it is."""
    text = value.strip() if isinstance(value, str) else ""
    # 1979.5 and 19790525 are not dates; 25.5.1979 is.
    if _NUMERIC.fullmatch(text) and text.count(".") < 2:
        return value
    match = _YEAR.fullmatch(text)
    return (match[1] or match[2]) if match else value


def names_of(column: str, value: object) -> object:
    """Return the names in a list like TMDB's [{"id": 28, "name": "Action"}]: JSON if it is text."""
    if isinstance(value, str) and value.strip():
        try:
            value = json_value(value)
        except ValueError as error:
            return Fault(f"broken JSON in {column}: {error}, {_NAMED}")
        if not isinstance(value, list):
            return Fault(f"no list in {column}: {shown(value)}, {_NAMED}")
    if not isinstance(value, list):
        return value
    return [entry.get("name") if isinstance(entry, dict) else entry for entry in value]
