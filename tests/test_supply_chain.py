"""The lock files are complete, and `make audit` and `make sbom` do what SECURITY.md says.

The audit runs the real pip-audit, against a database on this machine.
"""

import ast
import json
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCKS = ("audit", "build", "dev", "search", "")
"""The lock files; the last one is requirements.txt."""


def _text(lock: str) -> str:
    name = f"requirements-{lock}.txt" if lock else "requirements.txt"
    return (ROOT / name).read_text("utf-8")


def _entries(lock: str) -> dict[str, tuple[Requirement, list[str]]]:
    """Return each package of a lock file with its digests; one with markers may be there twice."""
    entries = {}
    for entry in re.split(r"\n(?=\S)", _text(lock).strip()):
        line, *digests = [part.strip() for part in entry.split("\\\n")]
        requirement = Requirement(line)
        key = f"{canonicalize_name(requirement.name)} {requirement.marker or ''}"
        entries[key] = requirement, digests
    return entries


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_with_digests(lock: str) -> None:
    """A version and the SHA-256 of its files, but for PyTorch, which has other files in its own
    index; and no address of an index, which is the user's to choose."""
    assert "://" not in _text(lock)
    for requirement, digests in _entries(lock).values():
        assert re.fullmatch(r"==[^=,*]+", str(requirement.specifier)), requirement
        if requirement.name == "torch":
            assert digests == []
        else:
            assert digests, requirement
        for digest in digests:
            assert re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", digest), requirement


@pytest.mark.parametrize("lock", ["search", ""])
def test_what_is_tested_is_what_runs(lock: str) -> None:
    """The packages of the images are those of the development environment."""
    tested = _entries("dev")
    assert {key: tested.get(key) for key in _entries(lock)} == _entries(lock)


def test_the_lock_files_fit_the_project() -> None:
    """Each dependency of pyproject.toml is locked, at a version that it allows."""
    file = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    project, groups = file["project"], file["dependency-groups"]
    wanted = {"search": project["dependencies"], **groups}
    del wanted["peers"]  # of a benchmark, in a folder of its own
    wanted["dev"] = [part for extra in project["optional-dependencies"].values() for part in extra]
    for lock, dependencies in wanted.items():
        locked = [requirement for requirement, _ in _entries(lock).values()]
        for text in dependencies:
            wants = Requirement(text)
            found = [
                r for r in locked if canonicalize_name(r.name) == canonicalize_name(wants.name)
            ]
            assert found, text
            for requirement in found:
                version = str(requirement.specifier).removeprefix("==")
                assert wants.specifier.contains(version), text


def test_packages_for_gpus_are_left_to_torch() -> None:
    """Otherwise an installation without GPU support would download gigabytes for one."""
    names = {key.split()[0] for lock in LOCKS for key in _entries(lock)}
    assert not [name for name in names if name.startswith(("cuda", "nvidia", "triton"))]


@pytest.fixture(scope="module", autouse=True)
def _tools() -> None:
    """Install what audits, with its digests verified."""
    subprocess.run(
        ["make", "--silent", "-o", "install", ".cache/audit/installed"], cwd=ROOT, check=True
    )


class Database(ThreadingHTTPServer):
    """A database of vulnerabilities: `vulnerable` are the packages that it knows one of."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Lookup)
        self.vulnerable: set[str] = set()
        self.asked: set[str] = set()


class Lookup(BaseHTTPRequestHandler):
    """A request of pip-audit in the protocol of OSV."""

    server: Database

    def do_POST(self) -> None:
        """Return what is known of the package asked for."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = body["package"]["name"]
        self.server.asked.add(name)
        package = {"package": {"name": name, "ecosystem": "PyPI"}}
        known = {"id": "TEST-2026-1", "summary": "a hole", "affected": [package]}
        answer = json.dumps({"vulns": [known]} if name in self.server.vulnerable else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


@pytest.fixture
def database() -> Iterator[Database]:
    """Give a database that answers, and knows that of Flask only 0.12 is vulnerable."""
    with Database() as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
        try:
            yield server
        finally:
            server.shutdown()


LOCK = "sniffio==1.3.1 \\\n    --hash=sha256:" + 64 * "0" + "\ntorch==2.15.0\n"


def _audit(
    tmp_path: Path, database: Database | None, advisories: str, lock: str = LOCK
) -> subprocess.CompletedProcess[str]:
    """Run the audit on one lock file in a copy of the project, for it runs where it is."""
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci/audit").symlink_to(ROOT / ".ci/audit")
    (tmp_path / ".cache").symlink_to(ROOT / ".cache")
    (tmp_path / "requirements-search.txt").write_text(lock)
    port = database.server_address[1] if database else 1
    environment = os.environ | {
        "ADVISORIES": advisories,
        "PIP_AUDIT_VULNERABILITY_SERVICE": "osv",
        "PIP_AUDIT_OSV_URL": f"http://127.0.0.1:{port}/v1/query",
    }
    return subprocess.run(
        [tmp_path / ".ci/audit"],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        timeout=300,
    )


@pytest.mark.parametrize("advisories", ["detect", ""])
def test_an_audit_without_a_finding_succeeds(
    tmp_path: Path, database: Database, advisories: str
) -> None:
    """Each package is asked for, PyTorch, which has no digest, too."""
    database.vulnerable = {"flask"}
    done = _audit(tmp_path, database, advisories)
    assert done.returncode == 0, done.stdout
    assert "NOT AUDITED" not in done.stdout
    assert database.asked == {"flask", "sniffio", "torch"}


@pytest.mark.parametrize(("advisories", "package"), [("required", "sniffio"), ("detect", "torch")])
def test_a_vulnerable_package_fails_the_audit(
    tmp_path: Path, database: Database, advisories: str, package: str
) -> None:
    """And is named, with the vulnerability."""
    database.vulnerable = {"flask", package}
    done = _audit(tmp_path, database, advisories)
    assert done.returncode == 1
    assert re.search(rf"{package} .*TEST-2026-1", done.stdout)


def test_a_package_that_cannot_be_looked_up_fails_the_audit(
    tmp_path: Path, database: Database
) -> None:
    """pip-audit alone would skip it and succeed."""
    database.vulnerable = {"flask"}
    lock = LOCK + "unknown @ https://127.0.0.1/unknown-1.0-py3-none-any.whl\n"
    done = _audit(tmp_path, database, "required", lock)
    assert done.returncode == 1
    assert "unknown" in done.stdout


@pytest.mark.parametrize(
    ("answers", "advisories", "status"),
    [(True, "required", 1), (False, "", 1), (True, "detect", 0), (False, "detect", 0)],
)
def test_an_audit_without_a_database_says_so(
    tmp_path: Path, database: Database, answers: bool, advisories: str, status: int
) -> None:
    """Nothing there, or what does not even know Flask 0.12, is no database: by default that is a
    failure."""
    done = _audit(tmp_path, database if answers else None, advisories)
    assert done.returncode == status
    assert "NOT AUDITED" in done.stdout


def test_an_audit_that_is_told_to_be_offline_asks_nothing(
    tmp_path: Path, database: Database
) -> None:
    """It says that nothing was checked. A misspelt word is refused."""
    done = _audit(tmp_path, database, "offline")
    assert done.returncode == 0
    assert "NOT AUDITED" in done.stdout
    assert database.asked == set()


def test_a_misspelt_word_is_refused(tmp_path: Path) -> None:
    """It neither audits nor counts as offline."""
    done = _audit(tmp_path, None, "of-line")
    assert done.returncode == 2
    assert "of-line" in done.stderr


def test_ci_audits() -> None:
    """CI fails on findings wherever there is a database."""
    run = (ROOT / ".ci/run").read_text("utf-8")
    assert re.search(r"^ADVISORIES=\$\{ADVISORIES:-detect\} make .*\baudit$", run, re.MULTILINE)


def test_the_sbom_lists_what_the_service_needs() -> None:
    """It has the packages and versions of the lock file that are for this machine, no others, and
    says which of them the project itself needs."""
    subprocess.run(["make", "--silent", "-o", "install", "sbom"], cwd=ROOT, check=True)
    bom = json.loads((ROOT / "sbom.cdx.json").read_text("utf-8"))
    assert bom["bomFormat"] == "CycloneDX"
    listed = {
        canonicalize_name(component["name"]): component["version"]
        for component in bom["components"]
    }
    locked = {
        canonicalize_name(requirement.name): str(requirement.specifier).removeprefix("==")
        for requirement, _ in _entries("search").values()
        if requirement.marker is None or requirement.marker.evaluate()
    }
    assert listed == locked
    main = bom["metadata"]["component"]
    assert main["name"] == "hybrid-film-search"
    (graph,) = [entry for entry in bom["dependencies"] if entry["ref"] == main["bom-ref"]]
    assert {"tantivy", "faiss-cpu"} <= {ref.partition("==")[0] for ref in graph["dependsOn"]}
    assert str(ROOT) not in json.dumps(bom)


SEVERE = ("warning", "error", "exception", "critical")


def _logged(file: Path) -> Iterator[str]:
    """Yield the messages, as they are written in the code, that a module logs as a problem."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            logger = ast.unparse(node.func.value)
            if node.func.attr in SEVERE and re.search(r"log", logger, re.IGNORECASE):
                yield ast.literal_eval(node.args[0])


def test_every_problem_in_the_log_is_explained() -> None:
    """docs/operations.md has a row for each message that the code logs as a warning or worse, and
    none for others."""
    files = [file for name in ("hybrid", "indexer") for file in (ROOT / name).rglob("*.py")]
    logged = {message for file in files for message in _logged(file)}
    assert logged
    guide = (ROOT / "docs/operations.md").read_text("utf-8")
    _, _, log = guide.partition("\n## The log\n")
    assert logged == set(re.findall(r"^\| `(.+?)` \|", log, re.MULTILINE))
