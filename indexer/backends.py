"""The engines and the model that a change works with, chosen by the settings or by a test."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from hybrid.engines.factory import lexical_writer, open_encoder, open_lexical
from hybrid.engines.lexical.writer_protocol import LexicalWriter
from hybrid.engines.protocols import Encoder, LexicalEngine
from hybrid.settings import Settings
from hybrid.storage.generation import Generation, KnownDigests
from hybrid.storage.manifest import LexicalName
from indexer.embedding.embed import ExportedModel


@dataclass(frozen=True)
class Backends:
    """How indices are written and sentences embedded.

    `writer_in` takes the keyword engine, the folder of a generation and the name of the deployment;
    `encoder_of` opens a generation's model, `lexical_of` its keyword engine; `checked` are the
    files that this process has read before; `quiet` hides the progress bar; `patience` is the
    number of seconds to wait for another writer.
    """

    writer_in: Callable[[LexicalName, Path, str], LexicalWriter]
    encoder_of: Callable[[Generation], Encoder]
    lexical_of: Callable[[Generation], LexicalEngine]
    checked: KnownDigests = field(default_factory=dict)
    quiet: bool = True
    patience: float = 0.0

    def model_of(self, generation: Generation) -> ExportedModel:
        """Return the model of a generation, to embed with."""
        return ExportedModel(generation.manifest.model.fingerprint, self.encoder_of(generation))


def backends_for(
    settings: Settings,
    encoder_of: Callable[[Generation], Encoder] = open_encoder,
    quiet: bool = True,
    patience: float = 0.0,
) -> Backends:
    """Return the backends that the settings name."""
    return Backends(
        partial(lexical_writer, settings),
        encoder_of,
        partial(open_lexical, settings),
        quiet=quiet,
        patience=patience,
    )
