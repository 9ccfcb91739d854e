"""Functions that are imported get the code that they have in a mutant, without a new import."""

import gc
import sys
from collections.abc import Iterator, Mapping
from inspect import CO_OPTIMIZED
from pathlib import Path
from types import CodeType, FunctionType

from mutation.mutants import Mutant

Functions = Mapping[CodeType, list[FunctionType]]
"""Functions in memory by their code."""


def live_functions(tree: Path) -> Functions:
    """Return the functions of the project that are in memory."""
    found: dict[CodeType, list[FunctionType]] = {}
    for each in gc.get_objects():
        if isinstance(each, FunctionType) and each.__code__.co_filename.startswith(str(tree)):
            found.setdefault(each.__code__, []).append(each)
    return found


def exchange(tree: Path, mutant: Mutant, live: Functions) -> bool:
    """Give functions that are imported the code that they have in a mutant.

    Returns whether all were found. A module that is not imported will be when a test needs it.
    """
    if mutant.module.removesuffix(".py").replace("/", ".") not in sys.modules:
        return True
    file = str(tree / mutant.module)
    old = _functions(mutant.original, file)
    new = _functions(mutant.code, file)
    try:
        for before, after in zip(old, new, strict=True):
            if before != after:
                for function in live[before]:
                    function.__code__ = after
    except (KeyError, ValueError):  # not found, or with other free variables
        return False
    return True


def _functions(code: str, file: str) -> list[CodeType]:
    """Return the code of the functions and methods of a module, without those within functions."""

    def within(compiled: CodeType) -> Iterator[CodeType]:
        for constant in compiled.co_consts:
            if isinstance(constant, CodeType):
                if constant.co_flags & CO_OPTIMIZED:
                    yield constant
                else:
                    yield from within(constant)

    return list(within(compile(code, file, "exec")))
