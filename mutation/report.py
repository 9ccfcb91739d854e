"""The results of mutants, as lines for the terminal."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from mutation.accepted import Key, key
from mutation.mutants import Mutant


@dataclass(frozen=True)
class Result:
    """Whether the tests of its module killed a mutant, and whether any of them reaches it."""

    mutant: Mutant
    killed: bool
    reached: bool = True


@dataclass(frozen=True)
class Share:
    """How many mutants were killed, of those that are not accepted as survivors."""

    killed: int
    total: int
    accepted: int

    @classmethod
    def of(cls, results: Iterable[Result], accepted: Collection[Key]) -> "Share":
        """Count results; an accepted mutant counts only as accepted."""
        counted = [result for result in results if key(result.mutant) not in accepted]
        killed = sum(result.killed for result in counted)
        return cls(killed, len(counted), len(list(results)) - len(counted))

    def __str__(self) -> str:
        share = f"{self.killed / self.total:6.1%}" if self.total else "   -  "
        return f"{self.killed:5} of {self.total:5} {share}   {self.accepted:3} accepted"


def survivors(results: Iterable[Result], accepted: Collection[Key]) -> list[Result]:
    """Return the results of mutants that were not killed and are not accepted."""
    return [
        result for result in results if not result.killed and key(result.mutant) not in accepted
    ]


def stale(results: Collection[Result], accepted: Collection[Key]) -> dict[Key, str]:
    """Return the accepted entries that should be removed, with the reason."""
    killed = {key(result.mutant): result.killed for result in results}
    found = {entry: "is killed" for entry in accepted if killed.get(entry)}
    return found | {entry: "is no longer a mutant" for entry in accepted if entry not in killed}


def shares(results: Collection[Result], accepted: Collection[Key]) -> Iterator[str]:
    """Yield a line for each module, and one for all."""
    by_module: dict[str, list[Result]] = {}
    for result in results:
        by_module.setdefault(result.mutant.module, []).append(result)
    for module, found in sorted(by_module.items()):
        yield f"{module:40} {Share.of(found, accepted)}"
    yield f"{'all':40} {Share.of(results, accepted)}"


def diffs(results: Iterable[Result]) -> Iterator[str]:
    """Yield the lines of mutants as a diff."""
    for result in results:
        mutant = result.mutant
        yield f"{mutant.module}, {mutant.function}:{'' if result.reached else ' no test reaches'}"
        yield from (f"  - {line}" for line in mutant.before.splitlines())
        yield from (f"  + {line}" for line in mutant.after.splitlines())


def reasons(entries: Mapping[Key, str]) -> Iterator[str]:
    """Yield the lines on entries that should be removed."""
    for (module, function, before, after), reason in entries.items():
        yield f"{module}, {function}: {before!r} -> {after!r} {reason}"
