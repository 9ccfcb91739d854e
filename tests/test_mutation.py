"""Mutation testing: which faults are made, how they are tested, and what is said of them."""

import signal
from collections.abc import Iterator
from dataclasses import replace
from math import comb
from pathlib import Path

import pytest

from mutation.accepted import key, read_accepted, to_toml
from mutation.jobs import NOT_EXCHANGED, Job, Limits
from mutation.mutants import MODULE_LEVEL, Faults, Mutant
from mutation.reach import Cost, ReachedLines
from mutation.report import Result, Share, diffs, shares, stale, survivors
from mutation.runs import job_of
from mutation.sample import REQUIRED, SIZE, draw_sample, min_killed
from mutation.targets import ROOT, Target, read_targets
from mutation.trials import CollectionFails, Worker
from tests.eventually import eventually

CODE = '''\
"""A module."""

LIMIT = 3
Names = dict[str, int]
Place = str | Shelf
T = TypeVar("T")
Size = Annotated[int, Field(le=9, description="how large it is")]


class Shelf:
    """A class."""

    @property
    def full(self) -> bool | None:
        """Whether no more fits."""
        return self.count >= LIMIT

    def fill(self, names: list[str]) -> None:
        self.tidy()
        print("filled", 5)
        if not names:
            raise ValueError("no names" + str(1))
        self.put(dict(zip(names, self.places, strict=True)), sync=True)
'''


def test_faults_are_those_that_matter() -> None:
    """Constants, decorated functions and calls change; messages, types and assertions do not."""
    found = [(mutant.function, mutant.after) for mutant in Faults("shelf.py", CODE)]
    assert found == [
        (MODULE_LEVEL, "LIMIT = None"),
        (MODULE_LEVEL, "LIMIT = 4"),
        (MODULE_LEVEL, 'Size = Annotated[int, Field(description="how large it is")]'),
        (MODULE_LEVEL, 'Size = Annotated[int, Field(le=10, description="how large it is")]'),
        ("Shelf.full", "return self.count > LIMIT"),
        ("Shelf.fill", "..."),
        ("Shelf.fill", "if names:"),
        ("Shelf.fill", "..."),
        ("Shelf.fill", "self.put(None, sync=True)"),
        ("Shelf.fill", "self.put(dict(zip(names, self.places, strict=True)), )"),
        ("Shelf.fill", "self.put(dict(None), sync=True)"),
        ("Shelf.fill", "self.put(dict(zip(None, self.places, strict=True)), sync=True)"),
        ("Shelf.fill", "self.put(dict(zip(names, None, strict=True)), sync=True)"),
        ("Shelf.fill", "self.put(dict(zip(names, self.places, strict=True)), sync=False)"),
    ]


def test_a_mutant_is_the_module_with_one_fault() -> None:
    """Nothing else changes, and lines that are added above do not change what it is known by."""
    for mutant in Faults("shelf.py", CODE):
        assert mutant.code == CODE.replace(mutant.before, mutant.after)
    lower = Faults("shelf.py", f"# A comment.\n\nimport os\n{CODE}")
    assert [key(mutant) for mutant in lower] == [key(mutant) for mutant in Faults("shelf.py", CODE)]


def test_accepted_survivors_are_read_as_they_are_written(tmp_path: Path) -> None:
    """Whatever stands in the lines."""
    mutants = [
        Mutant("a.py", "f", 'x = "\\n"', "x = None", ""),
        Mutant("b.py", MODULE_LEVEL, "é = '''", "first\nsecond", ""),
    ]
    file = tmp_path / "accepted.toml"
    file.write_text(to_toml(mutants), "utf-8")
    assert read_accepted(file) == dict.fromkeys(map(key, mutants), "")


def test_the_lists_are_of_what_there_is() -> None:
    """Every module and test file exists, and every accepted survivor has a reason."""
    targets = read_targets()
    assert all((ROOT / module).is_file() for module in targets)
    for target in targets.values():
        assert target.tests
        assert all((ROOT / test.partition("::")[0]).is_file() for test in target.tests)
    assert all(read_accepted().values())
    with pytest.raises(ValueError, match=r"names no tests for hybrid/nothing\.py"):
        read_targets(["hybrid/nothing.py"])


def chance_of_failure(share: float) -> float:
    """Return how often a sample of mutants, of whom so large a share is killed, is too small."""
    return sum(comb(SIZE, n) * share**n * (1 - share) ** (SIZE - n) for n in range(min_killed()))


def test_the_floor_is_seldom_missed_by_chance() -> None:
    """What is required passes, a little more passes practically always, and half of it never."""
    assert min_killed(60, 0.8) == 38
    assert chance_of_failure(REQUIRED) < 0.002
    assert chance_of_failure(REQUIRED + 0.05) < 0.0001
    assert chance_of_failure(REQUIRED / 2) > 0.999


def test_samples_change_with_their_seed() -> None:
    """Equal seeds draw alike, others otherwise; what is accepted is never drawn."""
    faults = {"a.py": Faults("a.py", CODE), "b.py": Faults("b.py", CODE)}
    first = draw_sample(faults, (), 8, "one")
    assert draw_sample(faults, (), 8, "one") == first
    assert draw_sample(faults, (), 8, "two") != first
    rest = draw_sample(faults, [key(mutant) for mutant in first], 100, "one")
    assert not {key(mutant) for mutant in first} & {key(mutant) for mutant in rest}
    assert {mutant.module for mutant in rest} == {"a.py", "b.py"}


def test_what_is_said_of_results() -> None:
    """Accepted survivors count as that alone; entries that should go are named."""
    one, two, three, four = (Mutant("a.py", "f", "x = 1", f"x = {n}", "") for n in range(4))
    gone = ("a.py", "f", "y = 1", "y = 2")
    results = [Result(one, True), Result(two, False), Result(three, False), Result(four, True)]
    accepted = [key(three), key(four), gone]
    assert Share.of(results, accepted) == Share(killed=1, total=2, accepted=2)
    assert survivors(results, accepted) == [Result(two, False)]
    assert list(diffs([Result(two, killed=False, reached=False)])) == [
        "a.py, f: no test reaches",
        "  - x = 1",
        "  + x = 1",
    ]
    assert stale(results, accepted) == {key(four): "is killed", gone: "is no longer a mutant"}
    assert [line.split() for line in shares(results, accepted)] == [
        [name, "1", "of", "2", "50.0%", "2", "accepted"] for name in ("a.py", "all")
    ]


MODULE = """\
TIMES = 2

def twice(n):
    if n > 100:
        n = 100
    return TIMES * n

def never(n):
    return n
"""

TEST = """\
import os, pathlib, subprocess, sys, tempfile, time
import pytest
from hybrid.bounds import twice

@pytest.fixture(scope="module")
def large():
    return twice(200)

def test_twice(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    print("started", process.pid)
    (tmp_path / "file").touch()
    pathlib.Path(tempfile.gettempdir(), "other").touch()
    assert twice(3) == 6

def test_large(large):
    assert large == 200

def test_also_large(large):
    pass

def test_in_a_process():
    code = "from hybrid.bounds import twice; twice(101)"
    subprocess.run([sys.executable, "-c", code], check=True)

def test_endless():
    while True:
        pass

def test_waiting():
    subprocess.run(["sleep", "60"])
"""

TESTS = "test_twice.py::"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a project of one module, under the name of one that is mutated, and its tests."""
    folder = tmp_path_factory.mktemp("mutated") / "tree"
    (folder / "hybrid").mkdir(parents=True)
    (folder / "hybrid" / "__init__.py").touch()
    (folder / "hybrid" / "bounds.py").write_text(MODULE)
    (folder / "test_twice.py").write_text(TEST)
    return folder


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of what the worker measures."""
    return tmp_path_factory.mktemp("measured")


@pytest.fixture(scope="module")
def worker(tree: Path, measured: Path) -> Iterator[Worker]:
    """Give a worker for the project."""
    started = Worker(tree, ["test_twice.py"], measured)
    names = "twice large also_large in_a_process endless waiting".split()
    assert list(started.tests()) == [f"{TESTS}test_{name}" for name in names]
    yield started
    started.close()


def fault(before: str, after: str) -> Mutant:
    """Return a fault in the project."""
    code = MODULE.replace(before, after)
    return Mutant("hybrid/bounds.py", "", before, after, code, MODULE)


@pytest.mark.parametrize("anew", [False, True])
@pytest.mark.parametrize(("after", "code"), [("TIMES + n", 1), ("n * TIMES", 0)])
def test_trials_leave_nothing_behind(
    worker: Worker, tree: Path, after: str, code: int, anew: bool
) -> None:
    """Whether a mutant is killed or not, what its tests started and wrote is gone."""
    job = Job((f"{TESTS}test_large", f"{TESTS}test_twice"), fault("TIMES * n", after), anew)
    done = worker.trial(job)
    assert (done.code, done.killed) == (code, code != 0), done.output
    process = worker.trial(replace(job, tests=job.tests[1:])).output.partition("started ")[2]
    eventually(lambda: not runs(process.split()[0]))
    assert (tree / "hybrid" / "bounds.py").read_text() == MODULE
    assert not {path.name for path in tree.parent.iterdir()} - {"tree", "output"}


def test_a_constant_needs_a_new_import(worker: Worker) -> None:
    """As does a function that is not there as it was."""
    test = (f"{TESTS}test_twice",)
    assert not worker.trial(Job(test, fault("TIMES = 2", "TIMES = 3"))).killed
    assert worker.trial(Job(test, fault("TIMES = 2", "TIMES = 3"), anew=True)).killed
    elsewhere = replace(fault("TIMES * n", "3 * n"), original=MODULE.replace("> 100", "> 99"))
    assert worker.trial(Job(test, elsewhere)).code == NOT_EXCHANGED


def runs(process: str) -> bool:
    """Whether a process is there, and not only waited for."""
    try:
        return Path("/proc", process, "stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(
    ("test", "limits", "signalled"),
    [
        ("endless", Limits(processor=1), signal.SIGXCPU),
        ("waiting", Limits(wall=1), signal.SIGALRM),
    ],
)
def test_what_takes_too_long_is_noticed(
    worker: Worker, test: str, limits: Limits, signalled: int
) -> None:
    """A mutant that computes or waits without end is stopped."""
    done = worker.trial(Job((f"{TESTS}test_{test}",), fault("", ""), limits=limits))
    assert -done.code in (signalled, signal.SIGKILL)
    assert done.killed


def test_which_tests_reach_a_line(worker: Worker, measured: Path) -> None:
    """In their process, in one that they start, or by a fixture that they share."""
    names = [f"{TESTS}test_{name}" for name in ("twice", "large", "also_large", "in_a_process")]
    done = worker.trial(Job(tuple(names)))
    assert not done.killed, done.output
    reached = ReachedLines.from_json(ReachedLines.measured(measured).to_json())
    assert reached.of("hybrid/bounds.py", [4]) == set(names)
    assert reached.of("hybrid/bounds.py", [5]) == set(names[1:])
    assert reached.of("hybrid/bounds.py", [9]) == set()
    assert reached.imported["hybrid/bounds.py"] == {1, 3, 8}
    shared = "large@test_twice.py"
    assert [name for name in names if shared in reached.fixtures[name]] == names[1:3]
    assert reached.fixtures.keys() == set(names)
    assert reached.costs.keys() >= {*names, shared}
    assert all(cost.wall > 0 for cost in reached.costs.values())


def test_the_tests_of_a_mutant() -> None:
    """Those of its module that reach its line, the quickest first; all if an import reaches it."""
    costs = {"a.py::slow": Cost(6, 5), "a.py::quick": Cost(1, 1), "b.py::other": Cost(1, 1)}
    lines = {4: frozenset(costs), 9: frozenset(["a.py::quick"])}
    reached = ReachedLines(
        costs, dict.fromkeys(costs, ()), {"m.py": lines}, {"m.py": frozenset([1])}
    )
    jobs = [job_at(line, reached) for line in (4, 9, 7, 1)]
    chosen = [job and (job.tests, job.anew) for job in jobs]
    both = ("a.py::quick", "a.py::slow")
    assert chosen == [(both, False), (both[:1], False), None, (both, True)]
    assert jobs[0]
    assert jobs[0].limits == Limits(processor=10 + 5 * 6, wall=30 + 5 * 7)


@pytest.mark.parametrize(
    ("index", "chosen"), [(4, ("first", "second")), (6, ("first",)), (99, ("first",))]
)
def test_tests_take_ten_seconds_at_most(index: float, chosen: tuple[str, ...]) -> None:
    """A fixture that tests share counts once; one test takes as long as it needs."""
    costs = {"a.py::first": Cost(1, 2), "a.py::second": Cost(2, 3), "a.py::third": Cost(3, 4)}
    reached = ReachedLines(
        costs | {"index@a.py": Cost(1, index)},
        dict.fromkeys(costs, ("index@a.py",)),
        {"m.py": {4: frozenset(costs)}},
        {},
    )
    job = job_at(4, reached)
    assert job
    assert job.tests == tuple(f"a.py::{name}" for name in chosen)


def job_at(line: int, reached: ReachedLines) -> Job | None:
    """Return the tests of a mutant at a line of a module about which a.py is."""
    mutant = Mutant("m.py", "f", "", "", "", "", (line, line))
    return job_of(mutant, Target("m.py", ("a.py",)), reached)


def test_a_statement_is_known_by_its_lines() -> None:
    """All lines of a statement, or of the head of one that contains others."""
    code = "def f(a,\n      b=1):\n    if (a or\n            b):\n        g(\n            2)\n"
    lines = {mutant.after: mutant.lines for mutant in Faults("m.py", code)}
    assert lines == {
        "b=2):": (1, 2),
        "if (a and b):": (3, 4),
        "...": (5, 6),
        "3)": (5, 6),
    }


def test_what_does_not_import_is_said(tmp_path: Path) -> None:
    """With what pytest prints of it."""
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "test_wrong.py").write_text("import missing_module")
    worker = Worker(tree, ["test_wrong.py"])
    with pytest.raises(CollectionFails, match="missing_module"):
        worker.tests()
    worker.close()


def test_a_worker_is_closed_at_once(worker: Worker, tree: Path) -> None:
    """With whatever its tests do."""
    connection = worker.start(Job((f"{TESTS}test_twice", f"{TESTS}test_waiting"), fault("", "")))
    output = tree.parent / "scratch" / "output"
    eventually(lambda: output.exists() and "started" in output.read_text())
    process = output.read_text().partition("started ")[2].split()[0]
    worker.close()
    assert connection.closed
    eventually(lambda: not runs(process))
