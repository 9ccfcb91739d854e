"""The engines and the model that a change works with, chosen by the settings or by a test."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hybrid.engines.factory import lexical_writer, open_encoder, open_lexical, shares_of
from hybrid.engines.lexical.writer_protocol import LexicalWriter
from hybrid.engines.protocols import Encoder, LexicalEngine
from hybrid.engines.semantic.side_by_side import SideBySide
from hybrid.settings import Precision, Settings
from hybrid.storage.generation import Generation, KnownDigests
from hybrid.storage.manifest import LexicalName
from indexer.embedding.embed import ExportedModel, WeightedModel
from indexer.generations.cleanup import SyncedCurrent

if TYPE_CHECKING:
    # A service, which has no PyTorch, does not change how queries are embedded.
    from indexer.embedding.model import Model


@dataclass(frozen=True)
class EncoderChange:
    """The precision in which queries are to be embedded, and what loads the model of a name."""

    precision: Precision
    load_model: Callable[[str], "Model"]


@dataclass(frozen=True)
class Backends:
    """How indices are written and sentences embedded.

    `writer_in` takes the keyword engine, the folder of a generation and the name of the deployment;
    `encoder_of` opens the model of its films, `lexical_of` its keyword engine; `checked` are the
    files that this process has read before, `synced` what it has published; `quiet` hides the
    progress bar; `patience` is the number of seconds to wait for another writer; `encoder` is how
    queries are embedded from now on, None if that stays as it is.
    """

    writer_in: Callable[[LexicalName, Path, str], LexicalWriter]
    encoder_of: Callable[[Generation], Encoder]
    lexical_of: Callable[[Generation], LexicalEngine]
    checked: KnownDigests = field(default_factory=dict)
    synced: SyncedCurrent = field(default_factory=SyncedCurrent)
    quiet: bool = True
    patience: float = 0.0
    encoder: EncoderChange | None = None

    def precision_of(self, generation: Generation) -> Precision:
        """Return the precision in which queries of a changed `generation` are embedded."""
        if self.encoder:
            return self.encoder.precision
        return generation.manifest.model.queries.precision

    def models_of(self, generation: Generation) -> list[WeightedModel]:
        """Return the models of a generation, to embed with."""
        models, opened = generation.manifest.models, self.encoder_of(generation)
        encoders = opened.encoders if isinstance(opened, SideBySide) else (opened,)
        shares = shares_of(generation.folder, models)
        return [
            WeightedModel(ExportedModel(model.fingerprint, encoder), share)
            for model, encoder, share in zip(models, encoders, shares, strict=True)
        ]


def backends_for(
    settings: Settings,
    encoder_of: Callable[[Generation], Encoder] = open_encoder,
    quiet: bool = True,
    patience: float = 0.0,
    encoder: EncoderChange | None = None,
) -> Backends:
    """Return the backends that the settings name."""
    return Backends(
        partial(lexical_writer, settings),
        encoder_of,
        partial(open_lexical, settings),
        quiet=quiet,
        patience=patience,
        encoder=encoder,
    )
