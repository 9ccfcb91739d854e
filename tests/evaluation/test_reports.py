"""The table, the JSON, the TREC files and the page that an evaluation becomes."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import ir_measures
import pytest

import hybrid
from hybrid.errors import InvalidInput
from hybrid.evaluation.evaluate import Evaluation
from hybrid.evaluation.exports import as_json, as_trec_qrels, as_trec_run
from hybrid.evaluation.html_report import Axis, as_page
from hybrid.evaluation.outputs import Outputs
from hybrid.evaluation.tables import as_table
from hybrid.storage.durable import replace
from tests.evaluation.judged import FILMS, SCRIPT, evaluated, judged


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    """Give the three default runs measured on a few queries."""
    return evaluated(tmp_path_factory.mktemp("report"))


def test_table(evaluation: Evaluation) -> None:
    """Every measure has a row of each run with the mean of each kind; all lines are short."""
    table = as_table(evaluation)
    lines = table.splitlines()
    for measure in evaluation.measures:
        assert sum(line.startswith(measure) and "interval" in line for line in lines) >= 1
    row = next(line for line in lines if line.startswith("keyword"))
    means = [evaluation.means[kind]["keyword"]["nDCG@10"].mean for kind in evaluation.sizes]
    assert row.split()[1:5] == [f"{mean:.3f}" for mean in means]
    assert "keyword beats semantic by most" in table
    assert max(map(len, lines)) <= 110


def test_table_holds_no_commands_for_the_terminal(tmp_path: Path) -> None:
    """A query's own control characters are blanks in the table."""
    sly = judged("a", "untold\x1b[2J\r", {5: 1})
    table = as_table(evaluated(tmp_path, "semantic", "keyword", queries=[sly]))
    assert "untold [2J" in table
    assert all(character.isprintable() for character in table.replace("\n", ""))


def test_json(evaluation: Evaluation) -> None:
    """All that was measured, by kind, pair, win and query, under the same names."""
    document = json.loads(as_json(evaluation))
    assert (
        list(document)
        == (
            "queries_file generation seed confidence resamples notes kinds runs measures means "
            "comparisons wins queries"
        ).split()
    )
    assert document["kinds"] == {"plot": 1, "title": 1, "words": 2, "all": 4}
    assert document["runs"][0]["mode"] == "keyword"
    for by_run in document["means"].values():
        assert list(by_run) == ["keyword", "semantic", "hybrid"]
        for estimates in by_run.values():
            assert list(estimates) == document["measures"]
            assert all(list(found) == ["mean", "low", "high"] for found in estimates.values())
    assert {"measure", "run", "baseline", "difference", "p", "p_holm"} <= set(
        document["comparisons"][0]
    )
    query = document["queries"][0]
    assert query["text"] == f"captain {SCRIPT}"
    assert query["runs"]["keyword"]["first_relevant_rank"] == 1
    mean = sum(query["runs"]["hybrid"]["MRR@10"] for query in document["queries"]) / 4
    assert mean == pytest.approx(document["means"]["all"]["hybrid"]["MRR@10"]["mean"])


def test_trec_files_give_the_same_measures(evaluation: Evaluation) -> None:
    """A reader of run files and qrels computes our figures, ties included."""
    rows = [row.split() for row in as_trec_qrels(evaluation).splitlines()]
    qrels = [ir_measures.Qrel(query, film, int(grade)) for query, _, film, grade in rows]
    for run in ("keyword", "semantic", "hybrid"):
        text = as_trec_run(evaluation, run)
        assert all(re.fullmatch(rf"\w+ Q0 \d+ \d+ \d+ {run}", row) for row in text.splitlines())
        rows = [row.split() for row in text.splitlines()]
        read = [ir_measures.ScoredDoc(row[0], row[2], float(row[4])) for row in rows]
        found = ir_measures.calc_aggregate([ir_measures.R @ 10, ir_measures.RR @ 10], qrels, read)
        means = evaluation.means["all"][run]
        assert found[ir_measures.RR @ 10] == pytest.approx(means["MRR@10"].mean)
        assert found[ir_measures.R @ 10] == pytest.approx(means["recall@10"].mean)


class Page(HTMLParser):
    """The tags of a page, whether they are closed in order, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag and its attributes."""
        self.tags.add(tag)
        self.attributes += attrs
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag that holds nothing."""
        self.tags.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        """Check that the tag is the one to close."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.text += data


def test_page(evaluation: Evaluation) -> None:
    """The page is well-formed and shows every figure of every run, and titles of films."""
    page = Page(as_page(evaluation))
    assert page.open == []
    for measure in evaluation.measures:
        for kind in evaluation.sizes:
            for run in evaluation.runs:
                mean = evaluation.means[kind][run.name][measure].mean
                assert f"{mean:.3f}" in page.text
    assert "Untold" in page.text
    assert "svg" in page.tags
    assert "Rankings measured on <b>judged.jsonl" in page.text


def test_page_has_the_colours_of_the_pages(evaluation: Evaluation) -> None:
    """Words and meaning have the colours that they have in the search, light and dark."""
    source = as_page(evaluation)
    style = (Path(hybrid.__file__).parent / "web/static/shared/base.css").read_text("utf-8")
    for run in evaluation.runs:
        if run.mode == "hybrid":
            continue
        (number,) = set(re.findall(rf'class="of run-(\d)">{run.name}<', source))
        of_report = re.findall(rf"--run-{number}: (#\w+)", source)
        assert of_report == re.findall(rf"--{run.mode}: (#\w+)", style)
        assert len(of_report) == 2


def test_page_runs_nothing_of_others(evaluation: Evaluation) -> None:
    """A script in a query, a title or a file's name is text."""
    source = as_page(evaluation)
    page = Page(source)
    assert "script" not in page.tags
    assert f"captain {SCRIPT}" in page.text
    assert FILMS[0].title in page.text
    assert not [name for name, _ in page.attributes if name.startswith("on")]


def test_page_needs_no_other_file(evaluation: Evaluation) -> None:
    """Nothing is loaded: no address stands in it, and no tag or style that has one."""
    source = as_page(evaluation)
    page = Page(source)
    assert not re.search(r"https?://|url\(|@import", source)
    assert not page.tags & {"link", "img", "iframe", "object", "script", "a"}
    assert not {name for name, _ in page.attributes} & {"src", "href", "srcset", "data"}


def test_the_same_evaluation_gives_the_same_files(tmp_path: Path) -> None:
    """Neither the clock nor chance is in a report: what differs between two was measured."""
    first, second = (evaluated(tmp_path, seed=4) for _ in range(2))
    assert as_json(first) == as_json(second)
    assert as_page(first) == as_page(second)


def test_axis() -> None:
    """The axis is the shortest that holds what is on it, with 0 in the middle."""
    axis = Axis.of([-0.04, 0.11])
    assert axis.limit == 0.2
    assert (axis.percent(-0.2), axis.percent(0), axis.percent(0.1)) == (0, 50, 75)
    assert Axis.of([]).limit == 0.05
    assert Axis.of([1.0, -1.0]).limit == 1


def test_outputs(evaluation: Evaluation, tmp_path: Path) -> None:
    """Every file asked for is written, over what was there, and nothing else is left."""
    (tmp_path / "a.json").write_text("old")
    outputs = Outputs(tmp_path / "a.json", tmp_path / "runs" / "new", tmp_path / "a.html")
    outputs.check()
    outputs.write(evaluation)
    assert json.loads((tmp_path / "a.json").read_text())["kinds"]["all"] == 4
    assert sorted(path.name for path in (tmp_path / "runs" / "new").iterdir()) == [
        "hybrid.run",
        "keyword.run",
        "qrels.txt",
        "semantic.run",
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.html", "a.json", "runs"]


def test_outputs_that_cannot_be(tmp_path: Path) -> None:
    """What could not be written is reported before anything is measured."""
    (tmp_path / "file").touch()
    for outputs in (
        Outputs(json=tmp_path),
        Outputs(html=tmp_path / "nowhere" / "a.html"),
        Outputs(trec=tmp_path / "file"),
    ):
        with pytest.raises(InvalidInput):
            outputs.check()


def test_a_broken_write_leaves_what_was_there(tmp_path: Path) -> None:
    """Half a file never replaces a whole one, and is not left beside it."""
    file = tmp_path / "a.json"
    file.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        replace(file, "new \ud800")
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]
