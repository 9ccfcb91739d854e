"""Tests run on a mutant, in a copy of the project and in a process of its own."""

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
"""Imported once, before any mutant: none of it imports the code that is tested."""

OPTIONS = ("-x", "-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")

VARIABLES = {
    "OMP_NUM_THREADS": "1",  # several mutants are tested at once
    "FAULTS_SEED": "1",
    "FAULTS_EVERY": "40",
    "FAULTS_KILLS": "1",
    "FAULTS_DAMAGES": "1",
    "FAULTS_RUNS": "1",
}
"""Of the processes that test: small, and every time the same."""

EXAMPLES = 25
"""Of a property that does not say how many."""

MEMORY, FILE_SIZE = 4 * 1024**3, 1024**3
"""Bytes that a mutant may take before it fails: some would take all there are."""

CONTEXT = multiprocessing.get_context("forkserver")

_TIMES = itertools.count(10**9)


@dataclass(frozen=True)
class Trial:
    """How the process of pytest ended, what it printed, and how many seconds that took."""

    code: int | None
    output: str
    seconds: float

    @property
    def noticed(self) -> bool:
        """Whether anything failed, or took too long."""
        return self.code != 0


def warm_up() -> None:
    """Have the libraries imported by the process that all trials are forked from."""
    CONTEXT.set_forkserver_preload(WARM)


@contextmanager
def copies(number: int) -> Iterator[list[Path]]:
    """Give copies of the project in a temporary folder that is removed in the end."""
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
    """Return a folder in memory if there is one of some size: most of what tests do is sync."""
    memory = Path("/dev/shm")
    there = memory.is_dir() and shutil.disk_usage(memory).free > MEMORY
    return memory if there else None


@contextmanager
def mutated(tree: Path, mutant: Mutant) -> Iterator[None]:
    """Put a mutant in the place of its module."""
    file = tree / mutant.module
    code, times = file.read_bytes(), file.stat()
    try:
        file.write_text(mutant.code, encoding="utf-8")
        # Compiled code is told from outdated code by seconds and size alone.
        os.utime(file, (next(_TIMES),) * 2)
        yield
    finally:
        file.write_bytes(code)
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


def trial(tree: Path, tests: Sequence[str], seconds: float = 0) -> Trial:
    """Run tests in a copy of the project, for so many `seconds` at most (0: without end).

    Whatever they started or wrote is gone afterwards.
    """
    folder = Path(tempfile.mkdtemp(dir=tree.parent))
    begun = monotonic()
    process = CONTEXT.Process(target=_test, args=(tree, folder, tests, ceil(seconds)))
    process.start()
    process.join()
    with suppress(ProcessLookupError):
        os.killpg(process.pid or 0, signal.SIGKILL)
    output = (folder / "output").read_text("utf-8", "replace")
    shutil.rmtree(folder, ignore_errors=True)  # a process may not be quite gone
    return Trial(process.exitcode, output, monotonic() - begun)


def _test(tree: Path, folder: Path, tests: Sequence[str], seconds: int) -> None:
    """End this process with pytest's exit code."""
    os.setsid()  # so that all that the tests start can be ended together
    signal.alarm(seconds)  # which ends it even if who started it is gone
    output = os.open(folder / "output", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_SIZE, FILE_SIZE))
    os.chdir(tree)
    sys.path.insert(0, str(tree))
    tempfile.tempdir = str(folder)
    sys.dont_write_bytecode = False  # the next trial in this copy need not compile it again
    os.environ |= {"TMPDIR": str(folder), "PYTHONPATH": str(tree)}

    import hypothesis
    import pytest

    hypothesis.settings.register_profile(
        "mutants", max_examples=EXAMPLES, derandomize=True, database=None, deadline=None
    )
    hypothesis.settings.load_profile("mutants")
    code = pytest.main([*OPTIONS, f"--basetemp={folder / 'pytest'}", *tests])
    sys.stdout.flush()
    os._exit(code)  # threads that a test left behind may wait for ever
