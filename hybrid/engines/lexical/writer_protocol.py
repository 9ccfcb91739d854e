"""The seams: what a keyword engine and a semantic engine promise.

tests/engines/ holds the contract suite that every engine passes.
"""

from collections.abc import Collection
from typing import Protocol

from hybrid.movie import Movie
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.generation import Generation
from hybrid.storage.manifest import Lexical


class LexicalWriter(Protocol):
    """Writes the keyword side of one generation."""

    def create(self) -> None:
        """Make an empty index: an engine that is away is noticed before the long work begins."""
        ...

    def write(self, movies: Collection[Movie]) -> None:
        """Index every film and make all searchable. Raises BuildFailed if one is missing."""
        ...

    def check_base(self, base: Generation) -> None:
        """Return if the index of `base` is the one that was written for it.

        Raises BuildFailed where it was removed or replaced.
        """
        ...

    def mend(self, base: Generation, catalogue: Catalogue) -> None:
        """Undo what others left half-done in the index of `base`, whose catalogue this is.

        Raises like `check_base`.
        """
        ...

    def take_over(self, base: Generation) -> None:
        """Begin with what the generation `base` holds, instead of an empty index."""
        ...

    def change(self, movies: Collection[Movie], gone: Collection[int], films: int) -> None:
        """Replace or add `movies`, remove `gone`, and make all that searchable.

        Raises BuildFailed if there are not as many `films` afterwards.
        """
        ...

    def manifest(self) -> Lexical:
        """Return what the manifest records, to find what was written again."""
        ...

    def discard(self) -> None:
        """Remove what was written; the catalogue given to `mend` is still open."""
        ...

    def tidy(self, kept: Collection[str]) -> list[str]:
        """Tidy up once readers see this generation.

        `kept` are the indices, as manifests record them, that stay. Returns warnings for the user.
        """
        ...
