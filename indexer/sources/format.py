"""What is to be known of a format of film files."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import pandas as pd

CSV, JSON_LINES = "CSV", "JSON lines"


@dataclass(frozen=True)
class Format:
    """A format: its columns as `Movie` names them, and how their values are brought into form.

    `required` and `optional` map a folded column name to the field of `Movie`; a format with a
    column for `id` gives it as int, or as it stands where it is none. `parse` takes and returns a
    frame with the fields as columns.
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
        """Return the required columns that are not among `found`."""
        return [name for name in self.required if name not in found]


def as_objects(values: list[object]) -> "pd.Series[Any]":
    """Return a column in which pandas turns no int into float and no text into missing."""
    return pd.Series(values, dtype=object)


def split_at_commas(column: "pd.Series[Any]", but: str = r"(?!)") -> "pd.Series[Any]":
    """Split texts at their commas, except before what the pattern `but` matches."""
    return column.astype(object).str.split(rf",(?!\s*{but})", regex=True)
