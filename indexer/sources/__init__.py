"""Reading files of films: the records as frames whose columns are the fields of `Movie`.

A file may be larger than memory, so it is read in batches. Each format is a module with a `FORMAT`.
A file's format is recognised by its columns, or given by a mapping of the user.
"""

import csv
from collections import Counter
from collections.abc import Collection, Generator, Iterable, Iterator, Sequence, Set
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path

import numpy as np
import pandas as pd

from hybrid.errors import SourceUnreadable
from hybrid.movie import Movie
from indexer.known_records import NONE, Digests, KnownRecord, KnownRecords
from indexer.sources import imdb1000, kaggle, tmdb, wikipedia
from indexer.sources.format import CSV, JSON_LINES, PARQUET, Format, as_objects
from indexer.sources.lines import EXPECTED, Line, read_lines
from indexer.sources.mapping import Mapping, read_mapping
from indexer.sources.parquet import is_parquet, parquet_columns, parquet_records
from indexer.sources.records import (
    Record,
    csv_fields,
    csv_records,
    fold,
    json_records,
    parse,
    quoted,
)

__all__ = ["FORMATS", "Reject", "Source", "UnknownFormat", "read_batches", "read_source", "start"]

FORMATS = (kaggle.FORMAT, kaggle.NUMBERED, tmdb.FORMAT, imdb1000.FORMAT, wikipedia.FORMAT)

BATCH = 2_000
"""Records of a batch."""

_DELIMITERS = {",": "commas", ";": "semicolons (;)", "\t": "tabs", "|": "bars (|)"}

_MAPPING = "a mapping of its columns, which this begins: python -m indexer inspect FILE"


@dataclass(frozen=True)
class Reject:
    """A record that is not a film: its first line, the reason, and the start of that line."""

    line: int
    reason: str
    text: str

    @property
    def kind(self) -> str:
        """The start of the reason, up to the colon: rejects are counted by it."""
        return self.reason.partition(":")[0]

    @classmethod
    def of(cls, line: Line, reason: str) -> "Reject":
        """Return the reject of the record that begins on this line."""
        return cls(line.number, reason, start(line))


@dataclass(frozen=True)
class Source:
    """The records of a file, or of a batch of it.

    `frame` has a row for each record that was read without a fault, and as columns the fields of
    `Movie`, `id` only if the format has ids, and `record` (0-based, counting every record), `line`
    (1-based) and `text` (the start of that line). Values are those of the file: text, or what JSON
    holds; None or blank text for nothing. `columns` are the file's, folded; `fields` maps each
    field that was found to its column. Of JSON lines a batch names only those that were found
    before the format was recognised. `known` are the records that were not read, as they became
    films before, and `digests` those of the rows of the frame, uint64 (rows,).
    """

    format: str
    columns: tuple[str, ...]
    fields: dict[str, str]
    frame: pd.DataFrame
    digests: Digests
    known: Sequence[KnownRecord]
    rejects: tuple[Reject, ...]
    records: int
    blank: int


class UnknownFormat(SourceUnreadable):
    """A file of films whose columns are not recognised: a mapping can name them.

    `kind` is shown to the user: JSON lines, Parquet, or CSV and its delimiter.
    """

    def __init__(self, message: str, container: str, kind: str, columns: Sequence[str]) -> None:
        super().__init__(message)
        self.container = container
        self.kind = kind
        self.columns = tuple(columns)


def read_source(path: Path, limit: int | None = None, mapping: Path | None = None) -> Source:
    """Read at most `limit` records of a file of films, all at once. Raises SourceUnreadable.

    With a `mapping` the columns are those that it names, and a CSV may have other delimiters.
    """
    (source,) = _read(path, limit, mapping, None, KnownRecords.of(NONE))
    return source


def read_batches(
    path: Path, limit: int | None, mapping: Path | None, known: KnownRecords
) -> Iterator[Source]:
    """Read at most `limit` records of a file of films, BATCH at a time; at least one batch.

    Raises SourceUnreadable: what is wrong with the beginning of the file before the first batch.
    `mapping` as for `read_source`. Records that are `known` are not parsed.
    """
    return _read(path, limit, mapping, BATCH, known)


def _read(
    path: Path, limit: int | None, mapping: Path | None, size: int | None, known: KnownRecords
) -> Iterator[Source]:
    """Yield the records in batches of this size, or all in one."""
    given = read_mapping(mapping) if mapping else None
    known = known.read_so(given and given.text)
    if is_parquet(path):
        columns = _each_once(path, parquet_columns(path))
        form = _format(path, PARQUET, columns, given)
        with closing(parquet_records(path, columns)) as rows:
            yield from _batches(form, columns, islice(rows, limit), size, known)
        return
    with closing(read_lines(path)) as lines:
        head = _up_to_text(path, lines)
        start = head[-1].text.lstrip()[:1]
        if start == "[":
            raise SourceUnreadable(
                f"{path} is a JSON array; expected JSON lines, one object a line. "
                f"Convert it: jq -c '.[]' {path.name} > films.jsonl"
            )
        if start != "{":
            columns, delimiter = _header(path, head[-1], given)
            form = _format(path, CSV, columns, given)
            records = islice(csv_records(columns, lines, delimiter), limit)
            yield from _batches(form, columns, records, size, known)
            return
        enough = None if size is None else _enough(given)
        columns = _keys(path, islice(json_records(chain(head, lines)), limit), enough)
    form = _format(path, JSON_LINES, columns, given)
    with closing(read_lines(path)) as lines:
        yield from _batches(form, columns, islice(json_records(lines), limit), size, known)


def _enough(given: Mapping | None) -> set[str]:
    """Return the keys of JSON lines that are enough to recognise the format."""
    if given:
        return set(given.columns.values())
    known = [form for form in FORMATS if form.container == JSON_LINES]
    return {column for form in known for column in form.required.values()}


def _batches(
    form: Format,
    columns: Sequence[str],
    records: Iterator[Record],
    size: int | None,
    known: KnownRecords,
) -> Iterator[Source]:
    """Yield the records in batches of this size, or all in one; one of none if there are none."""
    known = known.read_so(form.name, form.columns)
    number, batch = 0, list(islice(records, size))
    while True:
        yield _source(form, columns, batch, number, known)
        number += len(batch)
        batch = list(islice(records, size))
        if not batch:
            return


def _up_to_text(path: Path, lines: Generator[Line]) -> list[Line]:
    """Return the first line that is not blank, after all before it."""
    head = []
    for line in lines:
        head.append(line)
        if line.text.strip():
            return head
    raise SourceUnreadable(f"{path} {'holds only blank lines' if head else 'is empty'}; {EXPECTED}")


def _header(path: Path, line: Line, given: Mapping | None) -> tuple[list[str], str]:
    """Return the columns of a CSV and its delimiter, a comma unless there is a mapping."""
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
    """Return the delimiter that gives most of the `wanted` columns, and then most columns."""
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
            f"{where}: columns given twice: {quoted(repeated)}; expected each once"
        )
    return columns


def _keys(path: Path, records: Iterable[Record], enough: Set[str] | None) -> list[str]:
    """Return the keys of all objects together, as each one may lack some.

    Objects are read only until these keys are `enough`, if that is given.
    """
    found: dict[str, None] = {}
    objects, fault = 0, None
    for record in map(parse, records):
        if record.values is None:
            fault = fault or (record if record.fault else None)
            continue
        objects += 1
        found |= dict.fromkeys(record.values)
        if enough is not None and found.keys() >= enough:
            break
    if not objects:
        because = f"; line {fault.line.number}: {fault.fault}" if fault else ""
        raise SourceUnreadable(
            f"{path} has no line with a JSON object{because}; expected JSON lines, one object a "
            f"line. If its objects go over several lines: jq -c . {path.name} > films.jsonl"
        )
    return list(found)


def _format(path: Path, container: str, found: Sequence[str], given: Mapping | None) -> Format:
    """Return the format that the mapping gives, else the one that is recognised."""
    return given.format(path, found) if given else _recognise(path, container, found)


def _recognise(path: Path, container: str, found: Sequence[str]) -> Format:
    """Return the format with most of the columns `found`, if it has all that it requires."""
    nearest = max(
        formats_in(container),
        key=lambda form: (
            len(set(form.columns.values()) & set(found)),
            -len(form.missing(found)),
        ),
    )
    missing = nearest.missing(found)
    if missing:
        raise UnknownFormat(
            f"{path} has the columns {quoted(found)}; {nearest.name} also needs "
            f"{quoted(missing)}. Formats known: {', '.join(form.name for form in FORMATS)}; "
            f"any other needs {_MAPPING}",
            container,
            container,
            found,
        )
    return replace(nearest, name=f"{nearest.name} as Parquet") if container == PARQUET else nearest


def formats_in(container: str) -> list[Format]:
    """Return the formats that a file of this kind may have: Parquet may have any."""
    return [form for form in FORMATS if container in (form.container, PARQUET)]


def _source(
    form: Format, columns: Sequence[str], batch: Sequence[Record], first: int, known: KnownRecords
) -> Source:
    """Return a batch of records, numbered from `first`."""
    digests = known.digests(batch)
    is_known, rows = known.find(digests)
    new = [(n, parse(batch[n])) for n in np.flatnonzero(~is_known).tolist()]
    films = [n for n, record in new if record.values is not None]
    rejects = [Reject.of(r.line, r.fault) for _, r in new if r.fault]
    frame = _frame(form.columns, [record for _, record in new if record.values is not None])
    places = zip(np.flatnonzero(is_known).tolist(), rows, strict=True)
    return Source(
        format=form.name,
        columns=tuple(columns),
        fields={field: name for field, name in form.columns.items() if name in columns},
        frame=form.parse(frame.assign(record=as_objects([first + number for number in films]))),
        digests=digests[films],
        known=[KnownRecord(first + n, batch[n], row) for n, row in places],
        rejects=tuple(rejects),
        records=len(batch),
        blank=len(new) - len(films) - len(rejects),
    )


def _frame(columns: dict[str, str], films: Sequence[Record]) -> pd.DataFrame:
    """Return the values of films by the fields of `Movie`, None without a column."""
    fields = [field for field in Movie.model_fields if field != "id" or field in columns]
    values = [film.values or {} for film in films]
    return pd.DataFrame(
        {
            **{field: _values(values, columns.get(field)) for field in fields},
            "line": [film.line.number for film in films],
            "text": [start(film.line) for film in films],
        },
        dtype=object,
    )


def _values(films: Sequence[dict[str, object]], column: str | None) -> list[object]:
    return [None] * len(films) if column is None else [film.get(column) for film in films]


def start(line: Line) -> str:
    """Return the start of the line that a record begins on, to show it."""
    return line.text.rstrip("\r\n")[:200]
