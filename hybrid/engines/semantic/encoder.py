"""Texts to unit vectors by ONNX Runtime: the model that was exported with the generation."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

# ONNX Runtime sends telemetry unless this is set before it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime
from tokenizers import Tokenizer

from hybrid.cache import Cache
from hybrid.engines.protocols import Encoder
from hybrid.settings import Precision
from hybrid.vectors import Vectors

ENCODER_FOLDER = "encoder"
"""Of the first model. It holds the folders of further models, named by their numbers from 1."""

MEAN_FILE = "mean.npy"
"""The mean that is subtracted from the vectors of a model that is centred, float32 (d,)."""

TOKENIZER_FILE = "tokenizer.json"

MODEL_FILES: dict[Precision, str] = {"float32": "model.onnx", "int8": "model-int8.onnx"}
"""Graphs of the model, of which an index may have both. The weights of each are in a file beside
it, which is mapped into memory, so that processes share it (indexer/embedding/export.py)."""

WEIGHTS_SUFFIX = ".data"

QUANTISED = "onnx.quantize"
"""What ONNX Runtime calls the producer of a graph that it quantised."""

INPUTS = ("input_ids", "attention_mask")
"""Inputs of the exported model, int64 (texts, tokens) each; its output is (texts, dimension)."""

MAX_CACHED_VECTORS = 1024
"""Of 384 dimensions they take 1.6 MB."""


def folder_of(number: int) -> str:
    """Return the folder of the model of this number in a generation, counted from 0."""
    return f"{ENCODER_FOLDER}/{number}" if number else ENCODER_FOLDER


class OnnxEncoder:
    """A sentence-transformers model as an ONNX graph that includes pooling and normalisation.

    The tokenizer's file defines truncation and padding.
    """

    def __init__(self, folder: Path, precision: Precision = "float32") -> None:
        options = onnxruntime.SessionOptions()
        # Requests run in parallel; a query is too short to gain from more threads.
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(folder / MODEL_FILES[precision]), options, providers=["CPUExecutionProvider"]
        )
        self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_FILE))
        # A batch is quantised as one, by the largest value in it: a text would get another vector
        # beside other texts.
        self._in_batches = self._session.get_modelmeta().producer_name != QUANTISED

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return a vector of length 1 for each text, float32 (len(texts), dimension)."""
        if self._in_batches or len(texts) <= 1:
            return self._encode_batch(texts)
        return np.concatenate([self._encode_batch([text]) for text in texts])

    def _encode_batch(self, texts: Sequence[str]) -> Vectors:
        # A batch is divided among threads, which takes longer than a text does.
        if len(texts) == 1:
            encodings = [self._tokenizer.encode(texts[0])]
        else:
            encodings = self._tokenizer.encode_batch(list(texts))
        tokens = (
            np.array([encoding.ids for encoding in encodings], np.int64),
            np.array([encoding.attention_mask for encoding in encodings], np.int64),
        )
        (vectors,) = self._session.run(None, dict(zip(INPUTS, tokens, strict=True)))
        return np.ascontiguousarray(vectors, np.float32)


@dataclass(frozen=True)
class PromptedEncoder:
    """An encoder of texts that begin with a prompt."""

    encoder: Encoder
    prompt: str

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return a vector of length 1 for each text, float32 (len(texts), dimension)."""
        return self.encoder.encode([self.prompt + text for text in texts])


def prompted(encoder: Encoder, prompt: str) -> Encoder:
    """Return an encoder that puts the prompt before each text; `encoder` itself if it is empty."""
    return PromptedEncoder(encoder, prompt) if prompt else encoder


class CachedEncoder:
    """An encoder that caches the vectors of texts that come alone, as queries do."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._vectors: Cache[str, Vectors] = Cache("query_vectors", MAX_CACHED_VECTORS)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return a vector of length 1 for each text, float32 (len(texts), dimension)."""
        if len(texts) != 1:
            return self._encoder.encode(texts)
        vectors = self._vectors.get(texts[0])
        if vectors is None:
            vectors = self._encoder.encode(texts)
            self._vectors.put(texts[0], vectors)
        return vectors
