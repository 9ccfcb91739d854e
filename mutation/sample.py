"""A few mutants of all modules, others with each commit, to see whether tests notice them."""

import random
from collections.abc import Collection, Iterator, Mapping
from math import floor, sqrt

from mutation.accepted import Key, key
from mutation.mutants import Faults, Mutant

SIZE = 60

REQUIRED = 0.80
"""Of all mutants, but for those that are accepted, so large a share must be noticed. It only rises:
whoever finds that `make mutants` shows more raises it."""


def least_noticed(size: int = SIZE, required: float = REQUIRED) -> int:
    """Return how many of a sample must be noticed.

    Three standard deviations below what is required: where the share is what is required, one run
    in 500 fails by chance, and five percent above that one in 30,000; but a share that fell to half
    of it is seen in every run.
    """
    return floor(size * required - 3 * sqrt(size * required * (1 - required)))


def drawn(
    faults: Mapping[str, Faults], accepted: Collection[Key], size: int, seed: str
) -> list[Mutant]:
    """Return so many mutants, each as likely as any other, without those that are accepted."""
    numbers = [(module, n) for module, found in faults.items() for n in range(len(found))]
    random.Random(seed).shuffle(numbers)

    def wanted() -> Iterator[Mutant]:
        for module, n in numbers:
            mutant = faults[module][n]
            if key(mutant) not in accepted:
                yield mutant

    return [mutant for _, mutant in zip(range(size), wanted(), strict=False)]
