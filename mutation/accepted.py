"""Accepted survivors, each with a reason."""

import json
import tomllib
from collections.abc import Iterable
from pathlib import Path

from mutation.mutants import Mutant

FILE = Path(__file__).with_name("accepted.toml")

Key = tuple[str, str, str, str]
"""Module, function, and the lines before and after: changes elsewhere do not affect it."""


def key(mutant: Mutant) -> Key:
    """Return the key by which a survivor is accepted."""
    return mutant.module, mutant.function, mutant.before, mutant.after


def read_accepted(file: Path = FILE) -> dict[Key, str]:
    """Return the reason for each accepted survivor."""
    entries = tomllib.loads(file.read_text("utf-8")).get("mutant", [])
    return {
        (entry["module"], entry["function"], entry["before"], entry["after"]): entry["reason"]
        for entry in entries
    }


def to_toml(mutants: Iterable[Mutant]) -> str:
    """Return mutants as entries of accepted.toml, with empty reasons."""
    names = ("module", "function", "before", "after", "reason")
    return "\n".join(
        "[[mutant]]\n"
        + "".join(
            f"{name} = {json.dumps(value, ensure_ascii=False)}\n"
            for name, value in zip(names, (*key(mutant), ""), strict=True)
        )
        for mutant in mutants
    )
