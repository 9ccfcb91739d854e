"""The worked example of docs/architecture.md: a patch that adds a field, applied to a copy."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_docs import JSON
from tests.web.http import Service
from tests.web.production import production

ROOT = Path(__file__).parents[1]
PATCH = ROOT / "docs" / "add-a-field.patch"

MAX_CODE_FILES = 3

QUERY = "a film about a man"

NINETIES = {"year_from": 1990, "year_to": 1999}


def test_it_touches_few_files_of_code() -> None:
    """A field is added in at most three files, tests and documentation aside."""
    files = re.findall(r"^\+\+\+ b/(\S+)$", PATCH.read_text("utf-8"), re.MULTILINE)
    code = [file for file in files if not file.startswith(("docs/", "tests/"))]
    assert 1 <= len(code) <= MAX_CODE_FILES
    assert {Path(file).parts[0] for file in files} == {"hybrid", "docs", "tests"}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a copy of the project to which the patch was applied."""
    folder = tmp_path_factory.mktemp("patched")
    for name in ("hybrid", "indexer", "tests", "docs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    # Not into a repository that the folder of temporary files may lie in.
    outside = os.environ | {"GIT_CEILING_DIRECTORIES": str(folder.parent)}
    for options in (["--check"], []):
        subprocess.run(["git", "apply", *options, PATCH], cwd=folder, env=outside, check=True)
    return folder


@pytest.fixture(scope="module")
def patched(copy: Path, embedded: Path) -> Iterator[Service]:
    """Give the service with the patch."""
    data = str(embedded / "data")
    with production("env", "--chdir", str(copy), HYBRID_DATA=data) as running:
        yield running.service


def run_patched(copy: Path, *arguments: str, **variables: str) -> str:
    """Return what a command of the copy prints."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=copy,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def test_a_url_and_a_body_have_it(patched: Service) -> None:
    """The field filters: the films are those of the ten years, and without it there are others."""
    _, all_films = patched.get("/search", q=QUERY)
    _, expected = patched.get("/search", q=QUERY, **NINETIES)
    assert 0 < len(expected["hits"]) < len(all_films["hits"])
    for status, answer in (
        patched.get("/search", q=QUERY, decade=1990),
        patched.post("/search", {"query": QUERY, "decade": 1990}),
    ):
        assert status == 200
        assert answer["hits"] == expected["hits"]
        assert answer["query"]["decade"] == 1990


def test_a_comparison_has_it(patched: Service) -> None:
    """Every run of a comparison is filtered by it."""
    _, expected = patched.get("/compare", q=QUERY, **NINETIES)
    _, answer = patched.get("/compare", q=QUERY, decade=1990)
    assert answer["movies"]
    assert answer["movies"] == expected["movies"]


def test_a_page_has_it(patched: Service) -> None:
    """The search page filters by it, and keeps it in its form."""
    status, page, _ = patched.page("/", q=QUERY, decade=1990)
    assert status == 200
    assert "The Shawshank Redemption" in page
    assert "The Godfather" not in page
    assert '<input type="hidden" name="decade" value="1990">' in page


def test_a_wrong_value_is_reported(patched: Service) -> None:
    """The error names the field, as for every other one."""
    for fields in ({"decade": 1995}, {"decade": "x"}, {"decade": 1990, "year_to": 1999}):
        status, answer = patched.get("/search", q=QUERY, **fields)
        assert status == 422
        assert list(answer["error"]["fields"]) == ["decade"]


def test_openapi_has_it(patched: Service) -> None:
    """Parameters and bodies list the field with its description."""
    _, openapi = patched.get("/openapi.json")
    for path in ("/search", "/compare", "/explain/{movie_id}"):
        described = {
            parameter["name"]: parameter["description"]
            for parameter in openapi["paths"][path]["get"]["parameters"]
            if parameter["in"] == "query"
        }
        assert "1950 to 1959" in described["decade"]
    for schema in ("SearchQuery", "CompareRequest"):
        properties = openapi["components"]["schemas"][schema]["properties"]
        assert "1950 to 1959" in properties["decade"]["description"]


def test_the_command_line_has_it(copy: Path, patched: Service, embedded: Path) -> None:
    """The option filters, and the help describes it."""
    _, expected = patched.get("/search", q=QUERY, **NINETIES)
    search = ("hybrid", "search", QUERY, "--decade", "1990", "--json")
    printed = run_patched(copy, *search, HYBRID_DATA=str(embedded / "data"))
    assert json.loads(printed)["hits"] == expected["hits"]
    assert "1950 to 1959" in " ".join(run_patched(copy, "hybrid", "search", "--help").split())


def test_its_tests_and_examples_hold(copy: Path, patched: Service) -> None:
    """The tests of queries pass, and the response shown in the documentation has the fields of a
    real one."""
    comparison = "tests/web/pages/test_pages.py::test_the_comparison_sends_every_field_of_a_query"
    tests = [*new_tests(), "tests/test_query.py", comparison]
    assert "passed" in run_patched(copy, "pytest", "-q", "-p", "no:cacheprovider", *tests)
    shown = json.loads(JSON.findall((copy / "docs" / "http.md").read_text("utf-8"))[0])
    _, real = patched.post("/search", shown["query"])
    assert list(real["query"]) == list(shown["query"])
    assert real["query"] == shown["query"]


def new_tests() -> list[str]:
    """Return the files of tests that the patch changes."""
    return re.findall(r"^\+\+\+ b/(tests/\S+)$", PATCH.read_text("utf-8"), re.MULTILINE)
