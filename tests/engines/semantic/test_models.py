"""Models of other kinds than the default: their pooling, tokens, lengths and prompts are kept."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from hybrid.engines.semantic.encoder import OnnxEncoder, prompted
from hybrid.errors import BuildFailed, InvalidInput
from hybrid.storage.manifest import Prompts
from indexer.embedding.model import SentenceModel, load_model
from tests import tiny_models

TEXTS = [
    "a rich girl meets her painter",
    "two nuns, a garden: storm.",
    "",
    "Überfall 宇宙",
    "the boat leaves " * 60,
    *(" ".join(tiny_models.WORDS[n % 9 : n % 9 + 1 + n % 7]) + f" {n}" for n in range(200)),
]

PROMPTS = {"query": "query: ", "passage": "passage: "}

Tiny = Callable[[Path, dict[str, str] | None, str], Path]


@pytest.mark.parametrize(
    ("kind", "pooling"),
    [(tiny_models.mpnet, "max"), (tiny_models.roberta, "cls")],
    ids=["MPNet", "XLM-RoBERTa"],
)
def test_the_export_of_each_kind_is_the_model(kind: Tiny, pooling: str, tmp_path: Path) -> None:
    """200 texts of all lengths have the vectors that sentence-transformers gives them as documents
    and as queries, each with its prompt, alone and beside longer ones."""
    folder = kind(tmp_path / "model", PROMPTS, pooling)
    model = load_model(str(folder))
    assert model.prompts == Prompts(query="query: ", document="passage: ")
    model.export(tmp_path / "encoder", TEXTS[:9], "float32")
    exported = OnnxEncoder(tmp_path / "encoder")
    original = SentenceTransformer(str(folder), device="cpu")
    for name, prompt in (("passage", model.prompts.document), ("query", model.prompts.query)):
        expected = original.encode(TEXTS, prompt_name=name, normalize_embeddings=True)
        assert (expected @ expected.T).min() < 0.9  # texts differ, so that the same is the same
        encoder = prompted(exported, prompt)
        again = np.concatenate([encoder.encode(TEXTS[n : n + 8]) for n in range(0, len(TEXTS), 8)])
        assert (again * expected).sum(axis=1).min() >= 0.9999
        assert (encoder.encode(TEXTS[:1]) * expected[0]).sum() >= 0.9999
    without = exported.encode(TEXTS)
    assert (without * expected).sum(axis=1).min() < 0.9999  # the prompt makes a difference


def test_documents_are_embedded_with_their_prompt(tmp_path: Path) -> None:
    """What a build stores is what sentence-transformers calls the embedding of a document."""
    model = load_model(str(tiny_models.bert(tmp_path / "model", PROMPTS)))
    plain = load_model(str(tiny_models.bert(tmp_path / "plain")))
    assert plain.prompts == Prompts()
    assert model.fingerprint != plain.fingerprint
    assert np.allclose(model.encode(TEXTS[:2]), plain.encode([f"passage: {t}" for t in TEXTS[:2]]))


@pytest.mark.parametrize("broken", ["[]", '{"prompts": ["query"]}', "{"])
def test_prompts_that_cannot_be_read(broken: str, tmp_path: Path) -> None:
    """The error names the file and what is expected in it."""
    (tmp_path / "config_sentence_transformers.json").write_text(broken)
    with pytest.raises(InvalidInput, match=r"config_sentence_transformers.json.*\"query\""):
        _ = SentenceModel(tmp_path).prompts


def test_a_model_that_cannot_be_loaded(tmp_path: Path) -> None:
    """A folder whose modules do not exist is one line that names it, not a stack trace."""
    (tmp_path / "modules.json").write_text('[{"idx": 0, "name": "0", "path": "", "type": "x.Y"}]')
    with pytest.raises(InvalidInput, match=f"{tmp_path.name} cannot be loaded"):
        load_model(str(tmp_path)).encode(["a"])


def test_pooling_without_the_prompt_is_refused(tmp_path: Path) -> None:
    """The export would pool the prompt: that is said before anything is embedded."""
    folder = tiny_models.bert(tmp_path / "model", PROMPTS)
    file = folder / "1_Pooling" / "config.json"
    file.write_text(file.read_text().replace('"include_prompt": true', '"include_prompt": false'))
    with pytest.raises(BuildFailed, match="prompts out of the pooling"):
        load_model(str(folder)).encode(["a"])


def test_a_model_to_fetch_says_how(tmp_path: Path) -> None:
    """A known model that is not there yet is an error with the command that fetches it."""
    with pytest.raises(InvalidInput, match="indexer model fetch all-mpnet-base-v2"):
        load_model("all-mpnet-base-v2", tmp_path)
