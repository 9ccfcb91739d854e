"""The modules that are mutated, and the tests of each."""

import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILE = Path(__file__).with_name("modules.toml")


@dataclass(frozen=True)
class Target:
    """A module and pytest's arguments that select its tests.

    Targets whose tests use `elasticsearch` take turns: one mutant may delete what another wrote.
    """

    module: str
    tests: tuple[str, ...]
    elasticsearch: bool = False


def read_targets(modules: Collection[str] = ()) -> dict[str, Target]:
    """Return by module the targets of these modules, or of all if none is given.

    Raises ValueError if modules.toml names no tests for a module.
    """
    table = tomllib.loads(FILE.read_text("utf-8"))
    if unknown := set(modules) - table.keys():
        raise ValueError(f"{FILE.name} names no tests for {', '.join(sorted(unknown))}")
    return {
        module: Target(module, tuple(entry["tests"]), entry.get("elasticsearch", False))
        for module, entry in table.items()
        if not modules or module in modules
    }
