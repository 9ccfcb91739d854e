"""Tests of many mutants, one per processor at a time; an interrupted run can be continued."""

import hashlib
import json
import os
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, nullcontext
from pathlib import Path
from queue import SimpleQueue
from threading import Lock

import click
from elasticsearch import Elasticsearch

from mutation.mutants import Mutant
from mutation.report import Result
from mutation.targets import ROOT, Target
from mutation.trials import Trial, apply_mutant, copies, trial, warm_up

RESULTS = ROOT / ".mutants"
"""The folder of results."""

SECONDS, TIMES = 5.0, 3.0
"""Time limit of a mutant in seconds, plus so many times what its tests take without it."""


class TestsFail(Exception):
    """The tests of a module fail without a mutant, so they cannot kill one."""


def test_all(mutants: Sequence[Mutant], targets: Mapping[str, Target]) -> list[Result]:
    """Return the results of mutants, in their order.

    Results for the same code and tests are reused. Raises TestsFail.
    """
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{_state()}.jsonl"
    known: dict[str, bool] = {}
    if file.exists():
        known = dict(map(json.loads, file.read_text("utf-8").splitlines()))

    def digest(mutant: Mutant) -> str:
        text = "\0".join((mutant.module, mutant.code, *targets[mutant.module].tests))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    new = [mutant for mutant in mutants if digest(mutant) not in known]
    if new:
        with file.open("a", encoding="utf-8") as out, click.progressbar(length=len(new)) as bar:
            for result in _run_trials(new, targets):
                known[digest(result.mutant)] = result.killed
                out.write(json.dumps([digest(result.mutant), result.killed]) + "\n")
                out.flush()
                bar.update(1)
    return [Result(mutant, known[digest(mutant)]) for mutant in mutants]


def _state() -> str:
    """Return a digest of the code and the tests."""
    folders = (ROOT / name for name in ("hybrid", "indexer", "tests"))
    digest = hashlib.sha256()
    for file in sorted(file for folder in folders for file in folder.rglob("*.py")):
        digest.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


class _Pool:
    """Copies of the project and an Elasticsearch, each used by one trial at a time."""

    def __init__(self, trees: Sequence[Path]) -> None:
        self._free: SimpleQueue[Path] = SimpleQueue()
        self._elasticsearch = Lock()
        for tree in trees:
            self._free.put(tree)

    def trial(self, target: Target, mutant: Mutant | None = None, seconds: float = 0) -> Trial:
        """Run a module's tests on a mutant of it, or on the unchanged module."""
        with self._elasticsearch if target.elasticsearch else nullcontext():
            tree = self._free.get()
            try:
                with apply_mutant(tree, mutant) if mutant else nullcontext():
                    return trial(tree, target.tests, seconds)
            finally:
                self._free.put(tree)
                if target.elasticsearch:
                    _clear()


def _run_trials(mutants: Sequence[Mutant], targets: Mapping[str, Target]) -> Iterator[Result]:
    """Yield results as they arrive, in no particular order."""
    workers = os.cpu_count() or 1
    used = {targets[mutant.module] for mutant in mutants}
    os.environ.pop("ELASTICSEARCH_URL", None)  # mutants may destroy its indices
    warm_up()
    with (
        copies(workers) as trees,
        _elasticsearch(any(target.elasticsearch for target in used)),
        ThreadPoolExecutor(workers) as pool,
    ):
        copies_in_use = _Pool(trees)

        def limit(target: Target) -> float:
            without = copies_in_use.trial(target)
            if without.killed:
                raise TestsFail(
                    f"{without.output}\n{target.module}: its tests fail without a mutant"
                )
            return SECONDS + TIMES * without.seconds

        def result(mutant: Mutant) -> Result:
            target = targets[mutant.module]
            return Result(mutant, copies_in_use.trial(target, mutant, limits[target]).killed)

        try:
            limits = dict(zip(used, pool.map(limit, used), strict=True))
            # Shuffled, so that trials with Elasticsearch seldom wait for each other.
            shuffled = random.Random(0).sample(mutants, len(mutants))
            for done in as_completed([pool.submit(result, mutant) for mutant in shuffled]):
                yield done.result()
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _elasticsearch(needed: bool) -> Iterator[None]:
    """Start an Elasticsearch for the mutants. Raises TestsFail if that is not possible."""
    if not needed:
        yield
        return
    from tests.elasticsearch_node import node

    if missing := node.missing():
        raise TestsFail(f"no Elasticsearch for the mutants: {missing}")
    with tempfile.TemporaryDirectory() as work, node.running(Path(work)) as running:
        os.environ["ELASTICSEARCH_URL"] = running.url
        yield


def _clear() -> None:
    """Delete the indices that a mutant left in Elasticsearch."""
    with Elasticsearch(os.environ["ELASTICSEARCH_URL"]) as client:
        for index in client.indices.get(index="*"):
            client.indices.delete(index=index)
