"""A model that was published as an ONNX graph alone, without what sentence-transformers reads."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tokenizers import Tokenizer

from hybrid.engines.semantic.encoder import (
    INPUTS,
    MODEL_FILES,
    TOKENIZER_FILE,
    OnnxEncoder,
    prompted,
)
from hybrid.settings import Precision
from hybrid.storage.manifest import Prompts
from hybrid.vectors import Vectors
from indexer.embedding.embed import ExportedModel
from indexer.embedding.export import ExportCheck, write_packed

if TYPE_CHECKING:
    import onnx

GRAPH_FILE = "model.onnx"

TYPES_INPUT = "token_type_ids"
"""It is 0 for every token of a single text."""

PADDING = "[PAD]"

MAX_TOKENS = 512
"""Positions that BERT has; what is longer is cut."""


@dataclass(frozen=True)
class OnnxModel:
    """A BERT whose graph gives a vector for each token; that of a text is their mean.

    `folder` holds the graph and the tokenizer. The graph is taken as it is, in whatever precision:
    it embeds films and queries alike.
    """

    folder: Path
    prompts: Prompts
    device: str = "cpu"

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the prompts and the digests of graph and tokenizer."""
        digest = hashlib.sha256(self.prompts.model_dump_json().encode())
        for name in (GRAPH_FILE, TOKENIZER_FILE):
            with (self.folder / name).open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()

    @cached_property
    def _exported(self) -> ExportedModel:
        with TemporaryDirectory() as scratch:
            folder = Path(scratch) / "encoder"
            self._write(folder, "float32")
            encoder = prompted(OnnxEncoder(folder), self.prompts.document)
        return ExportedModel(self.fingerprint, encoder)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return float32 (len(texts), dimension), every row of length 1, of texts of films."""
        return self._exported.encode(texts)

    def export(self, folder: Path, texts: Sequence[str], precision: Precision) -> None:
        """Write the graph with its pooling, and the tokenizer; compare both on `texts`.

        Raises BuildFailed if a text has another vector beside others than alone.
        """
        self._write(folder, precision)
        texts = [*texts, "", "one two " * MAX_TOKENS]
        documents = [self.prompts.document + text for text in texts]
        ExportCheck(folder, documents, self.encode(texts)).require("float32")

    def _write(self, folder: Path, precision: Precision) -> None:
        import onnx
        from onnxscript import ir

        folder.mkdir()
        tokenizer = Tokenizer.from_file(str(self.folder / TOKENIZER_FILE))
        tokenizer.enable_truncation(MAX_TOKENS)
        tokenizer.enable_padding(pad_id=tokenizer.token_to_id(PADDING), pad_token=PADDING)
        tokenizer.save(str(folder / TOKENIZER_FILE))
        graph = ir.from_proto(with_pooling(onnx.load(self.folder / GRAPH_FILE)))
        for name in {MODEL_FILES["float32"], MODEL_FILES[precision]}:
            write_packed(graph, folder / name)


def with_pooling(model: "onnx.ModelProto") -> "onnx.ModelProto":
    """Return the graph from tokens to the unit vector of a text, the mean of those of its tokens.

    All nodes that are added mean the same in every version of ONNX.
    """
    from onnx import TensorProto, helper

    graph = model.graph
    tokens, mask = INPUTS
    hidden = graph.output[0].name
    zero = helper.make_tensor("zero", TensorProto.INT64, [1], [0])
    column = helper.make_tensor("column", TensorProto.INT64, [3], [0, -1, 1])
    row = helper.make_tensor("row", TensorProto.INT64, [2], [0, -1])
    types = [
        helper.make_node("Shape", [tokens], ["text_shape"]),
        helper.make_node("ConstantOfShape", ["text_shape"], [TYPES_INPUT], value=zero),
    ]
    pooling = [
        helper.make_node("Cast", [mask], ["mask_values"], to=TensorProto.FLOAT),
        helper.make_node("Reshape", ["mask_values", "column"], ["mask_column"]),
        helper.make_node("Transpose", [hidden], ["hidden_columns"], perm=[0, 2, 1]),
        # Their sum: it has the direction of their mean.
        helper.make_node("MatMul", ["hidden_columns", "mask_column"], ["sum_column"]),
        helper.make_node("Reshape", ["sum_column", "row"], ["sum_row"]),
        helper.make_node("LpNormalization", ["sum_row"], ["vectors"], axis=-1, p=2),
    ]
    nodes = [*types, *graph.node, *pooling]
    inputs = [one for one in graph.input if one.name in INPUTS]
    del graph.node[:], graph.input[:], graph.output[:]
    graph.node.extend(nodes)
    graph.input.extend(inputs)
    graph.initializer.extend([column, row])
    graph.output.append(helper.make_tensor_value_info("vectors", TensorProto.FLOAT, [None, None]))
    return model
