"""What every encoder promises, held against the model, its export and the tests' stand-in."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from hybrid.engines.protocols import Encoder
from hybrid.engines.semantic.encoder import MODEL_FILE, OnnxEncoder
from hybrid.errors import BuildFailed, InvalidInput
from hybrid.settings import DEFAULT_MODEL
from indexer.embedding.model import LEAST_COSINE, SentenceModel, load_model
from tests.command import run_code
from tests.fakes import HashingEncoder

TEXTS = ["A heist goes wrong.", "", "Ein Überfall geht schief.", "宇宙", "word " * 2000]


@pytest.fixture(scope="module")
def model() -> SentenceModel:
    """Give the default model."""
    return load_model(DEFAULT_MODEL)


@pytest.fixture(scope="module")
def export(model: SentenceModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of its export."""
    folder = tmp_path_factory.mktemp("export") / "encoder"
    model.export(folder, TEXTS)
    return folder


@pytest.fixture(scope="module")
def exported(export: Path) -> OnnxEncoder:
    """Give its export."""
    return OnnxEncoder(export)


@pytest.fixture(params=["model", "exported", "stand-in"])
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


def test_the_export_is_the_model(model: SentenceModel, exported: OnnxEncoder) -> None:
    """200 texts of all lengths have the same vectors by the original and by its export."""
    words = "a rich girl meets the penniless painter who will not leave her alone again".split()
    texts = [" ".join(words[n % 14 :] + words[: n % 7]) + f" {n}" for n in range(200)]
    cosines = (model.encode(texts) * exported.encode(texts)).sum(axis=1)
    assert cosines.min() >= LEAST_COSINE


def test_an_export_that_differs_is_refused(
    model: SentenceModel, export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build does not publish an encoder that gives other vectors than the model."""
    monkeypatch.setattr(
        SentenceModel, "_export_graph", lambda _, file: shutil.copy(export / MODEL_FILE, file)
    )  # once more would take seconds
    monkeypatch.setattr(OnnxEncoder, "encode", lambda _, texts: -model.encode(texts))
    with pytest.raises(BuildFailed, match="cannot be exported"):
        model.export(tmp_path / "encoder", TEXTS)
    assert (tmp_path / "encoder" / MODEL_FILE).exists()


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
