"""Judged queries as people keep them, and what is reported about files that are wrong."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid.errors import InvalidInput
from hybrid.evaluation.formats import read_judgements
from hybrid.evaluation.judgements import JudgedQuery, Judgements
from hybrid.query import Filters

TOPIC_BLOCKS = """
<top>
<num> Number: 301
<title> International  Organized
Crime
<desc> Description:
Identify organizations.
</top>

<TOP><NUM>302</NUM><TITLE>Topic: poliomyelitis</TITLE></TOP>
"""


def file(folder: Path, text: str | bytes, name: str = "queries.jsonl") -> Path:
    """Write a file of queries."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def line(**fields: object) -> str:
    """Return a JSON line with the fields that it must have, and others."""
    return json.dumps({"id": "q", "query": "captain", "relevant": [1]} | fields) + "\n"


def message_of(path: Path, qrels: Path | None = None) -> str:
    """Return the error that a file gets."""
    with pytest.raises(InvalidInput) as error:
        read_judgements(path, qrels)
    return error.value.message


def test_json_lines(tmp_path: Path) -> None:
    """Relevant films have grade 1, judged ones theirs, below 0 counts as 0; text and filters are
    those of a search, unknown fields are for readers, a mark and blank lines are nothing."""
    text = "\ufeff" + line(query=" Ame\u0301lie ", title="x", filters={"genres": ["Drama"]}) + "\n"
    text += line(id="r", kind="plot", relevant=None, judgments={"7": 3, "8": -2, "9": 0})
    found = read_judgements(file(tmp_path, text.replace("\n", "\r\n")))
    assert found.queries == (
        JudgedQuery("q", "all", "Amélie", Filters(genres=("Drama",)), {1: 1}),
        JudgedQuery("r", "plot", "captain", Filters(), {7: 3, 8: 0, 9: 0}),
    )
    assert found.queries[1].relevant == {7}
    assert not found.notes


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (line() + '{"id": "r"', "line 2: is not JSON"),
        ('{"a":' * 100_000, "line 1: is not JSON"),
        (line() + "[1]", "line 2: body: "),
        ('{"query": "x"}', "line 1: id: is missing"),
        (line().replace('"query"', '"text"'), "line 1: query: is missing"),
        (line(query=" "), "line 1: query: is empty"),
        (line(query="x" * 1001), "line 1: query: has 1,001 characters"),
        (line(id="two words"), "line 1: id: is blank or contains a blank"),
        (line(id="\ud800"), "line 1: id: "),
        (line(id="\u0007"), "line 1: id: contains a character that cannot be printed"),
        (line(kind=""), "line 1: kind: "),
        (line() + "\n" + line(), "line 3: id: 'q' is also the id of line 1"),
        (line(filters={"actor": "x"}), "line 1: filters.actor: is unknown"),
        (line(filters={"year_from": 2, "year_to": 1}), "line 1: year_from is after year_to"),
        (line(relevant=["tt1"]), "line 1: relevant.0: is not a whole number"),
        (line(relevant=[True]), "line 1: relevant.0: is true or false"),
        (line(relevant=[-1]), "line 1: relevant.0: should be greater"),
        (line(relevant=[2**63]), "line 1: relevant.0: should be less"),
        (line(judgments={"1": 1}), "line 1: relevant and judgments are both given"),
        (line(relevant=None, judgments={"1": 1.5}), "line 1: judgments.1: "),
        (line(relevant=None, judgments={"1": 11}), "line 1: judgments.1: should be less than"),
        (line().encode() + b'{"id": "\xe9"}', "line 2: byte 0xe9 is not UTF-8"),
        (line().encode("utf-16"), "line 1: byte 0xff is not UTF-8"),
        (b"\xef\xbb\xbf\n\xff", "line 2: byte 0xff is not UTF-8"),
        (" \n", "is empty; expected JSON lines"),
        ("hello\n", "line 1: format not recognised; expected JSON lines"),
        ("[{}]", "line 1: format not recognised"),
        ("id,query,relevant\n", "format not recognised"),
        ("301\tcrime\n", "looks like TREC topics: give their judgements with --qrels"),
        (TOPIC_BLOCKS, "looks like TREC topics"),
        (line(relevant=[]), "no query has a film judged 1 or more"),
    ],
)
def test_json_lines_that_are_wrong(tmp_path: Path, text: str | bytes, problem: str) -> None:
    """The error names the file, the line and the field."""
    path = file(tmp_path, text)
    message = message_of(path)
    assert problem in message
    assert message.startswith(str(path))


def test_queries_that_measure_nothing_are_left_out(tmp_path: Path) -> None:
    """Those without a judgement and those without a relevant film, each kind noted by name."""
    text = line() + line(id="r", relevant=[]) + line(id="s", relevant=None)
    text += line(id="t", relevant=None, judgements={"1": 0})
    found = read_judgements(file(tmp_path, text))
    assert [query.id for query in found.queries] == ["q"]
    assert found.notes == (
        "2 of the queries left out, without a judgement: r, s",
        "1 of the queries left out, without a relevant film: t",
    )


def test_quepid(tmp_path: Path) -> None:
    """A query is known by its text and named by its place; columns in any order and case; a film
    without a rating is not judged; a query may have no film at all."""
    text = 'Rating,DocID,Query,Note\r\n3,1,"captain, blind",x\r\n0.0,2,"captain, blind",\r\n'
    text += ',3,"captain, blind",\r\n,,nothing,\r\n-1,5,snow,\r\n2,4,snow,"two\nlines"\r\n'
    found = read_judgements(file(tmp_path, text, "export.csv"))
    assert found.queries == (
        JudgedQuery("q1", "all", "captain, blind", Filters(), {1: 3, 2: 0}),
        JudgedQuery("q3", "all", "snow", Filters(), {5: 0, 4: 2}),
    )
    assert found.notes == ("1 of the queries left out, without a judgement: q2",)


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ("snow,tt2,1", "line 2: docid: is not a whole number"),
        ("snow,,1", "line 2: docid: is not a whole number"),
        ("snow,2,good", "line 2: rating: is not a whole number"),
        ("snow,2,1.5", "line 2: rating: is not a whole number"),
        ("snow,2,99", "line 2: rating: should be less than or equal to 10"),
        (",2,1", "line 2: text: is empty"),
        ("snow,2", "line 2: has 2 fields: the header names 3"),
        ('snow,"2"x,1', "line 2: broken quoting"),
        ('snow,2,"1', "line 2: broken quoting"),
        ("snow,2,1\n\nsnow,2,3", "line 4: film 2 has 3 here and 1 above"),
        ("", "no query has a film judged 1 or more"),
    ],
)
def test_quepid_that_is_wrong(tmp_path: Path, rows: str, problem: str) -> None:
    """The error names the line and the column."""
    assert problem in message_of(file(tmp_path, f"query,docid,rating\n{rows}\n", "export.csv"))


def test_trec(tmp_path: Path) -> None:
    """Topics in either form with their qrels; judgements of other topics are noted."""
    qrels = file(tmp_path, "301 0 5 2\n301\t0\t6\t-1\n\n302 Q0 7 1\n999 0 1 1\n", "qrels.txt")
    expected = (
        JudgedQuery("301", "all", "International Organized Crime", Filters(), {5: 2, 6: 0}),
        JudgedQuery("302", "all", "poliomyelitis", Filters(), {7: 1}),
    )
    tabbed = "301\tInternational Organized Crime\r\n\r\n302\tpoliomyelitis\r\n303\tcows\r\n"
    blocks = read_judgements(file(tmp_path, TOPIC_BLOCKS, "topics.trec"), qrels)
    lines = read_judgements(file(tmp_path, tabbed, "topics.tsv"), qrels)
    assert blocks.queries == lines.queries == expected
    strangers = "1 queries of qrels.txt are not among the topics"
    assert blocks.notes == (strangers,)
    assert lines.notes == (strangers, "1 of the queries left out, without a judgement: 303")


@pytest.mark.parametrize(
    ("topics", "qrels", "problem"),
    [
        ("301 crime", "301 0 5 1", "topics.tsv, line 1: is not a topic"),
        ("301\t \n", "301 0 5 1", "topics.tsv, line 1: text: is empty"),
        ("301\tx\n301\ty\n", "301 0 5 1", "topics.tsv, line 2: id: '301' is also the id of line 1"),
        ("\n<top><num>1</top>", "1 0 5 1", "topics.tsv, line 2: is not a topic"),
        ("<topics>", "1 0 5 1", "topics.tsv, line 1: has no <top> ... </top>"),
        ("301\tx", "301 5 1", "qrels.txt, line 1: has 3 columns: qrels have four"),
        ("301\tx", "\n301 0 FT911 1", "qrels.txt, line 2: docid: is not a whole number"),
        ("301\tx", "301 0 5 1\n301 0 5 2", "qrels.txt, line 2: film 5 has 2 here and 1 above"),
        ("301\tx", " ", "qrels.txt is empty"),
        ("301\tx", "1 0 5 1", "no query has a film judged 1 or more"),
        (line(), "1 0 5 1", "is JSON lines, which contain judgements: omit --qrels"),
    ],
)
def test_trec_that_is_wrong(tmp_path: Path, topics: str, qrels: str, problem: str) -> None:
    """The error names which of the two files, and its line."""
    qrels_file = file(tmp_path, qrels, "qrels.txt")
    assert problem in message_of(file(tmp_path, topics, "topics.tsv"), qrels_file)


@given(st.text(max_size=200), st.booleans())
def test_any_text_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, text: str, with_qrels: bool
) -> None:
    """No text makes the reader fail in another way than by InvalidInput."""
    folder = tmp_path_factory.mktemp("any")
    for head in ("", '{"id":"1","query":"x","relevant":[1]}\n', "query,docid,rating\nx,1,1\n"):
        path = file(folder, (head + text).encode("utf-8", "replace"))
        with suppress(InvalidInput):
            assert read_judgements(path, path if with_qrels else None).queries


def test_what_was_pooled(tmp_path: Path) -> None:
    """Unjudged means unknown only where most queries have films that were read and refused."""
    known = JudgedQuery("a", "all", "x", Filters(), {1: 1})
    pooled = JudgedQuery("b", "all", "x", Filters(), {1: 1, 2: 0})
    assert not Judgements.of(tmp_path, [known, pooled]).pooled
    assert Judgements.of(tmp_path, [known, pooled, pooled]).pooled
