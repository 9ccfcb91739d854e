"""The examples in README and docs, run as they stand."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.command import Index, run
from tests.web.http import Service

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
JSON = re.compile(r"^```json\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#]+?)(?:#[^)]*)?\)")


def commands(start: str) -> list[str]:
    """Return the example commands that begin with `start`, of all pages."""
    blocks = [block for page in PAGES for block in CONSOLE.findall(page.read_text("utf-8"))]
    lines = [line for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith(start)]


@pytest.mark.parametrize("command", commands("curl"))
def test_curl_examples(command: str, service: Service) -> None:
    """Every curl line gets an answer that is no error, and a search finds something."""
    here = command.replace("http://127.0.0.1:8000", service.url)
    done = subprocess.run(
        [*shlex.split(here), "--silent", "--show-error", "--fail-with-body"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    answer = json.loads(done.stdout)
    assert answer.get("hits", True)
    assert answer.get("warnings", []) == []


@pytest.mark.parametrize("command", commands(".venv/bin/python -m hybrid search"))
def test_search_examples(command: str, index: Index) -> None:
    """Every search in the terminal finds something."""
    arguments = shlex.split(command)[2:]
    done = run(*arguments, **index.variables)
    assert done.returncode == 0, done.stderr
    assert "  1.  " in done.stdout


def test_there_are_examples() -> None:
    """The pages are searched in the right way."""
    assert len(commands("curl")) >= 6
    assert len(commands(".venv/bin/python -m hybrid search")) >= 2


def test_example_answers_have_the_keys_of_real_ones(service: Service) -> None:
    """The answer shown in docs/http.md has the keys, and the first film, of a real one."""
    shown, error = (json.loads(text) for text in JSON.findall((ROOT / "docs/http.md").read_text()))
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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link is to a file that is there."""
    for target in LINK.findall(page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target
