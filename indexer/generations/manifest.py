"""What a catalogue holds, as the manifest tells of it."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hybrid.engines.lexical.writer_protocol import LexicalWriter
from hybrid.storage import manifest as files
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.generation import UNFINISHED, Generation
from hybrid.storage.manifest import Counts, Manifest
from indexer.semantic_index.update import SemanticSide

if TYPE_CHECKING:
    # What reads files takes long to import, and is not there where films are only served.
    from indexer.films.film_file import SourceFile


@dataclass(frozen=True)
class CatalogueStats:
    """Figures of a catalogue. `without_description` are films that no meaning finds."""

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
    """Read it back from a catalogue."""
    columns = catalogue.columns
    return CatalogueStats(
        movies=len(catalogue),
        without_description=int((catalogue.sentences.counts == 0).sum()),
        without_year=int((columns.years == 0).sum()),
        sentences=int(catalogue.sentences.counts.sum()),
        hand_changes=len(catalogue.hand_changes()),
        ids_sha256=columns.ids_sha256,
    )


def described(
    folder: Path,
    before: Generation,
    held: CatalogueStats,
    writer: LexicalWriter,
    side: SemanticSide,
    source: "SourceFile | None",
    digests: dict[str, files.FileDigest],
) -> Manifest:
    """Return the manifest of the generation in `folder`, which changes `before`."""
    counts = before.manifest.counts.model_dump() | held.counts
    return before.manifest.model_copy(
        update=(source.described if source else {})
        | {
            "name": folder.name.removesuffix(UNFINISHED),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "base": before.manifest.name,
            "counts": Counts(**(counts | (source.counts if source else {}))),
            "ids_sha256": held.ids_sha256,
            "lexical": writer.manifest(),
            "semantic": side.semantic,
            "pieces": side.pieces,
            "files": digests,
        }
    )
