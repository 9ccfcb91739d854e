"""What the writer of a keyword engine promises."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Protocol

from hybrid.movie import Movie
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.generation import Generation
from hybrid.storage.manifest import Lexical


@dataclass(frozen=True)
class Previous:
    """The generation that a change starts from, and its catalogue, which is open."""

    generation: Generation
    catalogue: Catalogue


class LexicalWriter(Protocol):
    """Writes the keyword side of one generation.

    `prepare` comes first, then `write`; after that `tidy` once the generation is published, or
    `discard` if it will not be.
    """

    def prepare(self, previous: Previous | None) -> None:
        """Start with an empty index, or with the films of `previous` without what crashes left.

        Called before the long work of embedding: raises EngineUnavailable if the engine cannot be
        reached, BuildFailed like `check_index`.
        """
        ...

    def write(self, movies: Iterable[Movie], gone: Collection[int], total: int) -> Lexical:
        """Add or replace `movies`, remove the ids `gone`, and make all films searchable.

        Returns what the manifest records, so that the index can be found again. Raises BuildFailed
        if a film is refused, or if the index does not hold `total` films afterwards. Called last in
        a change: an index that generations share shows its films to readers at once.
        """
        ...

    def discard(self) -> None:
        """Undo `prepare` and `write` outside the folder of the generation."""
        ...

    def tidy(self, kept: Collection[str], /) -> list[str]:
        """Delete what published generations do not need outside their folders.

        `kept` are the names of the indices, as manifests record them, that stay. Returns warnings
        for the user.
        """
        ...

    def check_index(self, generation: Generation) -> None:
        """Raise BuildFailed if the index of `generation` was deleted or replaced."""
        ...
