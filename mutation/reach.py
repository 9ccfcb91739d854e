"""Which lines of the mutated modules each test reaches, and how long it takes."""

import json
import os
from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from math import frexp
from pathlib import Path
from time import monotonic, process_time

import coverage
import pytest

from mutation.targets import read_targets

VARIABLE = "MUTATION_CONTEXT"
"""The environment variable that tells processes that a test starts for whom they run."""


@dataclass(frozen=True)
class Cost:
    """Seconds that a test or a fixture takes: by the clock, and of this process's time."""

    wall: float
    processor: float


@dataclass(frozen=True)
class ReachedLines:
    """By module and line: the tests that reach it, and the lines that an import reaches.

    `fixtures` are those that a test shares with others; tests and fixtures have `costs`.
    """

    costs: Mapping[str, Cost]
    fixtures: Mapping[str, tuple[str, ...]]
    tests: Mapping[str, Mapping[int, frozenset[str]]]
    imported: Mapping[str, frozenset[int]]

    def of(self, module: str, lines: Collection[int]) -> frozenset[str]:
        """Return the tests that reach any of these lines."""
        reached = self.tests.get(module, {})
        return frozenset().union(*(reached.get(line, ()) for line in lines))

    def to_json(self) -> str:
        """Return this as text."""
        numbers = {test: number for number, test in enumerate(self.fixtures)}
        tests = {
            module: {line: sorted(numbers[test] for test in of) for line, of in lines.items()}
            for module, lines in self.tests.items()
        }
        costs = {test: astuple(cost) for test, cost in self.costs.items()}
        imported = {module: sorted(lines) for module, lines in self.imported.items()}
        return json.dumps([costs, dict(self.fixtures), tests, imported])

    @classmethod
    def from_json(cls, text: str) -> "ReachedLines":
        """Return what was made a text."""
        costs, used, tests, imported = json.loads(text)
        names = list(used)
        return cls(
            {context: Cost(*cost) for context, cost in costs.items()},
            {test: tuple(names) for test, names in used.items()},
            {
                module: {
                    int(line): frozenset(names[number] for number in of)
                    for line, of in lines.items()
                }
                for module, lines in tests.items()
            },
            {module: frozenset(lines) for module, lines in imported.items()},
        )

    @classmethod
    def measured(cls, folder: Path) -> "ReachedLines":
        """Return what the processes that wrote to a folder measured."""
        costs: dict[str, Cost] = {}
        used: dict[str, tuple[str, ...]] = {}
        users: dict[str, set[str]] = {}
        for file in folder.glob("costs-*.json"):
            seconds, names = json.loads(file.read_text("utf-8"))
            costs |= {context: Cost(*cost) for context, cost in seconds.items()}
            for test, found in names.items():
                used[test] = tuple(found)
                for context in (test, *found):
                    users.setdefault(context, set()).add(test)
        reached: dict[str, dict[int, frozenset[str]]] = {}
        imported: dict[str, set[int]] = {}
        for file in folder.glob("lines.*"):
            data = coverage.CoverageData(str(file))
            data.read()
            for path in data.measured_files():
                module = path.rpartition("/tree/")[2]
                lines = reached.setdefault(module, {})
                for line, contexts in data.contexts_by_lineno(path).items():
                    if "" in contexts:
                        imported.setdefault(module, set()).add(line)
                    by = (users.get(context, ()) for context in contexts)
                    lines[line] = lines.get(line, frozenset()).union(*by)
        return cls(costs, used, reached, {module: frozenset(of) for module, of in imported.items()})

    def cost(self, tests: Collection[str]) -> Cost:
        """Return what tests take one after another: a fixture that they share is set up once."""
        contexts = {each for test in tests for each in (test, *self.fixtures[test])}
        costs = [self.costs[context] for context in contexts]
        return Cost(sum(cost.wall for cost in costs), sum(cost.processor for cost in costs))

    def first_within(self, seconds: float, tests: tuple[str, ...]) -> tuple[str, ...]:
        """Return the first tests that take no more processor time than this, or the first alone."""
        sizes = range(1, len(tests) + 1)
        size = bisect_right(sizes, seconds, key=lambda size: self.cost(tests[:size]).processor)
        return tests[: max(1, size)]

    def quickest_first(self, tests: Collection[str]) -> tuple[str, ...]:
        """Return tests in the order of their time, those of one file together where times are
        similar, so that they share fixtures."""

        def order(test: str) -> tuple[int, str, float]:
            wall = self.cost([test]).wall
            return max(frexp(wall)[1], -3), test.partition("::")[0], wall

        return tuple(sorted(tests, key=order))


def fixtures(item: pytest.Item) -> tuple[str, ...]:
    """Return the names of the fixtures of a test."""
    return tuple(getattr(item, "fixturenames", ()))


class Lines:
    """Measures the lines of the mutated modules that this process and its children run.

    Those that are run before the first test have no context.
    """

    def __init__(self, tree: Path, folder: Path) -> None:
        file = folder / "coverage.toml"
        if not file.exists():
            settings = {
                "include": [
                    str(tree.parent.parent / "*" / "tree" / name) for name in read_targets()
                ],
                "data_file": str(folder / "lines"),
                "context": f"${{{VARIABLE}-}}",
            }
            lines = "\n".join(f"{name} = {json.dumps(value)}" for name, value in settings.items())
            text = f'[tool.coverage.run]\nparallel = true\npatch = ["_exit", "fork"]\n{lines}\n'
            written = folder / f"coverage-{os.getpid()}"
            written.write_text(text, "utf-8")
            written.replace(file)
        os.environ["COVERAGE_PROCESS_START"] = str(file)
        self._coverage = coverage.Coverage(config_file=str(file))
        self._coverage.set_option("run:patch", [])  # those are for other processes
        self._coverage.start()

    def of(self, context: str) -> None:
        """Say for whom the lines that follow are run."""
        os.environ[VARIABLE] = context
        self._coverage.switch_context(context)

    def save(self) -> None:
        """Stop, and write what was measured."""
        self._coverage.stop()
        self._coverage.save()


class Reach:
    """A plugin of pytest that measures tests, and fixtures that several of them share.

    What such a fixture reaches counts for each test that uses it, and so does its time.
    """

    def __init__(self, tree: Path, folder: Path) -> None:
        self._lines = Lines(tree, folder)
        self._folder = folder
        self._costs: dict[str, Cost] = {}
        self._used: dict[str, list[str]] = {}
        self._stack: list[tuple[str, float, float]] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Measure a test."""
        with self._measure(item.nodeid):
            yield
        names = fixtures(item)
        shared = (context.rpartition("@") for context in self._costs if "@" in context)
        self._used[item.nodeid] = [
            f"{name}@{scope}"
            for name, _, scope in shared
            if name in names and item.nodeid.startswith(scope)
        ]

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: "pytest.FixtureDef[object]", request: pytest.FixtureRequest
    ) -> Iterator[None]:
        """Measure a fixture that several tests share."""
        if fixturedef.scope == "function":
            return (yield)
        with self._measure(f"{fixturedef.argname}@{request.node.nodeid}"):
            return (yield)

    @contextmanager
    def _measure(self, context: str) -> Iterator[None]:
        """Measure what is done; fixtures within count for themselves."""
        outer = self._stack[-1] if self._stack else None
        if outer:
            self._add(outer)
        self._begin(context)
        try:
            yield
        finally:
            self._add(self._stack.pop())
            if outer:
                self._stack.pop()
                self._begin(outer[0])

    def _begin(self, context: str) -> None:
        self._lines.of(context)
        self._stack.append((context, monotonic(), process_time()))

    def _add(self, begun: tuple[str, float, float]) -> None:
        context, wall, processor = begun
        before = self._costs.get(context, Cost(0, 0))
        self._costs[context] = Cost(
            before.wall + monotonic() - wall, before.processor + process_time() - processor
        )

    def save(self) -> None:
        """Write what was measured."""
        self._lines.save()
        costs = {context: astuple(cost) for context, cost in self._costs.items()}
        text = json.dumps([costs, self._used])
        (self._folder / f"costs-{os.getpid()}.json").write_text(text, "utf-8")
