"""A model that is an ONNX graph and a tokenizer: it embeds as sentence-transformers would."""

import shutil
from pathlib import Path
from typing import cast

import numpy as np
import onnx
import pytest
import torch
from onnxruntime.quantization import quantize_dynamic
from sentence_transformers import SentenceTransformer

from hybrid.engines.semantic.encoder import OnnxEncoder
from hybrid.storage.manifest import Prompts
from indexer.embedding.onnx_model import GRAPH_FILE, OnnxModel
from tests import tiny_models

PROMPTS = Prompts(query="query: ", document="passage: ")

TEXTS = ["a rich girl meets her painter", "two nuns, a garden: storm.", "", "night " * 40]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> SentenceTransformer:
    """Give a BERT of random weights, which has the mean of its tokens as a text's vector."""
    folder = tiny_models.bert(tmp_path_factory.mktemp("bert") / "model", positions=512)
    return SentenceTransformer(str(folder), device="cpu")


@pytest.fixture(scope="module")
def published(original: SentenceTransformer, tmp_path_factory: pytest.TempPathFactory) -> OnnxModel:
    """Give the same as a folder of a graph of vectors of tokens and a tokenizer."""
    folder = tmp_path_factory.mktemp("published")
    original.tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))
    names = ["input_ids", "attention_mask", "token_type_ids"]
    free = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    program = torch.onnx.export(
        cast("torch.nn.Module", original[0].auto_model).eval(),
        kwargs={name: torch.ones(2, 8, dtype=torch.int64) for name in names},
        input_names=names,
        output_names=["last_hidden_state", "pooled"],
        dynamic_shapes=dict.fromkeys(names, free),
        dynamo=True,
        verbose=False,
    )
    assert program is not None
    onnx.save(program.model_proto, folder / GRAPH_FILE)
    return OnnxModel(folder, PROMPTS)


def test_it_embeds_as_the_original_does(
    original: SentenceTransformer, published: OnnxModel, tmp_path: Path
) -> None:
    """Documents have their prompt, padding does not count, and the export is what embeds them."""
    texts = [PROMPTS.document + text for text in TEXTS]
    expected = original.encode(texts, normalize_embeddings=True)
    assert (expected @ expected.T).min() < 0.95  # texts differ, so that the same is the same
    assert np.allclose(published.encode(TEXTS), expected, atol=1e-5)
    published.export(tmp_path / "encoder", TEXTS, "float32")
    assert np.allclose(OnnxEncoder(tmp_path / "encoder").encode(texts), expected, atol=1e-5)
    cut, longer = published.encode(["night " * 512, "night " * 512 + "garden"])
    assert np.array_equal(cut, longer)


def test_a_quantised_graph_embeds_each_text_alone(published: OnnxModel, tmp_path: Path) -> None:
    """Otherwise films, which are embedded many at once, and queries would have other vectors."""
    shutil.copytree(published.folder, tmp_path / "int8")
    quantize_dynamic(published.folder / GRAPH_FILE, tmp_path / "int8" / GRAPH_FILE)
    model = OnnxModel(tmp_path / "int8", PROMPTS)
    assert model.fingerprint != published.fingerprint
    model.export(tmp_path / "encoder", TEXTS, "int8")
    queries = OnnxEncoder(tmp_path / "encoder", "int8")
    films = [queries.encode([PROMPTS.document + text])[0] for text in TEXTS]
    assert np.array_equal(model.encode(TEXTS), films)
    assert not np.allclose(films, published.encode(TEXTS), atol=1e-5)
