"""`python -m hybrid evaluate` as a user types it, on real engines and the real model."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import Index, run

LINES = """\
{"id": "w", "kind": "words", "query": "masterless swordsmen", "judgments": {"47478": 3, "68646": 0}}
{"id": "p", "kind": "plot", "query": "a shy woman who serves coffee", "relevant": [211915]}
{"id": "f", "query": "city", "filters": {"year_from": 1900}, "relevant": [133093]}
{"id": "n", "query": "nobody judged this"}
"""


def evaluate(index: Index, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command on an index."""
    return run("hybrid", "evaluate", *map(str, arguments), **index.variables)


def test_from_a_file_to_every_report(index: Index, tmp_path: Path) -> None:
    """A table is printed, the same figures are in the files, and notes say what was left out."""
    queries = tmp_path / "judged.jsonl"
    queries.write_text(LINES)
    json_file, page, runs = tmp_path / "a.json", tmp_path / "a.html", tmp_path / "runs"
    done = evaluate(
        index, "--queries", queries, "--json", json_file, "--html", page, "--trec", runs
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "3 judged queries of judged.jsonl" in done.stdout
    assert "note: 1 of the queries left out, without a judgement: n" in done.stdout
    document = json.loads(json_file.read_text())
    means = document["means"]["all"]["keyword"]["nDCG@10"]
    assert f"{means['mean']:.3f}   {means['low']:.3f} to {means['high']:.3f}" in done.stdout
    assert document["means"]["words"]["hybrid"]["nDCG@10"]["mean"] == 1
    assert page.read_text().startswith("<!doctype html>")
    assert "w Q0 47478 1 " in (runs / "keyword.run").read_text()


def test_quepid_and_trec_give_the_same_figures(index: Index, tmp_path: Path) -> None:
    """The same judgements in another format, and the runs that were asked for, one the baseline."""
    csv, topics, qrels = tmp_path / "a.csv", tmp_path / "topics.tsv", tmp_path / "qrels.txt"
    csv.write_text("query,docid,rating\nmasterless swordsmen,47478,3\ncity,133093,1\n")
    topics.write_text("q1\tmasterless swordsmen\nq2\tcity\n")
    qrels.write_text("q1 0 47478 3\nq2 0 133093 1\n")
    runs = ["--run", "keyword", "--run", "mine=hybrid,rrf,0.4", "--baseline", "keyword"]
    quepid = evaluate(index, "--queries", csv, *runs)
    trec = evaluate(index, "--queries", topics, "--qrels", qrels, *runs)
    assert quepid.returncode == 0, quepid.stderr
    assert "mine - keyword" in quepid.stdout
    assert quepid.stdout.splitlines()[1:] == trec.stdout.splitlines()[1:]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--queries", "/nowhere"], "No such file or directory: /nowhere"),
        (["--queries", "{file}", "--run", "magic"], "run 'magic': mode"),
        (["--queries", "{file}", "--baseline", "bm25"], "baseline 'bm25' is not a run"),
        (["--queries", "{file}", "--json", "/nowhere/a"], "/nowhere/a cannot be written"),
        (["--queries", "{file}", "--data", "/nowhere"], "no index in /nowhere"),
        (["--queries", "{file}", "--wins", "-1"], "--wins"),
        ([], "--queries"),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], expected: str, tmp_path: Path) -> None:
    """Each is expected before anything is measured, by name and without a stack trace."""
    file = tmp_path / "judged.jsonl"
    file.write_text(LINES)
    done = run("hybrid", "evaluate", *(argument.format(file=file) for argument in arguments))
    assert done.returncode in (1, 2)
    assert expected in done.stderr
    assert "Traceback" not in done.stderr


def test_elasticsearch_away_is_no_figure(index: Index, tmp_path: Path) -> None:
    """No table and no file: a ranking by meaning alone is not the hybrid one."""
    if index.engine != "elasticsearch":
        pytest.skip("about Elasticsearch alone")
    queries = tmp_path / "judged.jsonl"
    queries.write_text(LINES)
    away = index.variables | {"HYBRID_ELASTICSEARCH_URL": "http://127.0.0.1:9"}
    asked = ["--queries", str(queries), "--run", "hybrid", "--json", str(tmp_path / "a.json")]
    done = run("hybrid", "evaluate", *asked, **away)
    assert done.returncode == 1
    assert "keyword engine did not answer query w" in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "a.json").exists()


def test_without_the_library_a_line_says_what_to_install() -> None:
    """An installation that only searches has no measures."""
    code = (
        "import runpy, sys\n"
        "sys.modules['ir_measures'] = None\n"
        "sys.argv = ['hybrid', 'evaluate', '--queries', 'x']\n"
        "runpy.run_module('hybrid', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=os.environ
    )
    assert done.returncode == 1
    assert done.stderr == "Error: this needs ir-measures: `make install` installs it\n"


def test_tuning_refuses_what_teaches_nothing(index: Index, tmp_path: Path) -> None:
    """Too few judged queries are expected in one line, and no preferences are written."""
    queries = tmp_path / "judged.jsonl"
    queries.write_text(LINES)
    done = run("hybrid", "tune", "--queries", str(queries), **index.variables)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: the queries look for 3 different films: judge queries")
    assert not (index.data / "ranking.toml").exists()
