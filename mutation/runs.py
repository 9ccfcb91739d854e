"""Many mutants tested, as many at once as there are processors; a run that was stopped goes on."""

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
from mutation.trials import Trial, copies, mutated, trial, warm_up

KEPT = ROOT / ".mutants"
"""The folder of results."""

SECONDS, TIMES = 5.0, 3.0
"""A mutant may take so long, and so many times what its tests take without it."""


class TestsFail(Exception):
    """Tests that fail without a mutant cannot notice one."""


def tested(mutants: Sequence[Mutant], targets: Mapping[str, Target]) -> list[Result]:
    """Return the results of mutants, in their order.

    What is known of the code and the tests as they are now is not tested again. Raises TestsFail.
    """
    KEPT.mkdir(exist_ok=True)
    file = KEPT / f"{_state()}.jsonl"
    known: dict[str, bool] = {}
    if file.exists():
        known = dict(map(json.loads, file.read_text("utf-8").splitlines()))

    def digest(mutant: Mutant) -> str:
        text = "\0".join((mutant.module, mutant.code, *targets[mutant.module].tests))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    new = [mutant for mutant in mutants if digest(mutant) not in known]
    if new:
        with file.open("a", encoding="utf-8") as out, click.progressbar(length=len(new)) as bar:
            for result in _tried(new, targets):
                known[digest(result.mutant)] = result.noticed
                out.write(json.dumps([digest(result.mutant), result.noticed]) + "\n")
                out.flush()
                bar.update(1)
    return [Result(mutant, known[digest(mutant)]) for mutant in mutants]


def _state() -> str:
    """Return the digest of the code and the tests."""
    folders = (ROOT / name for name in ("hybrid", "indexer", "tests"))
    digest = hashlib.sha256()
    for file in sorted(file for folder in folders for file in folder.rglob("*.py")):
        digest.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


class _Bench:
    """Copies of the project, each used by one trial at a time, and one Elasticsearch likewise."""

    def __init__(self, trees: Sequence[Path]) -> None:
        self._free: SimpleQueue[Path] = SimpleQueue()
        self._elasticsearch = Lock()
        for tree in trees:
            self._free.put(tree)

    def trial(self, target: Target, mutant: Mutant | None = None, seconds: float = 0) -> Trial:
        """Run a module's tests on a mutant of it, or on the module as it is."""
        with self._elasticsearch if target.elasticsearch else nullcontext():
            tree = self._free.get()
            try:
                with mutated(tree, mutant) if mutant else nullcontext():
                    return trial(tree, target.tests, seconds)
            finally:
                self._free.put(tree)
                if target.elasticsearch:
                    _clear()


def _tried(mutants: Sequence[Mutant], targets: Mapping[str, Target]) -> Iterator[Result]:
    """Give results as they come, in no order."""
    workers = os.cpu_count() or 1
    used = {targets[mutant.module] for mutant in mutants}
    os.environ.pop("ELASTICSEARCH_URL", None)  # mutants may ruin what is there
    warm_up()
    with (
        copies(workers) as trees,
        _elasticsearch(any(target.elasticsearch for target in used)),
        ThreadPoolExecutor(workers) as pool,
    ):
        bench = _Bench(trees)

        def limit(target: Target) -> float:
            without = bench.trial(target)
            if without.noticed:
                raise TestsFail(f"{without.output}\n{target.module}: its tests fail as it is")
            return SECONDS + TIMES * without.seconds

        def result(mutant: Mutant) -> Result:
            target = targets[mutant.module]
            return Result(mutant, bench.trial(target, mutant, limits[target]).noticed)

        try:
            limits = dict(zip(used, pool.map(limit, used), strict=True))
            # In any order, so that those that take turns seldom wait for each other.
            shuffled = random.Random(0).sample(mutants, len(mutants))
            for done in as_completed([pool.submit(result, mutant) for mutant in shuffled]):
                yield done.result()
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _elasticsearch(needed: bool) -> Iterator[None]:
    """Start an Elasticsearch for the mutants."""
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
    """Delete what a mutant left in Elasticsearch."""
    with Elasticsearch(os.environ["ELASTICSEARCH_URL"]) as client:
        for index in client.indices.get(index="*"):
            client.indices.delete(index=index)
