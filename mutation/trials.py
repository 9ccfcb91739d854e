"""Trials: tests of a mutant, in a copy of the project and a separate process."""

import itertools
import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from multiprocessing.connection import Connection
from pathlib import Path

from mutation.jobs import Job, Trial
from mutation.mutants import Mutant
from mutation.servers import MEMORY, serve_anew, serve_collected
from mutation.targets import ROOT

COPIED = ("hybrid", "indexer", "tests", "benchmarks", "docs", "README.md", "pyproject.toml")

WARM = (
    "numpy faiss pandas pyarrow.parquet elasticsearch.helpers flask apiflask click onnxruntime "
    "tokenizers tantivy pydantic_settings sentencex prometheus_client hypothesis.stateful pytest "
    "coverage mutation.command"
).split()
"""Modules imported once, before any mutant; none imports the code that is tested."""

VARIABLES = {
    "OMP_NUM_THREADS": "1",  # several mutants are tested at once
    "FAULTS_SEED": "1",
    "FAULTS_EVERY": "40",
    "FAULTS_KILLS": "1",
    "FAULTS_DAMAGES": "1",
    "FAULTS_RUNS": "1",
}
"""Environment variables of the tests: small and deterministic."""

CONTEXT = multiprocessing.get_context("forkserver")

_TIMES = itertools.count(10**9)


def warm_up() -> None:
    """Import the libraries in the process that all others are forked from."""
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


class Worker:
    """Two processes that test in one copy of the project, one job at a time.

    One has collected the tests of `files`, and so imported the code; the other only the libraries.
    Each job runs in a process forked from one of them. Those without a mutant write to the folder
    `measured` which lines the tests reach.
    """

    def __init__(self, tree: Path, files: Sequence[str], measured: Path | None = None) -> None:
        self._tree = tree
        self._connections: list[Connection] = []
        self._processes = []
        for serve, arguments in ((serve_collected, (tree, files, measured)), (serve_anew, (tree,))):
            connection, other = CONTEXT.Pipe()
            process = CONTEXT.Process(target=serve, args=(other, *arguments))
            process.start()
            other.close()
            self._connections.append(connection)
            self._processes.append(process)

    def tests(self) -> dict[str, tuple[str, ...]]:
        """Return the ids of the tests of `files`, in their order, with the fixtures of each.

        To be called once. Raises CollectionFails.
        """
        found = self._connections[0].recv()
        if isinstance(found, str):
            raise CollectionFails(found)
        tests: dict[str, tuple[str, ...]] = found
        return tests

    def start(self, job: Job) -> Connection:
        """Begin a job; its trial arrives on the connection."""
        connection = self._connections[job.anew]
        connection.send(job)
        return connection

    def trial(self, job: Job) -> Trial:
        """Do a job."""
        with apply_mutant(self._tree, job.mutant) if job.mutant else nullcontext():
            done: Trial = self.start(job).recv()
        return done

    def close(self) -> None:
        """End both processes, and the job that one of them does."""
        for process in self._processes:
            process.terminate()
        for process, connection in zip(self._processes, self._connections, strict=True):
            process.join()
            connection.close()


class CollectionFails(Exception):
    """The tests cannot be collected."""
