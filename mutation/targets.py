"""Which modules are mutated, and by which tests each of them is tested."""

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
    """Return the targets of these modules, of all where none are named, by module.

    Raises ValueError where a module has no tests in modules.toml.
    """
    table = tomllib.loads(FILE.read_text("utf-8"))
    if unknown := set(modules) - table.keys():
        raise ValueError(f"{FILE.name} names no tests for {', '.join(sorted(unknown))}")
    return {
        module: Target(module, tuple(entry["tests"]), entry.get("elasticsearch", False))
        for module, entry in table.items()
        if not modules or module in modules
    }
