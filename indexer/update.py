"""Changing what is published: single films by id, or all of them to what a source holds."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from hybrid.errors import BuildFailed, EngineUnavailable, NotFound
from hybrid.movie import Movie, content_hash
from hybrid.stopwatch import Stopwatch
from hybrid.storage import generation as files
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.generation import Generation, open_current, open_described, published
from hybrid.storage.manifest import Manifest
from indexer.backends import Backends
from indexer.change import Changes, make
from indexer.embedding.embed import EmbeddingStats
from indexer.films.matching import match_ids
from indexer.generations.cleanup import recover, tidy
from indexer.generations.lock import PATIENCE, deployment_id, writer_lock
from indexer.generations.publish import publish_previous

if TYPE_CHECKING:
    from indexer.films.film_file import SourceFile

NOTHING = EmbeddingStats(0, 0, 0)

HandChanges = Literal["keep", "discard"]
"""What becomes of films that were changed by hand where a source is followed."""


@dataclass(frozen=True)
class UpdateResult:
    """What a change did, or that there was nothing to do: then `manifest` is what it was.

    `kept` and `discarded` count the changes by hand that a change by a source found.
    """

    published: bool
    manifest: Manifest
    added: int
    changed: int
    removed: int
    unchanged: int
    kept: int
    discarded: int
    embedded: EmbeddingStats
    seconds: dict[str, float]
    warnings: list[str]


def upsert(movies: Iterable[Movie]) -> Callable[[Catalogue], Changes]:
    """Return the change that adds `movies`, or replaces those of the same ids."""

    def changes(catalogue: Catalogue) -> Changes:
        contents = catalogue.contents()
        return Changes(_new(movies, contents), ())

    return changes


def delete(ids: Iterable[int]) -> Callable[[Catalogue], Changes]:
    """Return the change that removes films. It raises NotFound, naming those that are not there."""

    def changes(catalogue: Catalogue) -> Changes:
        wanted = np.array(sorted(set(ids)), np.int64)
        unknown = wanted[catalogue.columns.rows_of(wanted) < 0].tolist()
        if unknown:
            named = ", ".join(map(str, unknown[:10]))
            raise NotFound(f"there is no film with the id {named}", {"id": "unknown"})
        return Changes((), tuple(wanted.tolist()))

    return changes


def match_source(
    movies: Sequence[Movie],
    numbered: bool,
    keep_missing: bool,
    hand_changes: HandChanges | None = None,
) -> Callable[[Catalogue], Changes]:
    """Return the change that makes the catalogue hold `movies`, the films of a source.

    `numbered` is whether they have no ids but the numbers of their records: then each has the id
    that it has in the catalogue, or a new one. Films that the source does not hold are removed,
    unless `keep_missing`: then they stay as they are, changed by hand or not. The change raises
    BuildFailed where films were changed by hand and `hand_changes` does not say what becomes of
    them: to keep a change means that its film stays as it is, or stays away.
    """

    def changes(catalogue: Catalogue) -> Changes:
        contents, by_hand = catalogue.contents(), catalogue.hand_changes()
        if by_hand and hand_changes is None:
            raise BuildFailed(
                f"{changed_by_hand(len(by_hand))}: add --keep-changes to keep these changes, or "
                "--discard-changes to undo them"
            )
        films = movies
        if numbered:
            known = _as_sources_had_them(catalogue, by_hand)
            films = match_ids(movies, known, catalogue.highest_id())
        source = {movie.id: movie for movie in films}
        kept = {i: movie for i, movie in by_hand.items() if keep_missing and i not in source}
        if hand_changes == "keep":
            kept = {i: source.get(i, kept.get(i)) for i in by_hand}
        missing = set() if keep_missing else contents.keys() - source.keys() - kept.keys()
        new = _new((movie for movie in films if movie.id not in kept), contents)
        return Changes(new, tuple(sorted(missing)), kept)

    return changes


def changed_by_hand(films: int) -> str:
    """Return how many films were changed by hand, for an error."""
    return f"{films:,} {'film was' if films == 1 else 'films were'} changed by hand"


def _as_sources_had_them(
    catalogue: Catalogue, by_hand: Mapping[int, Movie | None]
) -> Iterator[Movie]:
    """Give the films of the last source as it had them, then those that were added by hand."""
    films = {movie.id: movie for movie in catalogue.all_films()}
    added = [films.pop(film) for film, movie in by_hand.items() if movie is None]
    films |= {film: movie for film, movie in by_hand.items() if movie is not None}
    yield from (films[film] for film in sorted(films))
    yield from added


def _new(movies: Iterable[Movie], contents: dict[int, str]) -> tuple[Movie, ...]:
    films = {movie.id: movie for movie in movies if contents.get(movie.id) != content_hash(movie)}
    return tuple(films[film] for film in sorted(films))


def change(
    data: Path,
    choose: Callable[[Catalogue], Changes],
    tools: Backends,
    source: "SourceFile | None" = None,
) -> UpdateResult:
    """Publish a generation in which the catalogue is changed as `choose` says of the live one.

    `source` is the file that it follows from now on. Raises NotDurable where the change is
    published but may be lost in a power cut, another HybridError or OSError where it is not.
    """
    watch = Stopwatch()
    with writer_lock(data, tools.patience):
        recover(data)
        with watch.stage("open"):
            before = open_current(data, tools.checked)
            catalogue = Catalogue(before.file(files.CATALOGUE))
        with closing(catalogue):
            with watch.stage("compare"):
                changes = choose(catalogue)
                by_hand = catalogue.hand_changes()
            known = (catalogue.columns.rows_of(changes.outdated) >= 0).sum()
            added = len(changes.outdated) - int(known)
            kept = by_hand if changes.kept is None else changes.kept
            embedded, manifest = NOTHING, before.manifest
            warnings: list[str] = []
            if not len(changes.outdated) and kept == by_hand:
                warnings = settle(data, before, catalogue, tools)
            else:
                made = make(data, before, catalogue, changes, tools, watch, source)
                embedded, warnings, manifest = made.embedded, made.warnings, made.manifest
    return UpdateResult(
        manifest != before.manifest,
        manifest,
        added,
        len(changes.films) - added,
        len(changes.gone),
        len(catalogue) - int(known),
        0 if changes.kept is None else len(changes.kept),
        len(by_hand) - len(kept),
        embedded,
        watch.seconds,
        warnings,
    )


def settle(data: Path, generation: Generation, catalogue: Catalogue, tools: Backends) -> list[str]:
    """Mend what others left half-done beside the published generation; return warnings."""
    engine = generation.manifest.lexical.engine
    writer = tools.writer_in(engine, generation.folder, deployment_id(data))
    try:
        writer.mend(generation, catalogue)
    except (EngineUnavailable, BuildFailed) as error:
        return [error.message]
    return tidy(data, writer)


def _check_keyword_side(data: Path, tools: Backends) -> None:
    """Raise BuildFailed where that of the generation before was removed or replaced."""
    for line in published(data)[1:]:
        before = open_described(data, line)
        engine = before.manifest.lexical.engine
        writer = tools.writer_in(engine, before.folder, deployment_id(data))
        try:
            writer.check_base(before)
        except BuildFailed:
            raise BuildFailed(
                f"there is no way back to generation {line.name}: its keyword index "
                f"{before.manifest.lexical.index} was removed or replaced"
            ) from None


def rollback(data: Path, tools: Backends) -> tuple[str, str, list[str]]:
    """Publish the generation before the published one again; return both names and warnings.

    Raises GenerationUnusable where there is none to go back to or it is damaged, BuildFailed where
    its keyword side is gone.
    """
    with writer_lock(data, PATIENCE):
        _check_keyword_side(data, tools)
        left, name = publish_previous(data)
        generation = open_current(data, tools.checked)
        with closing(Catalogue(generation.file(files.CATALOGUE))) as catalogue:
            warnings = settle(data, generation, catalogue, tools)
    return left, name, warnings
