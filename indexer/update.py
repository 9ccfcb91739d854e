"""Changing what is published: single films by id, or all of them to what a source holds."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from heapq import merge
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from hybrid.engines.lexical.writer_protocol import LexicalWriter, Previous
from hybrid.errors import BuildFailed, EngineUnavailable, unknown_film
from hybrid.monitoring.stopwatch import Stopwatch
from hybrid.movie import Movie, content_hash, content_number, hash_number
from hybrid.ranking import Ids
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.catalogue_schema import document, number_of_document, under_id
from hybrid.storage.generation import Generation, open_current, open_described, published
from hybrid.storage.manifest import Manifest
from indexer.backends import Backends
from indexer.change import Changes, Publication, publish_change
from indexer.embedding.embed import NO_EMBEDDING, EmbeddingStats
from indexer.films.film_spool import FilmSpool
from indexer.films.matching import MatchKey, MatchKeys, match_ids
from indexer.generations.cleanup import recover, tidy
from indexer.generations.lock import PATIENCE, deployment_id, writer_lock
from indexer.generations.publish import publish_previous
from indexer.known_records import NEW, RecordRows, SourceRecords

if TYPE_CHECKING:
    from indexer.films.film_file import SourceFile

NO_IDS = np.empty(0, np.int64)

COMPARED = 2_000
"""Films of a source that are compared at once."""

HandChanges = Literal["keep", "discard"]
"""What an update from a source does with films that were changed by hand."""


@dataclass(frozen=True)
class UpdateResult:
    """What a change did. If there was nothing to do, `manifest` is that of the generation before.

    `added`, `changed`, `removed` and `unchanged` are numbers of films; `kept` and `discarded` of
    changes by hand that a change by a source found.
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
        films = {movie.id: movie for movie in movies}
        return Changes(_new(films, catalogue), ())

    return changes


def delete(ids: Iterable[int]) -> Callable[[Catalogue], Changes]:
    """Return the change that removes films. It raises NotFound with the ids that are unknown."""

    def changes(catalogue: Catalogue) -> Changes:
        wanted = np.array(sorted(set(ids)), np.int64)
        known = catalogue.some_contents(wanted.tolist())
        if unknown := [film for film in wanted.tolist() if film not in known]:
            raise unknown_film(*unknown[:10])
        return Changes((), tuple(wanted.tolist()))

    return changes


def match_source(
    source: FilmSpool,
    numbered: bool,
    keep_missing: bool,
    hand_changes: HandChanges | None = None,
) -> Callable[[Catalogue], Changes]:
    """Return the change that makes the catalogue hold the films of a source.

    Only those that change are kept in memory. `numbered` says that
    they have no ids but the numbers of their records: then each gets the id that it has in the
    catalogue, or a new one. Films that the source does not have are removed, unless `keep_missing`:
    then they stay as they are, changed by hand or not. The change raises BuildFailed if films were
    changed by hand and `hand_changes` is None. To keep a change means that its film stays as it is,
    or stays removed.
    """

    def changes(catalogue: Catalogue) -> Changes:
        by_hand = catalogue.hand_changes()
        if by_hand and hand_changes is None:
            raise BuildFailed(
                f"{changed_by_hand(len(by_hand))}: add --keep-changes to keep these changes, or "
                "--discard-changes to undo them"
            )
        rows = source.rows
        ids = _known_ids(source.ids, rows, catalogue, by_hand) if numbered else source.ids
        found = _compare(source, ids, rows, catalogue, by_hand)
        not_in_source = {i: by_hand[i] for i in by_hand.keys() - found.by_hand.keys()}
        kept = not_in_source if keep_missing else {}
        if hand_changes == "keep":
            kept = {i: found.by_hand.get(i, kept.get(i)) for i in by_hand}
        stay = np.concatenate([ids, np.array(list(kept), np.int64)])
        missing = NO_IDS if keep_missing else np.setdiff1d(catalogue.columns.ids, stay)
        changed = tuple(found.new[film] for film in sorted(found.new.keys() - kept.keys()))
        records = SourceRecords(rows, ids, found.contents)
        return Changes(changed, tuple(missing.tolist()), kept, records)

    return changes


@dataclass(frozen=True)
class _Compared:
    """The films of a source beside those of the catalogue: the `new` ones, which it lacks or has
    with other content, those that were changed `by_hand`, both by id, and the `contents` of all, as
    `content_number` has them, int64 (n,)."""

    new: dict[int, Movie]
    by_hand: dict[int, Movie]
    contents: Ids


def _compare(
    source: FilmSpool,
    ids: Ids,
    rows: RecordRows,
    catalogue: Catalogue,
    by_hand: Mapping[int, Movie | None],
) -> _Compared:
    """Compare the films of a source, under these ids, with those of the catalogue."""
    found = _Compared({}, {}, rows["content"].copy())
    for first in range(0, len(ids), COMPARED):
        some = ids[first : first + COMPARED].tolist()
        known = rows["film"][first : first + COMPARED].tolist()
        contents = rows["content"][first : first + COMPARED].tolist()
        stored = {i: hash_number(c) for i, c in catalogue.some_contents(some).items()}
        for number, film in enumerate(some):
            if known[number] == film and stored.get(film) == contents[number]:
                continue
            if known[number] == NEW:
                text = source.document(first + number)
            else:
                text = _known_film(known[number], contents[number], catalogue, by_hand)
            text = under_id(film, text)
            found.contents[first + number] = content = number_of_document(text)
            if stored.get(film) != content:
                found.new[film] = Movie.model_validate_json(text)
            if film in by_hand:
                found.by_hand[film] = Movie.model_validate_json(text)
    return found


def _known_film(
    film: int, content: int, catalogue: Catalogue, by_hand: Mapping[int, Movie | None]
) -> str:
    """Return the film of a known record, as it was stored: the one of this id, unless that was
    changed by hand."""
    for movie in (*catalogue.some_films([film]), by_hand.get(film)):
        if movie and content_number(movie) == content:
            return document(movie)
    raise BuildFailed("the index was changed while the file was read: update it again")


def changed_by_hand(films: int) -> str:
    """Return how many films were changed by hand, for an error."""
    return f"{films:,} {'film was' if films == 1 else 'films were'} changed by hand"


def _known_ids(
    ids: Ids, rows: RecordRows, catalogue: Catalogue, by_hand: Mapping[int, Movie | None]
) -> Ids:
    """Return the ids that the films of a numbered source have, or get."""
    known = MatchKeys.of(_as_sources_had_them(catalogue, by_hand))
    return match_ids(MatchKeys(ids, rows["page"], rows["title"]), known, catalogue.highest_id())


def _as_sources_had_them(
    catalogue: Catalogue, by_hand: Mapping[int, Movie | None]
) -> Iterator[MatchKey]:
    """Yield the films of the last source as it had them, then those that were added by hand."""
    added: list[MatchKey] = []

    def unchanged() -> Iterator[MatchKey]:
        for key in map(MatchKey._make, catalogue.pages_and_titles()):
            if key.id not in by_hand:
                yield key
            elif by_hand[key.id] is None:
                added.append(key)

    changed = (MatchKey.of(movie) for _, movie in sorted(by_hand.items()) if movie)
    yield from merge(unchanged(), changed, key=lambda key: key.id)
    yield from added


def _new(movies: Mapping[int, Movie], catalogue: Catalogue) -> tuple[Movie, ...]:
    """Return the films that the catalogue lacks or has with other content, by ids."""
    contents = catalogue.some_contents(movies)
    return tuple(
        movies[film] for film in sorted(movies) if contents.get(film) != content_hash(movies[film])
    )


def change(
    data: Path,
    choose: Callable[[Catalogue], Changes],
    backends: Backends,
    source: "SourceFile | None" = None,
    acknowledge: Callable[[str], None] = lambda _: None,
) -> UpdateResult:
    """Publish a generation with the changes that `choose` returns for the published catalogue.

    `source` is the file that it then follows. `acknowledge` is called with the name of the
    generation as soon as the changes are on the disk, before what is outdated is removed. Raises
    NotDurable if the change is published but may be lost in a power cut, another HybridError or
    OSError if it is not.
    """
    watch = Stopwatch()
    with writer_lock(data, backends.patience):
        with watch.stage("recover"):
            recover(data, backends.synced)
        with watch.stage("open"):
            generation = open_current(data, backends.checked)
            previous = Previous(generation, Catalogue(generation.folder))
        with closing(previous.catalogue) as catalogue:
            with watch.stage("compare"):
                changes = choose(catalogue)
                by_hand = {} if changes.kept is None else catalogue.hand_changes()
                known = catalogue.some_contents(changes.outdated.tolist())
            precision = generation.manifest.model.queries.precision
            other_encoder = backends.precision_of(generation) != precision
            if len(changes.outdated) or (changes.kept or {}) != by_hand or other_encoder:
                result = publish_change(data, previous, changes, backends, watch, source)
                backends.synced.note(data)
            else:
                result = _nothing(data, previous, backends)
            acknowledge(result.manifest.name)
            with watch.stage("tidy"):
                warnings = result.tidy()
    replaced, films = len(known), generation.manifest.counts.movies
    return UpdateResult(
        published=result.manifest != generation.manifest,
        manifest=result.manifest,
        added=len(changes.outdated) - replaced,
        changed=len(changes.films) + replaced - len(changes.outdated),
        removed=len(changes.gone),
        unchanged=films - replaced,
        kept=len(changes.kept or {}),
        discarded=len(by_hand) - len(changes.kept or {}),
        embedded=result.embedded,
        seconds=watch.seconds,
        warnings=warnings,
    )


def _nothing(data: Path, previous: Previous, backends: Backends) -> Publication:
    """Return the publication that there is, where nothing is to be changed."""
    settle = partial(_settle, data, previous, backends)
    return Publication(previous.generation.manifest, NO_EMBEDDING, settle)


def _settle(data: Path, previous: Previous, backends: Backends) -> list[str]:
    """Repair what crashes left beside the published generation `previous`; return warnings."""
    writer = _writer_of(data, previous.generation, backends)
    try:
        writer.prepare(previous)
        return tidy(data, writer)
    except (EngineUnavailable, BuildFailed) as error:
        return [error.message]


def _writer_of(data: Path, generation: Generation, backends: Backends) -> LexicalWriter:
    engine = generation.manifest.lexical.engine
    return backends.writer_in(engine, generation.folder, deployment_id(data))


def _check_keyword_side(data: Path, backends: Backends) -> None:
    """Raise BuildFailed if the keyword index of the generation before is gone or replaced."""
    for line in published(data)[1:]:
        before = open_described(data, line)
        try:
            _writer_of(data, before, backends).check_index(before)
        except BuildFailed:
            raise BuildFailed(
                f"there is no way back to generation {line.name}: its keyword index "
                f"{before.manifest.lexical.index} was removed or replaced"
            ) from None


def rollback(data: Path, backends: Backends) -> tuple[str, str, list[str]]:
    """Publish the generation before the published one again; return both names and warnings.

    Raises GenerationUnusable if there is none to go back to or it is damaged, BuildFailed if its
    keyword index is gone.
    """
    with writer_lock(data, PATIENCE):
        _check_keyword_side(data, backends)
        left, name = publish_previous(data)
        generation = open_current(data, backends.checked)
        with closing(Catalogue(generation.folder)) as catalogue:
            warnings = _settle(data, Previous(generation, catalogue), backends)
    return left, name, warnings
