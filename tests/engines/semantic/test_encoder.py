"""What every encoder promises, held against the model, its export and the tests' stand-in."""

import os
import re
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime.quantization
import pytest
from onnxscript import ir
from onnxscript.rewriter import ort_fusions

from hybrid.engines.protocols import Encoder
from hybrid.engines.semantic.encoder import MODEL_FILES, WEIGHTS_SUFFIX, OnnxEncoder
from hybrid.errors import BuildFailed, InvalidInput
from hybrid.settings import DEFAULT_MODEL
from indexer.embedding.export import LEAST_COSINE, write_packed
from indexer.embedding.model import SentenceModel, load_model
from tests.command import run_code
from tests.fakes import HashingEncoder

TEXTS = ["A heist goes wrong.", "", "Ein Überfall geht schief.", "宇宙", "word " * 2000]


@pytest.fixture(scope="module")
def model() -> SentenceModel:
    """Give the default model."""
    model = load_model(DEFAULT_MODEL)
    assert isinstance(model, SentenceModel)
    return model


@pytest.fixture(scope="module")
def export(model: SentenceModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of its export."""
    folder = tmp_path_factory.mktemp("export") / "encoder"
    model.export(folder, TEXTS, "int8")
    return folder


@pytest.fixture(scope="module")
def exported(export: Path) -> OnnxEncoder:
    """Give its export."""
    return OnnxEncoder(export)


@pytest.fixture(scope="module")
def quantised(export: Path) -> OnnxEncoder:
    """Give its export in int8."""
    return OnnxEncoder(export, "int8")


@pytest.fixture(params=["model", "exported", "quantised", "stand-in"])
def encoder(request: pytest.FixtureRequest) -> Encoder:
    """Give every encoder in turn."""
    if request.param == "stand-in":
        return HashingEncoder()
    found: Encoder = request.getfixturevalue(request.param)
    return found


def test_rows_are_unit_vectors(encoder: Encoder) -> None:
    """Every text, however odd, becomes a float32 row of length 1."""
    vectors = encoder.encode(TEXTS)
    assert vectors.dtype == np.float32
    assert vectors.shape[0] == len(TEXTS)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)


def test_a_text_has_one_vector(encoder: Encoder) -> None:
    """A text's vector does not depend on what is encoded beside it."""
    together = encoder.encode(TEXTS)
    alone = np.concatenate([encoder.encode([text]) for text in TEXTS])
    assert (together * alone).sum(axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)


def sentences(count: int) -> list[str]:
    """Return texts of all lengths."""
    words = "a rich girl meets the penniless painter who will not leave her alone again".split()
    return [" ".join(words[n % 14 :] + words[: n % 7]) + f" {n}" for n in range(count)]


def operators(graph: Path) -> Counter[str]:
    """Return how often each operator occurs in an exported graph."""
    return Counter(node.op_type for node in onnx.load(graph, load_external_data=False).graph.node)


def test_the_export_is_the_model(model: SentenceModel, exported: OnnxEncoder) -> None:
    """200 texts of all lengths have the same vectors by the original and by its export."""
    texts = sentences(200)
    cosines = (model.encode(texts) * exported.encode(texts)).sum(axis=1)
    assert cosines.min() >= 0.99999


def test_int8_is_near_the_model(model: SentenceModel, quantised: OnnxEncoder) -> None:
    """In int8 texts have nearly the same vectors, and not the same: it is really int8."""
    texts = sentences(200)
    cosines = (model.encode(texts) * quantised.encode(texts)).sum(axis=1)
    assert LEAST_COSINE["int8"] < cosines.min()
    assert cosines.mean() < 0.9999


def test_the_export_is_optimised(export: Path) -> None:
    """In float32 the attention of each of the six layers is one operator. In int8 every product
    with weights is one of integers, four to a layer and two more for query and key."""
    fused = operators(export / MODEL_FILES["float32"])
    assert fused["Attention"] == 6
    assert fused["Softmax"] == 0
    assert operators(export / MODEL_FILES["int8"])["MatMulInteger"] == 36


def test_weights_can_be_shared(export: Path) -> None:
    """Weights are beside the graphs, where processes can map them; others may read all files."""
    for file, most in zip(MODEL_FILES.values(), (133e6, 34e6), strict=True):
        assert (export / file).stat().st_size < 2e6
        assert most - 1e6 < (export / (file + WEIGHTS_SUFFIX)).stat().st_size < most
    umask = os.umask(0o022)
    os.umask(umask)
    assert {path.stat().st_mode & 0o777 for path in export.iterdir()} == {0o666 & ~umask}


def packed(graph: Path) -> list["onnx.TensorProto"]:
    """Return the weights that are also there as an operator reads them."""
    weights = onnx.load(graph, load_external_data=False).graph.initializer
    return [one for one in weights if any("prepacked" in e.key for e in one.external_data)]


def test_weights_are_packed_once_for_all_processes(export: Path) -> None:
    """Those of every product with weights, four to a layer in float32 and six in int8, where ONNX
    Runtime packs all of them, as it does on x86-64."""
    assert [len(packed(export / file)) for file in MODEL_FILES.values()] == [24, 36]


def test_a_graph_that_cannot_be_run_is_an_error(tmp_path: Path) -> None:
    """It names the folder, and leaves nothing there."""
    node = onnx.helper.make_node("Unheard", ["x"], ["y"])
    value = onnx.helper.make_tensor_value_info
    inputs, outputs = [value("x", onnx.TensorProto.FLOAT, [1])], [value("y", 1, [1])]
    graph = onnx.helper.make_graph([node], "unheard", inputs, outputs)
    with pytest.raises(BuildFailed, match=re.escape(f"written to {tmp_path}")):
        write_packed(ir.from_proto(onnx.helper.make_model(graph)), tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


def test_a_processor_that_reads_weights_otherwise_packs_them_itself(
    export: Path, tmp_path: Path
) -> None:
    """What is packed is compared with the weights: where it is not what the operator would make of
    them, as on another processor, it does not count."""
    shutil.copytree(export, tmp_path, dirs_exist_ok=True)
    file = tmp_path / MODEL_FILES["float32"]
    place = {entry.key: entry.value for entry in packed(file)[0].external_data}
    with Path(f"{file}{WEIGHTS_SUFFIX}").open("r+b") as weights:
        weights.seek(int(place["offset"]))
        weights.write(bytes(int(place["length"])))
    before, after = (OnnxEncoder(one).encode(["a boat"]) for one in (export, tmp_path))
    assert (before * after).sum() < 0.99


@pytest.fixture
def without_export(monkeypatch: pytest.MonkeyPatch, graph: "onnx.ModelProto") -> None:
    """Export the graph that PyTorch made before: once more would take seconds."""
    monkeypatch.setattr(SentenceModel, "_graph", lambda _: graph)


@pytest.fixture(scope="module")
def graph(model: SentenceModel) -> "onnx.ModelProto":
    """Give the default model as PyTorch exports it."""
    return model._graph()


@pytest.mark.usefixtures("without_export")
def test_an_export_that_differs_is_refused(
    model: SentenceModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build does not publish an encoder that gives other vectors than the model."""
    monkeypatch.setattr(OnnxEncoder, "encode", lambda _, texts: -model.encode(texts))
    with pytest.raises(BuildFailed, match="cannot be exported in float32"):
        model.export(tmp_path / "encoder", TEXTS)


@pytest.mark.usefixtures("without_export")
def test_int8_that_differs_is_refused(
    model: SentenceModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor one whose vectors in int8 are far from the model's; the error says what to do."""
    monkeypatch.setitem(LEAST_COSINE, "int8", 0.9999)
    with pytest.raises(BuildFailed, match=r"in int8: .* build with --encoder float32"):
        model.export(tmp_path / "encoder", TEXTS, "int8")


@pytest.mark.usefixtures("without_export")
def test_a_model_that_cannot_be_quantised_is_refused(
    model: SentenceModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Operators that cannot be quantised are an error that says what to do."""

    def quantise(*_: object, **__: object) -> None:
        raise RuntimeError("Invalid model with unknown initializers")

    monkeypatch.setattr(onnxruntime.quantization, "quantize_dynamic", quantise)
    with pytest.raises(BuildFailed, match=r"unknown initializers.*build with --encoder float32"):
        model.export(tmp_path / "encoder", TEXTS, "int8")


@pytest.mark.usefixtures("without_export")
@pytest.mark.parametrize("fails", [True, False], ids=["by an error", "by other vectors"])
def test_rules_that_do_not_fit_cost_no_export(
    fails: bool, model: SentenceModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model whose attention cannot be fused is exported as it is."""

    def rewrite(graph: ir.Model) -> tuple[ir.Model, dict[str, int]]:
        if fails:
            raise ValueError("no such pattern")
        for node in graph.graph:
            if node.op_type == "Gelu":
                node.op_type = "Relu"
        return graph, {}

    monkeypatch.setattr(ort_fusions, "optimize_for_ort", rewrite)
    model.export(tmp_path / "encoder", TEXTS)
    found = operators(tmp_path / "encoder" / MODEL_FILES["float32"])
    assert (found["Attention"], found["Softmax"], found["Relu"]) == (0, 6, 0)
    cosines = (model.encode(TEXTS) * OnnxEncoder(tmp_path / "encoder").encode(TEXTS)).sum(axis=1)
    assert cosines.min() >= 0.99999


def test_the_model_knows_meaning(exported: OnnxEncoder) -> None:
    """A paraphrase is nearer than a stranger: it is the real model."""
    query, same, other = exported.encode(
        ["a bank robbery fails", "The heist ends in disaster.", "Two nuns tend a garden."]
    )
    assert float(query @ same) > float(query @ other) + 0.05


def test_a_changed_model_has_another_fingerprint(model: SentenceModel, tmp_path: Path) -> None:
    """Any changed byte among the model's files changes the fingerprint; nothing else does."""
    assert load_model(DEFAULT_MODEL).fingerprint == model.fingerprint
    (tmp_path / "modules.json").write_text("[]")
    before = load_model(str(tmp_path)).fingerprint
    (tmp_path / "modules.json").write_text("[ ]")
    assert load_model(str(tmp_path)).fingerprint != before


def test_unknown_models_are_named(tmp_path: Path) -> None:
    """A folder without a model is an error that says what was expected."""
    with pytest.raises(InvalidInput, match="no sentence-transformers model"):
        load_model(str(tmp_path))


def test_the_query_side_never_imports_torch() -> None:
    """Everything that searches and serves is imported without the packages of the write side."""
    code = (
        "import sys, hybrid.cli, hybrid.wiring, hybrid.web.server, hybrid.web.app\n"
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'pandas', 'indexer'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "import os; assert os.environ['ORT_DISABLE_TELEMETRY'] == '1'"
    )
    run_code(code)
