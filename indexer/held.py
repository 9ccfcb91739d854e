"""What a catalogue holds, as the manifest tells of it."""

from dataclasses import asdict, dataclass

from hybrid.engines.catalogue import Catalogue


@dataclass(frozen=True)
class Held:
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


def held_by(catalogue: Catalogue) -> Held:
    """Read it back from a catalogue."""
    columns = catalogue.columns
    return Held(
        movies=len(catalogue),
        without_description=int((catalogue.sentences.counts == 0).sum()),
        without_year=int((columns.years == 0).sum()),
        sentences=int(catalogue.sentences.counts.sum()),
        hand_changes=len(catalogue.hand_changes()),
        ids_sha256=columns.ids_sha256,
    )
