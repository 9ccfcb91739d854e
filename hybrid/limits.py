"""What a filter asks of one value of a film: a number in a range, names among others."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from hybrid.movie import name_key

NumberField = Literal["year", "rating", "votes", "duration_minutes"]
"""The fields of `Movie` with a number that filters compare."""

NameField = Literal["genres", "countries", "languages", "directors", "cast"]
"""The fields of `Movie` with names that filters compare."""


@dataclass(frozen=True)
class Range:
    """The number is from `first` to `last`, inclusive; None: without a bound on that side."""

    field: NumberField
    first: float | None
    last: float | None

    def holds(self, value: float | None) -> bool:
        """Return whether a film with this number passes; one without a number does not."""
        if value is None or (self.first is not None and value < self.first):
            return False
        return self.last is None or value <= self.last


@dataclass(frozen=True)
class NameSet:
    """Any, all or none of the names are among those of the film; `keys` as `name_key` has them."""

    field: NameField
    keys: frozenset[str]
    match: Literal["any", "all", "none"] = "any"

    def holds(self, names: Collection[str]) -> bool:
        """Return whether a film with these names passes."""
        found = self.keys.intersection(map(name_key, names))
        if self.match == "all":
            return found == self.keys
        return bool(found) == (self.match == "any")
