"""The manifest of a generation that was written."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hybrid.storage.catalogue import Catalogue
from hybrid.storage.manifest import Counts, Lexical, Manifest, ModelName
from indexer.semantic_index.update import SemanticSide

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
    ids_sha256: str

    @property
    def counts(self) -> dict[str, int]:
        """All but the digest."""
        return {name: value for name, value in asdict(self).items() if name != "ids_sha256"}


def catalogue_stats(catalogue: Catalogue) -> CatalogueStats:
    """Return the figures of a catalogue, as it reads them back."""
    columns = catalogue.columns
    return CatalogueStats(
        movies=len(catalogue),
        without_description=int((catalogue.sentences.counts == 0).sum()),
        without_year=int((columns.years == 0).sum()),
        sentences=int(catalogue.sentences.counts.sum()),
        hand_changes=len(catalogue.hand_changes()),
        ids_sha256=columns.ids_sha256,
    )


@dataclass(frozen=True)
class Stores:
    """What was written into the three stores of a generation."""

    catalogue: CatalogueStats
    lexical: Lexical
    semantic: SemanticSide


def build_manifest(name: str, source: "SourceFile", model: ModelName, stores: Stores) -> Manifest:
    """Return the manifest of the generation `name` that was built; its `files` are none yet."""
    return Manifest(
        name=name,
        created=_now(),
        **source.manifest,
        counts=Counts(**source.counts, **stores.catalogue.counts),
        ids_sha256=stores.catalogue.ids_sha256,
        model=model,
        lexical=stores.lexical,
        semantic=stores.semantic.semantic,
        pieces=stores.semantic.pieces,
        files={},
    )


def change_manifest(
    name: str, base: Manifest, source: "SourceFile | None", stores: Stores
) -> Manifest:
    """Return the manifest of the generation `name` that changes `base`; its `files` are outdated.

    `source` is the file that it follows, None if it follows that of `base` still.
    """
    counts = base.counts.model_dump() | stores.catalogue.counts | (source.counts if source else {})
    return base.model_copy(
        update=(source.manifest if source else {})
        | {
            "name": name,
            "created": _now(),
            "base": base.name,
            "counts": Counts(**counts),
            "ids_sha256": stores.catalogue.ids_sha256,
            "lexical": stores.lexical,
            "semantic": stores.semantic.semantic,
            "pieces": stores.semantic.pieces,
        }
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
