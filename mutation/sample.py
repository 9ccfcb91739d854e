"""A random sample of the mutants of all modules, different with each commit."""

import random
from collections.abc import Collection, Iterator, Mapping
from math import floor, sqrt

from mutation.accepted import Key, key
from mutation.mutants import Faults, Mutant

SIZE = 60

REQUIRED = 0.85
"""Required share of killed mutants, among those that are not accepted. Only raise it: to what
`make mutants` shows."""


def min_killed(size: int = SIZE, required: float = REQUIRED) -> int:
    """Return how many mutants of a sample must be killed.

    It is three standard deviations below the required share: if the true share is the required one,
    one run in 1,000 fails by chance, five percent above it one in 200,000; if the share falls to
    half, every run fails.
    """
    return floor(size * required - 3 * sqrt(size * required * (1 - required)))


def draw_sample(
    faults: Mapping[str, Faults], accepted: Collection[Key], size: int, seed: str
) -> list[Mutant]:
    """Return a random sample of `size` mutants that are not accepted."""
    numbers = [(module, n) for module, found in faults.items() for n in range(len(found))]
    random.Random(seed).shuffle(numbers)

    def wanted() -> Iterator[Mutant]:
        for module, n in numbers:
            mutant = faults[module][n]
            if key(mutant) not in accepted:
                yield mutant

    return [mutant for _, mutant in zip(range(size), wanted(), strict=False)]
