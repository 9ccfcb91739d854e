"""What every encoder promises, held against the real model and the tests' stand-in."""

from pathlib import Path

import numpy as np
import pytest

from hybrid.encoder import DEFAULT_MODEL, Encoder, load_encoder
from hybrid.errors import InvalidInput
from tests.fakes import HashingEncoder

TEXTS = ["A heist goes wrong.", "", "Ein Überfall geht schief.", "宇宙", "word " * 2000]


@pytest.fixture(scope="module", params=["model", "stand-in"])
def encoder(request: pytest.FixtureRequest) -> Encoder:
    """Give the real model, then the stand-in."""
    return load_encoder(DEFAULT_MODEL) if request.param == "model" else HashingEncoder()


def test_rows_are_unit_vectors(encoder: Encoder) -> None:
    """Every text, however odd, becomes a float32 row of length 1."""
    vectors = encoder.encode(TEXTS)
    assert vectors.dtype == np.float32
    assert vectors.shape[0] == len(TEXTS)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)


def test_a_text_has_one_vector(encoder: Encoder) -> None:
    """A text's vector does not depend on what is encoded beside it."""
    together = encoder.encode(TEXTS[:3])
    alone = np.concatenate([encoder.encode([text]) for text in TEXTS[:3]])
    assert (together * alone).sum(axis=1) == pytest.approx(np.ones(3), abs=1e-5)


def test_fingerprint_names_the_model(encoder: Encoder) -> None:
    """The same model has the same fingerprint."""
    assert encoder.fingerprint == encoder.fingerprint != ""


def test_the_model_knows_meaning() -> None:
    """The default model finds a paraphrase nearer than a stranger: it is the real one."""
    encoder = load_encoder(DEFAULT_MODEL)
    query, same, other = encoder.encode(
        ["a bank robbery fails", "The heist ends in disaster.", "Two nuns tend a garden."]
    )
    assert float(query @ same) > float(query @ other) + 0.05


def test_a_changed_model_has_another_fingerprint(tmp_path: Path) -> None:
    """Any changed byte among the model's files changes the fingerprint."""
    (tmp_path / "modules.json").write_text("[]")
    before = load_encoder(str(tmp_path)).fingerprint
    (tmp_path / "modules.json").write_text("[ ]")
    assert load_encoder(str(tmp_path)).fingerprint != before


def test_unknown_models_are_named(tmp_path: Path) -> None:
    """A folder without a model is an error that says what was expected."""
    with pytest.raises(InvalidInput, match="no sentence-transformers model"):
        load_encoder(str(tmp_path))
