"""The manifest of a generation that was written."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hybrid.storage.catalogue import Catalogue
from hybrid.storage.manifest import Counts, Delta, Lexical, Manifest, ModelName, Semantic

if TYPE_CHECKING:
    # Reading files of films takes long to import, and is not installed for serving alone.
    from indexer.films.film_file import SourceFile


@dataclass(frozen=True)
class CatalogueStats:
    """Figures of a catalogue. Films `without_description` are not found by meaning."""

    movies: int
    without_description: int
    without_year: int
    sentences: int
    hand_changes: int


def changed_stats(
    before: Counts, previous: Catalogue, catalogue: Catalogue, changed: Sequence[int]
) -> CatalogueStats:
    """Return the figures of a catalogue that differs from the `previous` in the films `changed`.

    `before` are the figures of the previous one.
    """
    old, new = previous.figures_of(changed), catalogue.figures_of(changed)
    names = "movies", "without_description", "without_year", "sentences"
    now = {n: getattr(before, n) - o + a for n, o, a in zip(names, old, new, strict=True)}
    return CatalogueStats(**now, hand_changes=catalogue.hand_change_count())


def catalogue_stats(catalogue: Catalogue) -> CatalogueStats:
    """Return the figures of a catalogue, as it reads them back."""
    return CatalogueStats(
        movies=len(catalogue),
        without_description=int((catalogue.sentences.counts == 0).sum()),
        without_year=int((catalogue.columns.years == 0).sum()),
        sentences=int(catalogue.sentences.counts.sum()),
        hand_changes=catalogue.hand_change_count(),
    )


def delta_stats(catalogue: Catalogue) -> Delta:
    """Return the figures of the delta of a catalogue."""
    return Delta(films=len(catalogue.delta.ids), outdated=len(catalogue.delta.outdated))


@dataclass(frozen=True)
class BaseStore:
    """A base: the digest of its ids, how to open its semantic index, the pieces of its vectors."""

    ids_sha256: str
    semantic: Semantic
    pieces: tuple[int, ...]

    @classmethod
    def of(cls, manifest: Manifest) -> "BaseStore":
        """Return the base of a generation."""
        return cls(manifest.ids_sha256, manifest.semantic, manifest.pieces)


@dataclass(frozen=True)
class Stores:
    """What was written into the stores of a generation."""

    catalogue: CatalogueStats
    delta: Delta
    base: BaseStore
    lexical: Lexical


def build_manifest(
    name: str, source: "SourceFile", models: Sequence[ModelName], stores: Stores
) -> Manifest:
    """Return the manifest of the generation `name` that was built; its `files` are none yet."""
    return Manifest(
        name=name,
        created=_now(),
        **source.manifest,
        counts=Counts(**source.counts, **asdict(stores.catalogue)),
        model=models[0],
        beside=tuple(models[1:]),
        lexical=stores.lexical,
        delta=stores.delta,
        **vars(stores.base),
        files={},
    )


def change_manifest(
    name: str, previous: Manifest, source: "SourceFile | None", stores: Stores
) -> Manifest:
    """Return the manifest of the generation `name` that changes `previous`, with outdated `files`.

    `source` is the file that it follows, None if it follows that of `previous` still.
    """
    counts = previous.counts.model_dump() | asdict(stores.catalogue)
    return previous.model_copy(
        update=(source.manifest if source else {})
        | {
            "name": name,
            "created": _now(),
            "previous": previous.name,
            "counts": Counts(**counts | (source.counts if source else {})),
            "lexical": stores.lexical,
            "delta": stores.delta,
        }
        | vars(stores.base)
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
