"""Reading films: a file's records as a frame whose columns are the fields of `Movie`.

A format is a module here with a `FORMAT`; which one a file has is told by its columns.
"""

import csv
import shlex
from collections import Counter
from collections.abc import Collection, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import pandas as pd

from hybrid.errors import SourceUnreadable
from hybrid.movie import Movie
from indexer.sources import imdb1000, kaggle, tmdb, wikipedia
from indexer.sources.format import CSV, JSON_LINES, Format, as_objects
from indexer.sources.lines import EXPECTED, Line, read_lines
from indexer.sources.mapping import read_mapping
from indexer.sources.parquet import is_parquet, parquet_records
from indexer.sources.records import Record, csv_fields, csv_records, fold, json_records

__all__ = ["FORMATS", "Reject", "Source", "Unrecognised", "read_source"]

FORMATS = (kaggle.FORMAT, kaggle.NUMBERED, tmdb.FORMAT, imdb1000.FORMAT, wikipedia.FORMAT)

_DELIMITERS = {";": "semicolons (;)", "\t": "tabs", "|": "bars (|)"}


class Unrecognised(SourceUnreadable):
    """A file that can be read and is of no known format; `columns` are those it has."""

    def __init__(self, message: str, columns: Collection[str]) -> None:
        super().__init__(message)
        self.columns = tuple(columns)


@dataclass(frozen=True)
class Reject:
    """A record that is no film: its first line, why, and how that line begins."""

    line: int
    reason: str
    text: str

    @property
    def kind(self) -> str:
        """What reasons are counted by: every reason begins with it, up to the colon."""
        return self.reason.partition(":")[0]


@dataclass(frozen=True)
class Source:
    """What was read from a file.

    `frame` has the fields of `Movie`, of `id` only if the format has ids, and `record` (0-based
    number that counts every record), `line` (1-based) and `text` (the start of that line). A value
    is what the file says: text, or what JSON gives; None or blank text where there is nothing.
    """

    format: str
    frame: pd.DataFrame
    rejects: tuple[Reject, ...]
    records: int
    blank: int


def read_source(path: Path, limit: int | None = None, mapping: Path | None = None) -> Source:
    """Read at most `limit` records of a file of films; raise SourceUnreadable if it is none.

    `mapping` is a TOML file that says which of its columns is which field of a film.
    """
    mapped = read_mapping(mapping) if mapping else None
    if is_parquet(path):
        records = list(islice(parquet_records(path), limit))
        return _source(_recognise(path, None, _keys(path, records), mapped), records)
    with closing(read_lines(path)) as lines:
        head = _up_to_text(path, lines)
        start = head[-1].text.lstrip()[:1]
        if start == "[":
            raise SourceUnreadable(
                f"{path} is a JSON array; expected JSON lines, one object a line. "
                f"Convert it: jq -c '.[]' {path.name} > films.jsonl"
            )
        if start == "{":
            records = list(islice(json_records(chain(head, lines)), limit))
            format = _recognise(path, JSON_LINES, _keys(path, records), mapped)
        else:
            # Known formats have commas; a file of one's own may be delimited as it likes.
            delimiter = _delimiter(head[-1].text) if mapped else ","
            columns = _header(path, head[-1], delimiter)
            format = _recognise(path, CSV, columns, mapped)
            records = list(islice(csv_records(columns, lines, delimiter), limit))
    return _source(format, records)


def _up_to_text(path: Path, lines: Generator[Line]) -> list[Line]:
    """Return the first line that is not blank and all before it."""
    head = []
    for line in lines:
        head.append(line)
        if line.text.strip():
            return head
    raise SourceUnreadable(f"{path} {'holds only blank lines' if head else 'is empty'}; {EXPECTED}")


def _delimiter(header: str) -> str:
    """Return the delimiter that a header has most of."""
    return max([",", *_DELIMITERS], key=header.count)


def _header(path: Path, line: Line, delimiter: str) -> list[str]:
    text = line.text.rstrip("\r\n")
    if "\r" in text:
        raise SourceUnreadable(
            f"{path} has carriage returns alone as line ends; expected line feeds. "
            rf"Convert it: tr '\r' '\n' < {path.name} > films.csv"
        )
    try:
        columns = [fold(name) for name in csv_fields([text], delimiter)[0]]
    except csv.Error as error:
        raise SourceUnreadable(
            f"{path}, line {line.number}: the header cannot be read ({error}); {EXPECTED}"
        ) from error
    repeated = [name for name, times in Counter(columns).items() if name and times > 1]
    if repeated:
        raise SourceUnreadable(
            f"{path}, line {line.number}: columns given twice: {_listed(repeated)}; "
            "expected each once"
        )
    return columns


def _keys(path: Path, records: Sequence[Record]) -> list[str]:
    """Return the keys of all objects together, as any one may lack some."""
    objects = [record.values for record in records if record.values is not None]
    if not objects:
        fault = next((record for record in records if record.fault), None)
        found = f"; line {fault.line.number}: {fault.fault}" if fault else ""
        raise SourceUnreadable(
            f"{path} has no line with a JSON object{found}; expected JSON lines, one object a "
            f"line. If its objects go over several lines: jq -c . {path.name} > films.jsonl"
        )
    return list(dict.fromkeys(chain.from_iterable(objects)))


def _recognise(
    path: Path, container: str | None, found: Collection[str], mapped: Format | None
) -> Format:
    """Return the mapped format, or the known one that has most of the columns found.

    A `container` of None is one that every format may be in.
    """
    if mapped:
        if lacking := mapped.missing(found):
            raise SourceUnreadable(
                f"{path} has no column {_listed(lacking)}, which the {mapped.name} names; "
                f"it has {_listed(found)}"
            )
        return mapped
    nearest = max(
        (format for format in FORMATS if container in (None, format.container)),
        key=lambda format: (
            len(format.columns.keys() & set(found)),
            -len(format.missing(found)),
        ),
    )
    missing = nearest.missing(found)
    if not missing:
        return nearest
    only = next(iter(found)) if len(found) == 1 else ""
    wrong = [name for sign, name in _DELIMITERS.items() if sign in only]
    if container == CSV and wrong:
        raise SourceUnreadable(f"{path} is delimited by {wrong[0]}; expected commas")
    raise Unrecognised(
        f"{path} has the columns {_listed(found)}; {nearest.name} also needs {_listed(missing)}. "
        f"Formats known: {', '.join(format.name for format in FORMATS)}. For a file of your own "
        f"run: python -m indexer inspect {shlex.quote(str(path))}",
        found,
    )


def _listed(names: Collection[str], most: int = 40) -> str:
    shown = ", ".join(repr(name[:40]) for name in islice(names, most))
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")


def _source(format: Format, records: Sequence[Record]) -> Source:
    films = {number: values for number, r in enumerate(records) if (values := r.values) is not None}
    rejects = [Reject(r.line.number, r.fault, _start(r.line)) for r in records if r.fault]
    return Source(
        format=format.name,
        frame=format.parse(_common(format.columns, list(films.values()))).assign(
            record=list(films),
            line=[records[number].line.number for number in films],
            text=as_objects([_start(records[number].line) for number in films]),
        ),
        rejects=tuple(rejects),
        records=len(records),
        blank=len(records) - len(films) - len(rejects),
    )


def _common(columns: dict[str, str], films: Sequence[dict[str, object]]) -> pd.DataFrame:
    """Return the values by the fields of `Movie`; a field without a column is empty."""
    named = {field: column for column, field in columns.items()}
    fields = [field for field in Movie.model_fields if field != "id" or field in named]
    values = {field: [film.get(named.get(field, "")) for film in films] for field in fields}
    return pd.DataFrame(values, dtype=object)


def _start(line: Line) -> str:
    return line.text.rstrip("\r\n")[:200]
