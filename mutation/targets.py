"""The modules that are mutated, and the tests of each."""

import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILE = Path(__file__).with_name("modules.toml")


@dataclass(frozen=True)
class Target:
    """A module, and the tests about it: files, or patterns of ids, such as `test_a.py::*name*`."""

    module: str
    tests: tuple[str, ...]

    def has(self, test: str) -> bool:
        """Whether a test is about the module."""
        file = test.partition("::")[0]
        return any(one == file or fnmatchcase(test, one) for one in self.tests)


def read_targets(modules: Collection[str] = ()) -> dict[str, Target]:
    """Return by module the targets of these modules, or of all if none is given.

    Raises ValueError if modules.toml names no tests for a module.
    """
    table = tomllib.loads(FILE.read_text("utf-8"))
    if unknown := set(modules) - table.keys():
        raise ValueError(f"{FILE.name} names no tests for {', '.join(sorted(unknown))}")
    return {
        module: Target(module, tuple(tests))
        for module, tests in table.items()
        if not modules or module in modules
    }
