"""The processes that trials are forked from."""

import gc
import itertools
import os
import resource
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import ceil
from multiprocessing.connection import Connection
from pathlib import Path

import hypothesis
import pytest
from hypothesis import Phase

from mutation.exchange import exchange, live_functions
from mutation.jobs import BROKEN, NOT_EXCHANGED, Job, Trial
from mutation.reach import Lines, Reach, fixtures

OPTIONS = (
    "-x",
    "-qs",  # what a trial prints goes to a file of its own
    "--tb=short",
    "--timeout=0",  # its timer would replace that of the trial
    *("-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
)

EXAMPLES = 25
"""Number of examples of a property that does not set it."""

MEMORY, FILE_SIZE = 4 * 1024**3, 1024**3
"""Limits of a mutant in bytes: some would use all memory or disk."""


def serve_collected(
    connection: Connection, tree: Path, files: Sequence[str], measured: Path | None
) -> None:
    """Send the tests of `files` with their fixtures, and do jobs with them.

    Jobs without a mutant write to the folder `measured` what the tests reach.
    """
    _enter(tree)
    output = os.open(tree.parent / "output", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    pytest.main([*OPTIONS, _base(tree), *files], plugins=[_Collected(connection, tree, measured)])
    sys.stdout.flush()
    connection.send((tree.parent / "output").read_text("utf-8", "replace"))


class _Collected:
    """A plugin of pytest that does jobs in place of running all tests."""

    def __init__(self, connection: Connection, tree: Path, measured: Path | None) -> None:
        self._connection = connection
        self._tree = tree
        self._measured = measured
        self._import = Lines(tree, measured) if measured else None

    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Send the tests, and do jobs."""
        if session.testsfailed:  # to be imported
            return None
        if self._import:
            self._import.save()
        items = {item.nodeid: item for item in session.items}
        self._connection.send({test: fixtures(item) for test, item in items.items()})
        live = live_functions(self._tree)
        gc.freeze()  # or collections would copy all memory

        def test(job: Job) -> int:
            chosen = [items[name] for name in job.tests]
            if not job.mutant:
                return self._measure(session, chosen)
            if not exchange(self._tree, job.mutant, live):
                return NOT_EXCHANGED
            return _run(session, chosen)

        _serve(self._connection, self._tree, test)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Print at once what pytest would print at its end."""
        if report.failed:
            print(report.longreprtext)

    def _measure(self, session: pytest.Session, items: Sequence[pytest.Item]) -> int:
        if not self._measured:
            return _run(session, items)
        reach = Reach(self._tree, self._measured)
        session.config.pluginmanager.register(reach)
        code = _run(session, items)
        reach.save()
        return code


def _run(session: pytest.Session, items: Sequence[pytest.Item]) -> int:
    """Run tests up to the first that fails, and return the exit code."""
    for item, following in itertools.zip_longest(items, items[1:]):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.shouldfail:
            break
    return int(session.testsfailed > 0)


def serve_anew(connection: Connection, tree: Path) -> None:
    """Do jobs in processes that collect the tests of the job."""
    _enter(tree)

    def test(job: Job) -> int:
        class Selection:
            """The tests of the job, in its order."""

            def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
                found = {item.nodeid: item for item in items}
                items[:] = [found[test] for test in job.tests]

        used = dict.fromkeys(test.partition("::")[0] for test in job.tests)
        return int(pytest.main([*OPTIONS, _base(tree), *used], plugins=[Selection()]))

    _serve(connection, tree, test)


PACKAGES = frozenset({"benchmarks", "hybrid", "indexer", "tests"})


def _enter(tree: Path) -> None:
    """Make this process one in which the project is what is in `tree`."""
    os.setsid()  # Ctrl-C is for the process that started this one
    os.chdir(tree)
    sys.path.insert(0, str(tree))
    # Tests of the project itself may have had it imported in the server that all are forked from.
    for name in [name for name in sys.modules if name.partition(".")[0] in PACKAGES]:
        del sys.modules[name]
    sys.dont_write_bytecode = False  # the next trial in this copy reuses bytecode
    os.environ |= {"PYTHONPATH": str(tree)}
    hypothesis.settings.register_profile(
        "mutants",
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),  # which example fails does not matter
    )
    hypothesis.settings.load_profile("mutants")


def _scratch(tree: Path) -> Path:
    return tree.parent / "scratch"


def _base(tree: Path) -> str:
    return f"--basetemp={_scratch(tree) / 'pytest'}"


def _serve(connection: Connection, tree: Path, test: Callable[[Job], int]) -> None:
    """Do each job that arrives in a process of its own, and send back the trial.

    Processes that it started are killed and files that it wrote are removed.
    """
    child = 0

    def stop(*_: object) -> None:
        if child:
            with suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
        os._exit(1)

    signal.signal(signal.SIGTERM, stop)
    folder = _scratch(tree)
    while True:
        try:
            job: Job = connection.recv()
        except EOFError:
            os._exit(0)
        folder.mkdir()
        child = os.fork()
        if not child:
            _do(job, folder, test)
        _, status = os.waitpid(child, 0)
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        child = 0
        output = (folder / "output").read_text("utf-8", "replace")
        while folder.exists():  # a process may still be ending
            shutil.rmtree(folder, ignore_errors=True)
        connection.send(Trial(os.waitstatus_to_exitcode(status), output))


def _do(job: Job, folder: Path, test: Callable[[Job], int]) -> None:
    """Do a job and end this process."""
    code = BROKEN
    try:
        os.setsid()  # so that all processes the tests start can be killed together
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.alarm(ceil(job.limits.wall))  # ends it even if its parent is gone
        seconds = ceil(job.limits.processor)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_SIZE, FILE_SIZE))
        output = os.open(folder / "output", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(output, 1)
        os.dup2(output, 2)
        tempfile.tempdir = str(folder)
        os.environ |= {"TMPDIR": str(folder)}
        os.environ.pop("COVERAGE_PROCESS_START", None)  # which measured the import
        code = test(job)
    except (KeyboardInterrupt, SystemExit, pytest.exit.Exception):
        code = 1  # a test that does not only fail
    except Exception:  # noqa: BLE001, the process ends in any case
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # threads that a test left behind may wait forever
