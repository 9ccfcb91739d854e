"""Mutation testing: which faults are made, how they are tested, and what is said of them."""

import signal
from math import comb
from pathlib import Path

import pytest

from mutation.accepted import key, read_accepted, to_toml
from mutation.mutants import MODULE_LEVEL, Faults, Mutant
from mutation.report import Result, Share, shares, stale, survivors
from mutation.sample import SIZE, draw_sample, min_killed
from mutation.targets import ROOT, read_targets
from mutation.trials import apply_mutant, trial
from tests.eventually import eventually

CODE = '''\
"""A module."""

LIMIT = 3
Names = dict[str, int]
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
        files = [test.partition("::")[0] for test in target.tests if test.startswith("tests/")]
        assert files
        assert all((ROOT / file).is_file() for file in files)
    assert all(read_accepted().values())
    with pytest.raises(ValueError, match=r"names no tests for hybrid/nothing\.py"):
        read_targets(["hybrid/nothing.py"])


def chance_of_failure(share: float) -> float:
    """Return how often a sample of mutants, of whom so large a share is killed, is too small."""
    return sum(comb(SIZE, n) * share**n * (1 - share) ** (SIZE - n) for n in range(min_killed()))


def test_the_floor_is_seldom_missed_by_chance() -> None:
    """What is required passes, a little more passes practically always, and half of it never."""
    assert min_killed(60, 0.8) == 38
    assert chance_of_failure(0.80) < 0.002
    assert chance_of_failure(0.85) < 0.0001
    assert chance_of_failure(0.40) > 0.999


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
    assert survivors(results, accepted) == [two]
    assert stale(results, accepted) == {key(four): "is killed", gone: "is no longer a mutant"}
    assert [line.split() for line in shares(results, accepted)] == [
        [name, "1", "of", "2", "50.0%", "2", "accepted"] for name in ("a.py", "all")
    ]


TEST = """\
import os, pathlib, subprocess, sys, tempfile, time
from twice import twice

def test_twice(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    print("started", process.pid)
    (tmp_path / "file").touch()
    pathlib.Path(tempfile.gettempdir(), "other").touch()
    assert twice(3) == 6

def test_endless():
    time.sleep(60)
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Give a project of one module and its tests."""
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / "twice.py").write_text("def twice(n):\n    return 2 * n\n")
    (folder / "test_twice.py").write_text(TEST)
    return folder


@pytest.mark.parametrize(("number", "code"), [(2, 0), (3, 1)])
def test_trials_leave_nothing_behind(tree: Path, number: int, code: int) -> None:
    """Whether a mutant is killed or not, what its tests started and wrote is gone."""
    mutant = Mutant("twice.py", "twice", "", "", f"def twice(n):\n    return {number} * n\n")
    original = (tree / "twice.py").read_text()
    with apply_mutant(tree, mutant):
        done = trial(tree, ["test_twice.py::test_twice", "-s"])
    assert (done.code, done.killed) == (code, code != 0), done.output
    process = done.output.partition("started ")[2].split()[0]
    eventually(lambda: not runs(process))
    assert (tree / "twice.py").read_text() == original
    assert [path.name for path in tree.parent.iterdir()] == ["tree"]


def runs(process: str) -> bool:
    """Whether a process is there, and not only waited for."""
    try:
        return Path("/proc", process, "stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


def test_what_takes_too_long_is_noticed(tree: Path) -> None:
    """A mutant that hangs is stopped."""
    done = trial(tree, ["test_twice.py::test_endless"], seconds=1)
    assert done.code == -signal.SIGALRM
    assert done.killed
    assert [path.name for path in tree.parent.iterdir()] == ["tree"]
