"""The graphs that embed without PyTorch, written from the model and compared with it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from hybrid.engines.semantic.encoder import MODEL_FILES, WEIGHTS_SUFFIX, OnnxEncoder
from hybrid.errors import BuildFailed
from hybrid.settings import Precision
from hybrid.vectors import Vectors

if TYPE_CHECKING:
    import onnx
    from onnxscript import ir

EXPORT = 3
"""Version of the export: increase it when other files are written for the same model."""

CHECKED_TEXTS = 200
"""Sentences of an index on which an export is compared with the original."""

LEAST_COSINE: dict[Precision, float] = {"float32": 0.9999, "int8": 0.95}
"""The least cosine of a text's vectors by the original and by its export. In int8 the default model
reaches .984 on sentences, .973 on single words and .972 on texts of no words."""


@dataclass(frozen=True)
class ExportCheck:
    """Texts, and their vectors by the original, with which an export in `folder` is compared."""

    folder: Path
    texts: Sequence[str]
    vectors: Vectors

    def passes(self, precision: Precision) -> bool:
        """Return whether the export of this precision gives the same vectors."""
        return self._least_cosine(precision) >= LEAST_COSINE[precision]

    def require(self, precision: Precision) -> None:
        """Raise BuildFailed unless the export of this precision gives the same vectors."""
        least = self._least_cosine(precision)
        if least < LEAST_COSINE[precision]:
            remedy = "" if precision == "float32" else "; build with --encoder float32"
            raise BuildFailed(
                f"the model cannot be exported in {precision}: a text has another vector "
                f"afterwards (cosine {least:.4f}, at least {LEAST_COSINE[precision]} is needed)"
                f"{remedy}"
            )

    def _least_cosine(self, precision: Precision) -> float:
        exported = OnnxEncoder(self.folder, precision)
        # Texts of all lengths in a batch: padding must not change a vector.
        again = [exported.encode(self.texts[n : n + 8]) for n in range(0, len(self.texts), 8)]
        return float((self.vectors * np.concatenate(again)).sum(axis=1).min())


def write_graphs(graph: "onnx.ModelProto", precision: Precision, check: ExportCheck) -> None:
    """Write the graph in float32, and in int8 if that is the `precision`, where `check` looks.

    Raises BuildFailed if it gives other vectors than the original.
    """
    _write_float32(graph, check)
    if precision == "int8":
        _write_int8(graph, check.folder)
        check.require("int8")


def _write_float32(graph: "onnx.ModelProto", check: ExportCheck) -> None:
    """Write a graph whose attention is one operator, or if that fails the graph as it is.

    The rewriting rules know the common models. Where they do not fit one, that must not cost the
    build. Raises BuildFailed if the graph itself gives other vectors.
    """
    from onnxscript import ir
    from onnxscript.rewriter.ort_fusions import optimize_for_ort

    file = check.folder / MODEL_FILES["float32"]
    try:
        fused, _ = optimize_for_ort(ir.from_proto(graph))
        write_packed(fused, file)
        if check.passes("float32"):
            return
    except Exception as error:  # noqa: BLE001 (whatever a rule or the runtime raises)
        logging.getLogger(__name__).info("the model's attention is not fused: %s", error)
    write_packed(ir.from_proto(graph), file)
    check.require("float32")


def _write_int8(graph: "onnx.ModelProto", folder: Path) -> None:
    """Write a graph of int8 weights with a scale for each channel.

    Activations are quantised as it runs. Weights have 7 bits, as sums of products of 8 overflow on
    processors without VNNI. Attention is not fused: the quantised operator takes longer than its
    parts. Raises BuildFailed if the model has operators that cannot be quantised.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxscript import ir

    file = folder / MODEL_FILES["int8"]
    logging.disable(logging.WARNING)  # it advises an optimisation that gains nothing
    try:
        quantize_dynamic(
            graph, file, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8
        )
    except Exception as error:  # it raises whatever an operator that it does not know leads to
        raise BuildFailed(
            f"the model cannot be exported in int8 ({error}): build with --encoder float32"
        ) from error
    finally:
        logging.disable(logging.NOTSET)
    write_packed(ir.load(file), file)


def write_packed(graph: "ir.Model", file: Path) -> None:
    """Write a graph, and beside it a file with its weights: as they are, and as its operators read
    them.

    Processes map the file into memory and share it; otherwise each would pack the weights for
    itself. ONNX Runtime compares what is packed with the weights, and packs them again on a
    processor for which the order is another. The graph has those optimisations alone that any
    processor can run. Raises BuildFailed if it cannot be run or written.
    """
    import onnxruntime
    from onnxscript import ir

    with TemporaryDirectory(dir=file.parent) as scratch:
        plain, packed = Path(scratch, "plain"), Path(scratch, "packed")
        for folder in (plain, packed):
            folder.mkdir()
        source = plain / file.name
        ir.save(graph, source, external_data=source.name + WEIGHTS_SUFFIX)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(packed / file.name)
        for name, value in {
            "optimized_model_external_initializers_file_name": file.name + WEIGHTS_SUFFIX,
            "optimized_model_external_initializers_min_size_in_bytes": "1024",
            "save_external_prepacked_constant_initializers": "1",
        }.items():
            options.add_session_config_entry(f"session.{name}", value)
        try:
            onnxruntime.InferenceSession(str(source), options, ["CPUExecutionProvider"])
        except Exception as error:  # it has no error of its own for a full disk
            raise BuildFailed(
                f"the model cannot be written to {file.parent}, or cannot be run: {error}"
            ) from error
        for written in packed.iterdir():
            written.replace(file.parent / written.name)
