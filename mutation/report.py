"""What became of mutants, in lines for the terminal."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from mutation.accepted import Key, key
from mutation.mutants import Mutant


@dataclass(frozen=True)
class Result:
    """Whether the tests of its module noticed a mutant."""

    mutant: Mutant
    noticed: bool


@dataclass(frozen=True)
class Share:
    """How many of the mutants were noticed that must be, and how many need not be."""

    noticed: int
    total: int
    accepted: int

    @classmethod
    def of(cls, results: Iterable[Result], accepted: Collection[Key]) -> "Share":
        """Count results: an accepted mutant counts only as that."""
        counted = [result for result in results if key(result.mutant) not in accepted]
        noticed = sum(result.noticed for result in counted)
        return cls(noticed, len(counted), len(list(results)) - len(counted))

    def __str__(self) -> str:
        share = f"{self.noticed / self.total:6.1%}" if self.total else "   -  "
        return f"{self.noticed:5} of {self.total:5} {share}   {self.accepted:3} accepted"


def survivors(results: Iterable[Result], accepted: Collection[Key]) -> list[Mutant]:
    """Return the mutants that went unnoticed and are not accepted."""
    return [
        result.mutant
        for result in results
        if not result.noticed and key(result.mutant) not in accepted
    ]


def stale(results: Collection[Result], accepted: Collection[Key]) -> dict[Key, str]:
    """Return the entries that should leave the list, with the reason."""
    noticed = {key(result.mutant): result.noticed for result in results}
    found = {entry: "is noticed" for entry in accepted if noticed.get(entry)}
    return found | {entry: "is no mutant any more" for entry in accepted if entry not in noticed}


def shares(results: Collection[Result], accepted: Collection[Key]) -> Iterator[str]:
    """Give a line for each module, and one for all."""
    by_module: dict[str, list[Result]] = {}
    for result in results:
        by_module.setdefault(result.mutant.module, []).append(result)
    for module, found in sorted(by_module.items()):
        yield f"{module:40} {Share.of(found, accepted)}"
    yield f"{'all':40} {Share.of(results, accepted)}"


def diffs(mutants: Iterable[Mutant]) -> Iterator[str]:
    """Give the lines of mutants as they would stand in a patch."""
    for mutant in mutants:
        yield f"{mutant.module}, {mutant.function}:"
        yield from (f"  - {line}" for line in mutant.before.splitlines())
        yield from (f"  + {line}" for line in mutant.after.splitlines())


def reasons(entries: Mapping[Key, str]) -> Iterator[str]:
    """Give the lines of entries that should leave the list."""
    for (module, function, before, after), reason in entries.items():
        yield f"{module}, {function}: {before!r} -> {after!r} {reason}"
