"""Reading films: a file's records as a frame whose columns are the fields of `Movie`.

A format is a module here with a `FORMAT`; which one a file has is told by its columns, or by a
mapping of the user's.
"""

import csv
from collections import Counter
from collections.abc import Collection, Generator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path

import pandas as pd

from hybrid.errors import SourceUnreadable
from hybrid.movie import Movie
from indexer.sources import imdb1000, kaggle, tmdb, wikipedia
from indexer.sources.format import CSV, JSON_LINES, PARQUET, Format, as_objects
from indexer.sources.lines import EXPECTED, Line, read_lines
from indexer.sources.mapping import Mapping, read_mapping
from indexer.sources.parquet import is_parquet, parquet_columns, parquet_records
from indexer.sources.records import Record, csv_fields, csv_records, fold, json_records, listed

__all__ = ["FORMATS", "Reject", "Source", "UnknownFormat", "read_source"]

FORMATS = (kaggle.FORMAT, kaggle.NUMBERED, tmdb.FORMAT, imdb1000.FORMAT, wikipedia.FORMAT)

_DELIMITERS = {",": "commas", ";": "semicolons (;)", "\t": "tabs", "|": "bars (|)"}

_MAPPING = "a mapping of its columns, which this begins: python -m indexer inspect FILE"


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
    `columns` are the file's, folded, and `fields` has for each field found its column.
    """

    format: str
    columns: tuple[str, ...]
    fields: dict[str, str]
    frame: pd.DataFrame
    rejects: tuple[Reject, ...]
    records: int
    blank: int


class UnknownFormat(SourceUnreadable):
    """A file of films in columns of its own: a mapping can say which column is which.

    `kind` is what the file is, for the eye: JSON lines, Parquet, or CSV and its delimiter.
    """

    def __init__(self, message: str, container: str, kind: str, columns: Sequence[str]) -> None:
        super().__init__(message)
        self.container = container
        self.kind = kind
        self.columns = tuple(columns)


def read_source(path: Path, limit: int | None = None, mapping: Path | None = None) -> Source:
    """Read at most `limit` records of a file of films; raise SourceUnreadable if it is none.

    With a `mapping` the columns are what that file says, and a CSV may have other delimiters.
    """
    given = read_mapping(mapping) if mapping else None
    if is_parquet(path):
        columns = _each_once(path, parquet_columns(path))
        format = _format(path, PARQUET, columns, given)
        with closing(parquet_records(path, columns)) as rows:
            return _source(format, columns, list(islice(rows, limit)))
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
            columns = _keys(path, records)
            format = _format(path, JSON_LINES, columns, given)
        else:
            columns, delimiter = _header(path, head[-1], given)
            format = _format(path, CSV, columns, given)
            records = list(islice(csv_records(columns, lines, delimiter), limit))
    return _source(format, columns, records)


def _up_to_text(path: Path, lines: Generator[Line]) -> list[Line]:
    """Return the first line that is not blank and all before it."""
    head = []
    for line in lines:
        head.append(line)
        if line.text.strip():
            return head
    raise SourceUnreadable(f"{path} {'holds only blank lines' if head else 'is empty'}; {EXPECTED}")


def _header(path: Path, line: Line, given: Mapping | None) -> tuple[list[str], str]:
    """Return the columns of a CSV and its delimiter, which without a mapping is a comma."""
    text = line.text.rstrip("\r\n")
    if "\r" in text:
        raise SourceUnreadable(
            f"{path} has carriage returns alone as line ends; expected line feeds. "
            rf"Convert it: tr '\r' '\n' < {path.name} > films.csv"
        )
    delimiter = _delimiter(text, given.columns.values() if given else ())
    try:
        columns = _folded(text, delimiter)
    except csv.Error as error:
        raise SourceUnreadable(
            f"{path}, line {line.number}: the header cannot be read ({error}); {EXPECTED}"
        ) from error
    if delimiter != "," and not given:
        raise UnknownFormat(
            f"{path} is delimited by {_DELIMITERS[delimiter]}; expected commas, or {_MAPPING}",
            CSV,
            f"CSV delimited by {_DELIMITERS[delimiter]}",
            columns,
        )
    return _each_once(f"{path}, line {line.number}", columns), delimiter


def _delimiter(header: str, wanted: Collection[str]) -> str:
    """Return the delimiter that finds the most of the columns wanted, and the most columns."""
    found = {}
    for delimiter in _DELIMITERS:
        with suppress(csv.Error):
            columns = _folded(header, delimiter)
            found[delimiter] = (len(set(wanted) & set(columns)), len(columns))
    return max(found, key=found.__getitem__, default=",")


def _folded(header: str, delimiter: str) -> list[str]:
    return [fold(name) for name in csv_fields([header], delimiter)[0]]


def _each_once(where: object, columns: list[str]) -> list[str]:
    repeated = [name for name, times in Counter(columns).items() if name and times > 1]
    if repeated:
        raise SourceUnreadable(
            f"{where}: columns given twice: {listed(repeated)}; expected each once"
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


def _format(path: Path, container: str, found: Sequence[str], given: Mapping | None) -> Format:
    """Return the format of the mapping, or else the one recognised."""
    return given.format(path, found) if given else _recognise(path, container, found)


def _recognise(path: Path, container: str, found: Sequence[str]) -> Format:
    """Return the format that has most of the columns found, if they are enough for it."""
    nearest = max(
        formats_in(container),
        key=lambda format: (
            len(set(format.columns.values()) & set(found)),
            -len(format.missing(found)),
        ),
    )
    missing = nearest.missing(found)
    if missing:
        raise UnknownFormat(
            f"{path} has the columns {listed(found)}; {nearest.name} also needs "
            f"{listed(missing)}. Formats known: {', '.join(format.name for format in FORMATS)}; "
            f"any other needs {_MAPPING}",
            container,
            container,
            found,
        )
    return replace(nearest, name=f"{nearest.name} as Parquet") if container == PARQUET else nearest


def formats_in(container: str) -> list[Format]:
    """Return the formats that a file of this kind may have: Parquet can hold the columns of all."""
    return [format for format in FORMATS if container in (format.container, PARQUET)]


def _source(format: Format, columns: Sequence[str], records: Sequence[Record]) -> Source:
    films = {number: values for number, r in enumerate(records) if (values := r.values) is not None}
    rejects = [Reject(r.line.number, r.fault, _start(r.line)) for r in records if r.fault]
    return Source(
        format=format.name,
        columns=tuple(columns),
        fields={field: name for field, name in format.columns.items() if name in columns},
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
    fields = [field for field in Movie.model_fields if field != "id" or field in columns]
    values = {field: [_value(film, columns.get(field)) for film in films] for field in fields}
    return pd.DataFrame(values, dtype=object)


def _value(film: dict[str, object], column: str | None) -> object:
    return None if column is None else film.get(column)


def _start(line: Line) -> str:
    return line.text.rstrip("\r\n")[:200]
