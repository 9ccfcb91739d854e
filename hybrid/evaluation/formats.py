"""Readers of judged queries: JSON lines, Quepid's CSV, TREC topics and qrels.

Every error is an InvalidInput that names the file, the line and the field.
"""

import csv
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, model_validator

from hybrid.errors import InvalidInput
from hybrid.evaluation.judgements import ALL, JudgedQuery, Judgements, Kind, QueryId
from hybrid.query import FilmId, Filters, Grade, QueryText
from hybrid.validation import one_line, problems

EXPECTED = (
    "expected JSON lines with id, query and relevant or judgments, a CSV file with the columns "
    "query,docid,rating, or TREC topics together with --qrels"
)

_TOPIC = re.compile(r"<top>(.*?)</top>", re.DOTALL | re.IGNORECASE)
_NUMBER = re.compile(r"<num>\s*(?:Number:)?\s*([^\s<]+)", re.IGNORECASE)
_TITLE = re.compile(r"<title>\s*(?:Topic:)?([^<]*)", re.IGNORECASE)

Model = TypeVar("Model", bound=BaseModel)


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True)


class _JudgedLine(_Row):
    """A line of JSON lines. Unknown fields are ignored: they are notes for people."""

    id: QueryId
    kind: Kind = ALL
    query: QueryText
    filters: Filters = Filters()
    relevant: tuple[FilmId, ...] | None = None
    judgments: dict[FilmId, Grade] | None = Field(
        None, validation_alias=AliasChoices("judgments", "judgements")
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if self.relevant is not None and self.judgments is not None:
            raise InvalidInput("relevant and judgments are both given: keep one")
        return self

    def as_query(self) -> JudgedQuery:
        grades = dict.fromkeys(self.relevant or (), 1) | (self.judgments or {})
        return JudgedQuery(self.id, self.kind, self.query, self.filters, grades)


class _Topic(_Row):
    id: QueryId
    text: QueryText


class _Judgement(_Row):
    query: str
    docid: FilmId
    rating: Grade


@dataclass(frozen=True)
class _Grades:
    """The grades of the queries of a file, by query and film, while it is read."""

    file: Path
    by_query: dict[str, dict[int, int]]

    def add(self, line: int, query: str, docid: str, rating: str) -> None:
        """Add a judgement. Raises InvalidInput if it contradicts an earlier one."""
        values = {"query": query, "docid": docid, "rating": rating}
        row = _validated(_Judgement, values, self.file, line)
        grades = self.by_query.setdefault(query, {})
        if grades.setdefault(row.docid, row.rating) != row.rating:
            problem = f"film {row.docid} has {row.rating} here and {grades[row.docid]} above"
            raise _line_error(self.file, line, f"{problem} for the query '{query}': keep one")


def read_judgements(queries: Path, qrels: Path | None = None) -> Judgements:
    """Read judged queries in any of the formats. Raises InvalidInput, and OSError."""
    text = _text(queries)
    start = text.lstrip()[:1]
    header = text.lstrip().partition("\n")[0].casefold()
    if qrels:
        if start == "{":
            raise InvalidInput(f"{queries} is JSON lines, which contain judgements: omit --qrels")
        return _trec(queries, text, qrels)
    if start == "{":
        return Judgements.of(queries, _json_lines(queries, text))
    if {"query", "docid", "rating"} <= {name.strip(' "') for name in header.strip().split(",")}:
        return Judgements.of(queries, _quepid(queries, text))
    if start == "<" or "\t" in header:
        raise InvalidInput(f"{queries} looks like TREC topics: give their judgements with --qrels")
    raise InvalidInput(f"{queries}, line 1: format not recognised; {EXPECTED}")


def _json_lines(file: Path, text: str) -> Iterator[JudgedQuery]:
    lines: dict[str, int] = {}
    for number, line in _lines(text):
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            problem = f"is not JSON ({error}): each line must be one object"
            raise _line_error(file, number, problem) from None
        query = _validated(_JudgedLine, values, file, number).as_query()
        _check_unique(lines, file, number, query.id)
        yield query


def _quepid(file: Path, text: str) -> Iterator[JudgedQuery]:
    """Yield the queries of a Quepid CSV file.

    Quepid identifies a query by its text. Here they get the ids q1, q2, ..., since an id in TREC
    files is a single word. A row without a rating is not a judgement.
    """
    grades, ids = _Grades(file, {}), dict[str, str]()
    for line, row in _csv_rows(file, text):
        query_text = _validated(_Topic, {"id": "q", "text": row["query"]}, file, line).text
        query = ids.setdefault(query_text, f"q{len(ids) + 1}")
        if row["rating"]:
            grades.add(line, query, row["docid"], row["rating"])
    for query_text, query in ids.items():
        yield JudgedQuery(query, ALL, query_text, Filters(), grades.by_query.get(query, {}))


def _csv_rows(file: Path, text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each row by column name, in lower case, with the number of its last line."""
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    columns: list[str] = []
    try:
        for row in reader:
            fields = [field.strip() for field in row]
            if not any(fields):
                continue
            if not columns:
                columns = [name.casefold() for name in fields]
            elif len(fields) != len(columns):
                problem = f"has {len(fields)} fields: the header names {len(columns)}"
                raise _line_error(file, reader.line_num, problem)
            else:
                yield reader.line_num, dict(zip(columns, fields, strict=True))
    except csv.Error as error:
        problem = f"broken quoting ({error}): quotes come in pairs"
        raise _line_error(file, reader.line_num, problem) from None


def _trec(topics: Path, text: str, qrels: Path) -> Judgements:
    lines: dict[str, int] = {}
    parsed: list[_Topic] = []
    for line, topic in _topics(topics, text):
        _check_unique(lines, topics, line, topic.id)
        parsed.append(topic)
    grades = _qrels(qrels)
    unknown = len(grades.keys() - lines.keys())
    notes = [f"{unknown:,} queries of {qrels.name} are not among the topics"] if unknown else []
    queries = (
        JudgedQuery(topic.id, ALL, topic.text, Filters(), grades.get(topic.id, {}))
        for topic in parsed
    )
    return Judgements.of(topics, queries, notes)


def _topics(file: Path, text: str) -> Iterator[tuple[int, _Topic]]:
    rows = _tagged(text) if text.lstrip().startswith("<") else _tab_separated(text)
    empty = True
    for line, number, title in rows:
        empty = False
        if number is None or title is None:
            problem = (
                "is not a topic: write an id, a tab and the text, or <num> and <title> in <top>"
            )
            raise _line_error(file, line, problem)
        yield line, _validated(_Topic, {"id": number.strip(), "text": title}, file, line)
    if empty:
        raise _line_error(file, 1, "has no <top> ... </top>: expected TREC topics")


def _tab_separated(text: str) -> Iterator[tuple[int, str | None, str | None]]:
    for number, line in _lines(text):
        name, tab, title = line.partition("\t")
        yield number, name, title if tab else None


def _tagged(text: str) -> Iterator[tuple[int, str | None, str | None]]:
    for topic in _TOPIC.finditer(text):
        number, title = _NUMBER.search(topic[1]), _TITLE.search(topic[1])
        line = text.count("\n", 0, topic.start()) + 1
        yield line, number and number[1], title and " ".join(title[1].split())


def _qrels(file: Path) -> dict[str, dict[int, int]]:
    grades = _Grades(file, {})
    for number, line in _lines(_text(file)):
        fields = line.split()
        if len(fields) != 4:
            problem = f"has {len(fields)} columns: qrels have four, query 0 film grade"
            raise _line_error(file, number, problem)
        grades.add(number, fields[0], fields[2], fields[3])
    return grades.by_query


def _text(file: Path) -> str:
    raw = file.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # `error.start` does not count the byte order mark.
        offset = error.start + (len(raw) - len(error.object))
        problem = f"byte 0x{raw[offset]:02x} is not UTF-8: convert the file, for instance by iconv"
        raise _line_error(file, raw.count(b"\n", 0, offset) + 1, problem) from None
    if not text.strip():
        raise InvalidInput(f"{file} is empty; {EXPECTED}")
    return text


def _lines(text: str) -> Iterable[tuple[int, str]]:
    """Return (number, line) of the lines that are not blank, counted from 1.

    Only a line feed ends a line.
    """
    lines = enumerate(text.split("\n"), start=1)
    return ((number, line.removesuffix("\r")) for number, line in lines if line.strip())


def _validated(model: type[Model], values: Any, file: Path, line: int) -> Model:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise _line_error(file, line, one_line(problems(error))) from None
    except InvalidInput as error:
        raise _line_error(file, line, error.message) from None


def _check_unique(lines: dict[str, int], file: Path, line: int, query: str) -> None:
    first = lines.setdefault(query, line)
    if first != line:
        raise _line_error(file, line, f"id: '{query}' is also the id of line {first:,}: rename one")


def _line_error(file: Path, line: int, problem: str) -> InvalidInput:
    return InvalidInput(f"{file}, line {line:,}: {problem}")
