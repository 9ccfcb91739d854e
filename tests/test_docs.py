"""The examples in README and docs, run as they stand."""

import csv
import json
import re
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from hybrid.schemas.changes import ChangeResponse
from hybrid.web.errors import codes
from tests.command import Index, free_port, run, running
from tests.web.http import Service

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
JSON = re.compile(r"^```json\n(.*?)^```", re.MULTILINE | re.DOTALL)
JUDGED = re.compile(r"^```jsonl\n(.*?)^```", re.MULTILINE | re.DOTALL)
REPORT = re.compile(r"^```\n(\d+ judged queries.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#]*)(?:#([^)]*))?\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def commands(start: str, pages: Sequence[Path]) -> list[str]:
    """Return the example commands that begin with `start`."""
    blocks = [block for page in pages for block in CONSOLE.findall(page.read_text("utf-8"))]
    lines = [line for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith(start)]


def curl(command: str, service: Service) -> Any:
    """Return the answer that a curl line gets from `service`."""
    here = command.replace("http://127.0.0.1:8000", service.url).replace("$KEY", str(service.key))
    done = subprocess.run(
        [*shlex.split(here), "--silent", "--show-error", "--fail-with-body"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


def changes_a_film(command: str) -> bool:
    """Whether a curl line changes a film: tests/test_live_changes.py runs those."""
    return "-X PUT" in command or "-X DELETE" in command


@pytest.mark.parametrize(
    "command", [line for line in commands("curl", PAGES[1:]) if not changes_a_film(line)]
)
def test_curl_examples(command: str, service: Service) -> None:
    """No curl line gets an error, and every search finds something."""
    answer = curl(command, service)
    assert answer.get("hits", True)
    assert answer.get("warnings", []) == []


def test_the_readme_on_the_bundled_films(tmp_path: Path) -> None:
    """The demo builds only once; the commands of the README find what it says, and a paraphrase
    finds Titanic by meaning and by both. The commands of docs/evaluation.md run on these films."""
    port = free_port()
    service = Service(f"http://127.0.0.1:{port}")
    ready = "(Ctrl-C stops)\n"
    variables = {"HYBRID_DATA": str(tmp_path), "HYBRID_PORT": str(port)}
    with running("indexer", "demo", ready=ready, **variables) as printed:
        assert "Indexing" in printed
        assert service.get("/search", q="heist")[0] == 200
    with running("indexer", "demo", ready=ready, **variables) as printed:
        assert "Indexing" not in printed
        examples = commands("curl", PAGES[:1])
        found = [curl(command, service)["hits"][0]["movie"]["title"] for command in examples]
        assert found == ["Titanic", "Seven Samurai"]
        for mode in ("semantic", "hybrid"):
            text = "A seventeen-year-old aristocrat falls in love with a kind but poor artist"
            _, answer = service.get("/search", q=text, mode=mode)
            assert answer["hits"][0]["movie"]["title"] == "Titanic"
    for command in commands(".venv/bin/python -m hybrid search", PAGES[:1]):
        done = run(*shlex.split(command)[2:], HYBRID_DATA=str(tmp_path))
        assert done.returncode == 0, done.stderr
        assert "  1.  " in done.stdout
    updated = run("indexer", "update", "sample", HYBRID_DATA=str(tmp_path))
    assert updated.stdout.startswith("Nothing changed"), updated.stderr
    evaluation_examples(tmp_path)
    tuning_example(tmp_path)


def evaluation_examples(data: Path) -> None:
    """Run the commands of docs/evaluation.md on its queries: the report shown has the rows and
    columns of the real one, and the measures of its keyword ranking."""
    page = (ROOT / "docs" / "evaluation.md").read_text("utf-8")
    (queries,), (shown,) = JUDGED.findall(page), REPORT.findall(page)
    file = data / "judged.jsonl"
    file.write_text(queries, "utf-8")
    said = []
    for command in commands(".venv/bin/python -m hybrid evaluate", [ROOT / "docs/evaluation.md"]):
        here = [str(file) if part == file.name else part for part in shlex.split(command)[2:]]
        done = run(*here, HYBRID_DATA=str(data))
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)
    real = said[0]
    assert rows(real, "keyword ") == rows(shown, "keyword ")
    # The figures of the other rankings change with them; their rows and columns do not.
    assert [re.sub(r"[-+]?\d", "0", row) for row in rows(real)] == [
        re.sub(r"[-+]?\d", "0", row) for row in rows(shown)
    ]


def tuning_example(data: Path) -> None:
    """Run the command of docs/ranking.md that learns, on queries made of the films' first words."""
    with (ROOT / "indexer/sample/films.csv").open(encoding="utf-8") as file:
        films = [row for row, _ in zip(csv.DictReader(file), range(15), strict=False)]
    queries = [
        {
            "id": film["id"],
            "query": " ".join(film["description"].split()[:6]),
            "relevant": [int(film["id"])],
        }
        for film in films
    ]
    judged = data / "judged.jsonl"
    judged.write_text("".join(f"{json.dumps(query)}\n" for query in queries))
    (command,) = commands(".venv/bin/python -m hybrid tune", [ROOT / "docs/ranking.md"])
    here = [str(judged) if part == judged.name else part for part in shlex.split(command)[2:]]
    done = run(*here, HYBRID_DATA=str(data))
    assert done.returncode == 0, done.stderr
    assert "15 judged queries of judged.jsonl in 5 folds" in done.stdout
    assert "held-out gain in nDCG@10: " in done.stdout


def rows(report: str, start: str = "") -> list[str]:
    """Return the rows of the tables that begin with `start`, without the greatest wins."""
    tables = report.partition(" beats ")[0].splitlines()[1:-1]
    return [row for row in tables if row.startswith(start)]


def test_every_error_is_listed() -> None:
    """docs/http.md has each code of an error with the status it comes with."""
    text = (ROOT / "docs" / "http.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \| ([45]\d\d) ", text, re.MULTILINE)
    listed = {code: int(status) for code, status in rows}
    known = {code: status for status, names in codes().items() for code in names}
    assert listed == known | {"internal_error": 500}


def test_there_are_examples() -> None:
    """The pages are searched in the right way."""
    assert len(commands("curl", PAGES)) >= 6
    assert len(commands(".venv/bin/python -m hybrid search", PAGES)) >= 2


def test_example_answers_have_the_keys_of_real_ones(service: Service) -> None:
    """The answer shown in docs/http.md has the keys, and the first film, of a real one."""
    shown, written, error = (
        json.loads(text) for text in JSON.findall((ROOT / "docs/http.md").read_text())
    )
    assert list(written) == list(ChangeResponse.model_fields)
    _, real = service.post("/search", shown["query"])
    assert list(real) == list(shown)
    assert real["query"] == shown["query"]
    assert list(real["hits"][0]) == list(shown["hits"][0])
    for part in ("keyword", "semantic"):
        assert list(real["hits"][0][part]) == list(shown["hits"][0][part])
    assert real["hits"][0]["movie"]["title"] == shown["hits"][0]["movie"]["title"]
    assert real["hits"][0]["semantic"]["sentence"] == shown["hits"][0]["semantic"]["sentence"]
    bad = {"query": "x", "year_from": 2000, "year_to": 1990}
    assert service.post("/search", bad)[1] == error


COMPARED = {
    "query": "masterless waitress of a city",
    "limit": 2,
    "runs": {
        "words": {"mode": "keyword"},
        "both": {"mode": "hybrid", "fusion": "min_max", "alpha": 0.4},
    },
    "judgments": {"211915": 3, "47478": 0},
}


def test_comparison_and_explanation_shown_are_real(service: Service) -> None:
    """Keys, films, moves and words in docs/comparing.md are those of real answers."""
    text = (ROOT / "docs/comparing.md").read_text("utf-8")
    shown, why = (json.loads(block) for block in JSON.findall(text))
    _, real = service.post("/compare", COMPARED)
    assert list(real) == list(shown)
    assert real["query"] == shown["query"]
    for name, of_run in shown["runs"].items():
        assert list(real["runs"][name]) == list(of_run)
        assert real["runs"][name]["measures"] == pytest.approx(of_run["measures"], abs=1e-3)
        found = [{"id": hit["id"], "rank": hit["rank"]} for hit in real["runs"][name]["hits"]]
        assert found == of_run["hits"]
    assert list(real["pairs"][0]) == list(shown["pairs"][0])
    assert real["pairs"][0]["moves"] == shown["pairs"][0]["moves"]
    for film, movie in shown["movies"].items():
        assert list(real["movies"][film]) == list(movie)
    assert list(real["swaps"][0]) == list(shown["swaps"][0])
    for side, figures in shown["lists"].items():
        assert real["lists"][side] == pytest.approx(figures, abs=1e-3)
    explained(service, why)


def explained(service: Service, shown: Any) -> None:
    """Hold the explanation shown to the real one."""
    fields = {"q": "masterless swordsmen of Kurosawa", "explain": "full"}
    _, answer = service.get("/search", **fields)
    real = answer["hits"][0]["why"]
    assert list(real) == list(shown)
    assert (real["summary"], real["ranks"]) == (shown["summary"], shown["ranks"])
    assert real["fusion"]["formula"] == shown["fusion"]["formula"]
    for side, parts in (("keyword", "terms"), ("semantic", "sentences")):
        assert list(real[side]) == list(shown[side])
        assert real[side][parts][0] == pytest.approx(shown[side][parts][0], abs=0.01)
    for word, expected in zip(real["semantic"]["words"], shown["semantic"]["words"], strict=True):
        assert word == pytest.approx(expected, abs=0.01)


def test_terminal_examples_compare(index: Index) -> None:
    """The commands of docs/comparing.md run, and the columns shown are those of the first."""
    page = ROOT / "docs/comparing.md"
    shown = re.findall(r"^```\n(keyword .*?)^```", page.read_text("utf-8"), re.M | re.S)[0]
    said = []
    for command in commands(".venv/bin/python -m hybrid compare", [page]):
        done = run(*shlex.split(command)[2:], **index.variables, COLUMNS="80")
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)
    films = [line for line in said[0].splitlines() if line]
    assert films[:3] == shown.splitlines()[:3]


@pytest.mark.parametrize(
    "page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda page: str(page.name)
)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link is to a file that exists, and to a heading of it."""
    for target, anchor in LINK.findall(page.read_text("utf-8")):
        if "://" in target:
            continue
        file = page.parent / target if target else page
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file.read_text("utf-8")), f"{target}#{anchor}"


def anchors(markdown: str) -> set[str]:
    """Return the anchors of the headings, as GitHub forms them."""
    headings = HEADING.findall(markdown)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_pre_commit_runs_the_checks() -> None:
    """The hooks run every command of `make check`, and no other."""
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"][0]
    makefile = (ROOT / "Makefile").read_text("utf-8")
    ((others, recipe),) = re.findall(
        r"^check: install (.*?) ##.*\n((?:\t.*\n)+)", makefile, re.MULTILINE
    )
    checks = {line.strip().removesuffix(" $(CODE)") for line in recipe.splitlines()}
    checks |= {f"make --silent {target}" for target in others.split()}
    assert {hook["entry"] for hook in hooks["hooks"]} == checks
