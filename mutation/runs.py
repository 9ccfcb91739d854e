"""Tests of many mutants, one per processor at a time; an interrupted run can be continued."""

import hashlib
import json
import os
import random
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import cast

import click
from elasticsearch import Elasticsearch

from mutation.jobs import BROKEN, NOT_EXCHANGED, Job, Limits, Trial
from mutation.mutants import Mutant
from mutation.reach import ReachedLines
from mutation.report import Result
from mutation.targets import ROOT, Target
from mutation.trials import CollectionFails, Worker, apply_mutant, copies, warm_up

RESULTS = ROOT / ".mutants"
"""The folder of results."""

SECONDS, WAITING, TIMES = 10.0, 30.0, 5.0
"""Limit of a mutant's processor time in seconds, and by the clock, each plus so many times what its
tests take without it."""

PATIENCE = 10.0
"""Seconds of processor time for the tests of a mutant: the quickest that reach its line. Most of a
run would otherwise be slow tests, on mutants that none of them notices."""


class TestsFail(Exception):
    """The tests fail without a mutant, so they cannot kill one."""


def test_all(mutants: Sequence[Mutant], targets: Mapping[str, Target]) -> list[Result]:
    """Return the results of mutants, in their order.

    Results for the same code and tests are reused. Raises TestsFail.
    """
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{_state()}.jsonl"
    known: dict[str, tuple[bool, bool]] = {}
    if file.exists():
        rows = map(json.loads, file.read_text("utf-8").splitlines())
        known = {digest: (killed, reached) for digest, killed, reached in rows}

    def digest(mutant: Mutant) -> str:
        return _digest(mutant.module, mutant.code, *targets[mutant.module].tests)

    new = [mutant for mutant in mutants if digest(mutant) not in known]
    if new:
        with file.open("a", encoding="utf-8") as out, click.progressbar(length=len(new)) as bar:
            for result in _run_trials(new, targets):
                known[digest(result.mutant)] = result.killed, result.reached
                row = digest(result.mutant), result.killed, result.reached
                out.write(json.dumps(row) + "\n")
                out.flush()
                bar.update(1)
    return [Result(mutant, *known[digest(mutant)]) for mutant in mutants]


def _state() -> str:
    """Return a digest of the code and the tests."""
    folders = (ROOT / name for name in ("hybrid", "indexer", "tests"))
    digest = hashlib.sha256()
    for file in sorted(file for folder in folders for file in folder.rglob("*.py")):
        digest.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def _run_trials(mutants: Sequence[Mutant], targets: Mapping[str, Target]) -> Iterator[Result]:
    """Yield results as they arrive, in no particular order."""
    used = sorted({test for mutant in mutants for test in targets[mutant.module].tests})
    files = list(dict.fromkeys(test.partition("::")[0] for test in used))
    known = RESULTS / f"{_state()}-{_digest(*used)}.json"
    os.environ.pop("ELASTICSEARCH_URL", None)  # mutants may destroy its indices
    warm_up()
    with ExitStack() as stack:
        measured = None if known.exists() else Path(stack.enter_context(_temporary()))
        trees = stack.enter_context(copies(os.cpu_count() or 1))
        stack.enter_context(_elasticsearch(any("elasticsearch" in test for test in used)))
        pool = _Pool(stack, trees, files, measured)
        if measured:
            chosen = [test for test in pool.fixtures if any(t.has(test) for t in targets.values())]
            pool.measure(chosen)
            known.write_text(ReachedLines.measured(measured).to_json(), "utf-8")
        reached = ReachedLines.from_json(known.read_text("utf-8"))
        # Shuffled, so that trials with Elasticsearch seldom wait for each other.
        jobs = []
        for mutant in random.Random(0).sample(mutants, len(mutants)):
            if job := job_of(mutant, targets[mutant.module], reached):
                jobs.append(job)
            else:
                yield Result(mutant, killed=False, reached=False)
        for job, trial in pool.trials(jobs):
            if job.mutant:
                yield Result(job.mutant, trial.killed)


def job_of(mutant: Mutant, target: Target, reached: ReachedLines) -> Job | None:
    """Return the tests of a mutant, or None if no test reaches it.

    What runs when a module is imported may matter to every test of the module.
    """
    lines = range(mutant.lines[0], mutant.lines[1] + 1)
    anew = not reached.imported.get(mutant.module, frozenset()).isdisjoint(lines)
    found = reached.fixtures.keys() if anew else reached.of(mutant.module, lines)
    tests = reached.quickest_first([test for test in found if target.has(test)])
    if not tests:
        return None
    tests = reached.first_within(PATIENCE, tests)
    cost = reached.cost(tests)
    limits = Limits(SECONDS + TIMES * cost.processor, WAITING + TIMES * cost.wall)
    return Job(tests, mutant, anew, limits)


class _Pool:
    """Workers, of whom one at a time uses Elasticsearch: a mutant may delete what another wrote.

    Raises TestsFail.
    """

    def __init__(
        self,
        stack: ExitStack,
        trees: Sequence[Path],
        files: Sequence[str],
        measured: Path | None,
    ) -> None:
        self._workers = {}
        for tree in trees:
            self._workers[tree] = Worker(tree, files, measured)
            stack.callback(self._workers[tree].close)
        try:
            for worker in self._workers.values():
                self.fixtures = worker.tests()
        except CollectionFails as error:
            raise TestsFail(f"{error}\nthe tests cannot be collected") from error

    def measure(self, tests: Collection[str]) -> None:
        """Measure which lines tests reach, a file at a time."""
        by_file: dict[str, list[str]] = {}
        for test in tests:
            by_file.setdefault(test.partition("::")[0], []).append(test)
        for job, done in self.trials([Job(tuple(tests)) for tests in by_file.values()]):
            if done.killed:
                file = job.tests[0].partition("::")[0]
                raise TestsFail(f"{done.output}\n{file}: tests fail without a mutant")

    def trials(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Trial]]:
        """Yield jobs and their trials as they are done."""
        waiting = list(jobs)
        free = list(self._workers)
        busy: dict[Connection, tuple[Path, Job, ExitStack]] = {}
        try:
            while waiting or busy:
                while free and (job := self._next(waiting, [job for _, job, _ in busy.values()])):
                    tree, applied = free.pop(), ExitStack()
                    if job.mutant:
                        applied.enter_context(apply_mutant(tree, job.mutant))
                    busy[self._workers[tree].start(job)] = tree, job, applied
                for connection in cast(list[Connection], wait(busy)):
                    tree, job, applied = busy.pop(connection)
                    trial: Trial = connection.recv()
                    applied.close()
                    free.append(tree)
                    if self._elasticsearch(job):
                        _clear()
                    if trial.code == BROKEN:
                        raise RuntimeError(trial.output)
                    if trial.code == NOT_EXCHANGED and not job.anew:
                        waiting.insert(0, Job(job.tests, job.mutant, True, job.limits))
                    else:
                        yield job, trial
        finally:
            for _, _, applied in busy.values():
                applied.close()

    def _next(self, waiting: list[Job], busy: Collection[Job]) -> Job | None:
        """Take the next job out of those that wait."""
        taken = any(map(self._elasticsearch, busy))
        for number, job in enumerate(waiting):
            if not (taken and self._elasticsearch(job)):
                return waiting.pop(number)
        return None

    def _elasticsearch(self, job: Job) -> bool:
        return any(
            "elasticsearch" in name for test in job.tests for name in (test, *self.fixtures[test])
        )


def _temporary() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="reach-")


@contextmanager
def _elasticsearch(required: bool) -> Iterator[None]:
    """Start an Elasticsearch for the mutants, where that is possible.

    Tests use it by a fixture or a parameter, too, whatever their files are called. Raises TestsFail
    if it is required and not possible.
    """
    from tests.elasticsearch_node import node

    missing = node.missing()
    if missing and required:
        raise TestsFail(f"no Elasticsearch for the mutants: {missing}")
    if missing:
        yield
        return
    with tempfile.TemporaryDirectory() as work, node.running(Path(work)) as running:
        os.environ["ELASTICSEARCH_URL"] = running.url
        yield


def _clear() -> None:
    """Delete the indices that a mutant left in Elasticsearch, if there is one."""
    url = os.environ.get("ELASTICSEARCH_URL")
    if url is None:
        return
    with Elasticsearch(url) as client:
        for index in client.indices.get(index="*"):
            client.indices.delete(index=index)
