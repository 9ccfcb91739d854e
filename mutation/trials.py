"""Trials: tests of a mutant, in a copy of the project and a separate process."""

import itertools
import multiprocessing
import os
import resource
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from time import monotonic

from mutation.mutants import Mutant
from mutation.targets import ROOT

COPIED = ("hybrid", "indexer", "tests", "benchmarks", "docs", "README.md", "pyproject.toml")

WARM = (
    "numpy faiss pandas pyarrow.parquet elasticsearch.helpers flask apiflask click onnxruntime "
    "tokenizers tantivy pydantic_settings sentencex prometheus_client hypothesis.stateful pytest "
    "mutation.command"
).split()
"""Modules imported once, before any mutant; none imports the code that is tested."""

OPTIONS = ("-x", "-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")

VARIABLES = {
    "OMP_NUM_THREADS": "1",  # several mutants are tested at once
    "FAULTS_SEED": "1",
    "FAULTS_EVERY": "40",
    "FAULTS_KILLS": "1",
    "FAULTS_DAMAGES": "1",
    "FAULTS_RUNS": "1",
}
"""Environment variables of the tests: small and deterministic."""

EXAMPLES = 25
"""Number of examples of a property that does not set it."""

MEMORY, FILE_SIZE = 4 * 1024**3, 1024**3
"""Limits of a mutant in bytes: some would use all memory or disk."""

CONTEXT = multiprocessing.get_context("forkserver")

_TIMES = itertools.count(10**9)


@dataclass(frozen=True)
class Trial:
    """Exit code and output of a process of pytest, and its time in seconds."""

    code: int | None
    output: str
    seconds: float

    @property
    def killed(self) -> bool:
        """Whether any test failed or took too long."""
        return self.code != 0


def warm_up() -> None:
    """Import the libraries in the process that all trials are forked from."""
    CONTEXT.set_forkserver_preload(WARM)


@contextmanager
def copies(number: int) -> Iterator[list[Path]]:
    """Yield copies of the project in a temporary folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="mutants-", dir=_folder()) as work:
        trees = [Path(work, str(n), "tree") for n in range(number)]
        for tree in trees:
            tree.mkdir(parents=True)
            for name in COPIED:
                if (ROOT / name).is_dir():
                    ignored = shutil.ignore_patterns("__pycache__")
                    shutil.copytree(ROOT / name, tree / name, ignore=ignored)
                else:
                    shutil.copy2(ROOT / name, tree / name)
        yield trees


def _folder() -> Path | None:
    """Return a folder in memory if there is a large one: tests spend most time on syncs."""
    memory = Path("/dev/shm")  # noqa: S108, TemporaryDirectory makes a private folder in it
    large = memory.is_dir() and shutil.disk_usage(memory).free > MEMORY
    return memory if large else None


@contextmanager
def apply_mutant(tree: Path, mutant: Mutant) -> Iterator[None]:
    """Replace a module by a mutant of it."""
    file = tree / mutant.module
    code, times = file.read_bytes(), file.stat()
    try:
        file.write_text(mutant.code, encoding="utf-8")
        # Python detects outdated bytecode by seconds and size alone.
        os.utime(file, (next(_TIMES),) * 2)
        yield
    finally:
        file.write_bytes(code)
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


def trial(tree: Path, tests: Sequence[str], seconds: float = 0) -> Trial:
    """Run tests in a copy of the project, for at most so many `seconds` (0: no limit).

    Processes that they started are killed and files that they wrote are removed.
    """
    folder = Path(tempfile.mkdtemp(dir=tree.parent))
    start = monotonic()
    process = CONTEXT.Process(target=_test, args=(tree, folder, tests, ceil(seconds)))
    process.start()
    process.join()
    with suppress(ProcessLookupError):
        os.killpg(process.pid or 0, signal.SIGKILL)
    output = (folder / "output").read_text("utf-8", "replace")
    shutil.rmtree(folder, ignore_errors=True)  # a process may still be ending
    return Trial(process.exitcode, output, monotonic() - start)


def _test(tree: Path, folder: Path, tests: Sequence[str], seconds: int) -> None:
    """Run pytest and exit this process with its exit code."""
    os.setsid()  # so that all processes the tests start can be killed together
    signal.alarm(seconds)  # ends it even if its parent is gone
    output = os.open(folder / "output", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_SIZE, FILE_SIZE))
    os.chdir(tree)
    sys.path.insert(0, str(tree))
    tempfile.tempdir = str(folder)
    sys.dont_write_bytecode = False  # the next trial in this copy reuses bytecode
    os.environ |= {"TMPDIR": str(folder), "PYTHONPATH": str(tree)}

    import hypothesis
    import pytest

    hypothesis.settings.register_profile(
        "mutants", max_examples=EXAMPLES, derandomize=True, database=None, deadline=None
    )
    hypothesis.settings.load_profile("mutants")
    code = pytest.main([*OPTIONS, f"--basetemp={folder / 'pytest'}", *tests])
    sys.stdout.flush()
    os._exit(code)  # threads that a test left behind may wait forever
