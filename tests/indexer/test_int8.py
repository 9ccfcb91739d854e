"""Queries embedded in int8: a setting that changes nothing but the model of the queries."""

import json
import re
import shutil
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest

from hybrid.engines import factory
from hybrid.engines.factory import (
    EncoderCache,
    open_encoder,
    open_query_encoder,
    open_semantic,
    open_sentences,
)
from hybrid.engines.protocols import Encoder
from hybrid.engines.semantic.encoder import MODEL_FILES, WEIGHTS_SUFFIX, OnnxEncoder
from hybrid.engines.semantic.exact import ExactEngine
from hybrid.errors import BuildFailed
from hybrid.evaluation.formats import read_judgements
from hybrid.settings import Precision, Settings
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.generation import Generation, open_current, open_described, published
from hybrid.storage.manifest import Manifest
from hybrid.vectors import Vectors
from indexer import encoder_loss, verify
from indexer.backends import EncoderChange, backends_for
from indexer.embedding.embed import ExportedModel
from indexer.embedding.model import SentenceModel
from indexer.encoder_loss import encoder_losses
from indexer.films.sentences import sentence_texts
from indexer.query_encoder import overlap_at_10
from indexer.update import change, upsert
from tests import corpus
from tests.command import run
from tests.stores import build_stores, put

SOURCE = "IMDb movies.csv"
NEW = '{"id": 7, "title": "The Lighthouse Machine", "description": "It dreams of the sea."}'
JUDGED = (
    {"id": "1", "query": "a banker befriends a smuggler in prison", "relevant": [111161]},
    {"id": "2", "query": "the youngest takes over", "relevant": [68646]},
    {"id": "3", "query": "hope", "relevant": [111161]},
)


@pytest.fixture(scope="module")
def update(embedded: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Give the folder of an index whose queries an update changed to int8, and what it printed."""
    folder = Path(shutil.copytree(embedded, tmp_path_factory.mktemp("int8") / "index"))
    judged = folder / "judged.jsonl"
    judged.write_text("".join(json.dumps(line) + "\n" for line in JUDGED), "utf-8")
    options = ("--encoder", "int8", "--judged", str(judged), "--quiet")
    return folder, indexer(folder, "update", str(folder / SOURCE), *options)


@pytest.fixture
def folder(update: tuple[Path, str], tmp_path: Path) -> Path:
    """Give a copy of it to change."""
    return Path(shutil.copytree(update[0], tmp_path / "index"))


def indexer(folder: Path, *arguments: str, typed: str = "") -> str:
    """Run a command of the indexer, which must succeed; return what it printed."""
    done = run("indexer", *arguments, typed=typed, HYBRID_DATA=str(folder / "data"))
    assert done.returncode == 0, done.stderr
    return done.stdout


def generations(folder: Path) -> list[Generation]:
    """Return the published generation and the one before."""
    data = folder / "data"
    return [open_described(data, line) for line in published(data)]


def stored_and_again(generation: Generation, encoder: Encoder) -> tuple[Vectors, Vectors]:
    """Return the vectors of the films' sentences as stored, and as `encoder` gives them."""
    catalogue = Catalogue(generation.folder)
    sentences = open_sentences(generation, catalogue)
    films = catalogue.all_with_sentences()
    texts = [text for film in films for text in sentence_texts(film.movie, film.spans)]
    catalogue.close()
    rows = sentences.sentence_rows(np.arange(len(sentences.counts)))
    model = ExportedModel("", encoder)
    return sentences.vectors(rows), model.encode(texts)


def test_only_the_model_of_queries_changes(update: tuple[Path, str]) -> None:
    """An update to int8 shares what the films are found by; queries get other vectors."""
    folder, printed = update
    now, before = generations(folder)
    assert before.manifest.model.queries.precision == "float32"
    queries = now.manifest.model.queries
    assert queries.precision == "int8"
    assert queries.least_cosine is not None
    assert queries.mean_cosine is not None
    assert queries.overlap_at_10 is not None
    assert 0.95 < queries.least_cosine < queries.mean_cosine < 0.9999
    assert 0.5 < queries.overlap_at_10 <= 1
    assert f"cosine to float32 {queries.mean_cosine:.4f}" in printed
    assert re.search(r"added +0\nchanged +0\nremoved +0\n", printed)
    for name in before.manifest.files:
        if name.startswith("vectors-"):
            assert now.file(name).samefile(before.file(name))
    vectors = [open_query_encoder(generation).encode(["a heist"]) for generation in (now, before)]
    assert 0.95 < float((vectors[0] * vectors[1]).sum()) < 0.9999


def test_the_loss_is_that_of_the_evaluation(update: tuple[Path, str], folder: Path) -> None:
    """The nDCG printed for both precisions is what `evaluate` measures with each."""
    pattern = r"nDCG@10 +(\w+): ([\d.]+) instead of ([\d.]+) in float32 \(([+-][\d.]+) on 3 judged"
    found = {mode: figures for mode, *figures in re.findall(pattern, update[1])}
    int8 = mean_ndcg(folder)
    indexer(folder, "update", str(folder / SOURCE), "--encoder", "float32")
    float32 = mean_ndcg(folder)
    assert found == {
        mode: [f"{int8[mode]:.4f}", f"{float32[mode]:.4f}", f"{int8[mode] - float32[mode]:+.4f}"]
        for mode in ("hybrid", "semantic")
    }
    assert float32["hybrid"] > 0.5


def mean_ndcg(folder: Path) -> dict[str, float]:
    """Return the mean nDCG@10 of each run that `evaluate` measures."""
    output = folder / "evaluation.json"
    command = ("evaluate", "--queries", str(folder / "judged.jsonl"), "--json", str(output))
    done = run("hybrid", *command, HYBRID_DATA=str(folder / "data"))
    assert done.returncode == 0, done.stderr
    means = json.loads(output.read_text("utf-8"))["means"]["all"]
    return {name: measures["nDCG@10"]["mean"] for name, measures in means.items()}


def test_the_loss_is_that_of_int8(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where int8 finds nothing that is relevant, the loss is all that float32 finds."""
    settings = Settings(data=folder / "data")
    judgements = read_judgements(folder / "judged.jsonl")
    real = {loss.mode: loss for loss in encoder_losses(settings, judgements)}
    monkeypatch.setattr(
        encoder_loss, "open_query_encoder", lambda of: Negative(open_query_encoder(of))
    )
    worst = {loss.mode: loss for loss in encoder_losses(settings, judgements)}
    for mode in ("hybrid", "semantic"):
        assert worst[mode].float32 == real[mode].float32
    assert worst["semantic"].int8 < real["semantic"].int8


def test_films_are_always_embedded_in_float32(folder: Path) -> None:
    """A film that is added to an index of int8 gets the vectors of float32."""
    indexer(folder, "upsert", typed=NEW)
    generation = generations(folder)[0]
    assert generation.manifest.model.queries.precision == "int8"
    stored, again = stored_and_again(generation, open_encoder(generation))
    assert (stored * again).sum(axis=1).min() > 0.99999
    _, quantised = stored_and_again(generation, open_query_encoder(generation))
    assert (stored * quantised).sum(axis=1).max() < 0.9999


def test_an_update_keeps_the_precision_unless_told(folder: Path) -> None:
    """Without the setting nothing changes. With it float32 comes back by sharing its files."""
    printed = indexer(folder, "update", str(folder / SOURCE))
    assert printed.startswith("Nothing changed")
    indexer(folder, "update", str(folder / SOURCE), "--encoder", "float32")
    now, before = generations(folder)
    assert now.manifest.model.queries.precision == "float32"
    names = {name for name in now.manifest.files if name.startswith("encoder/")}
    float32 = MODEL_FILES["float32"]
    assert names == {
        f"encoder/{name}" for name in (float32, float32 + WEIGHTS_SUFFIX, "tokenizer.json")
    }
    assert all(now.file(name).samefile(before.file(name)) for name in names)


def test_a_build_is_in_float32_unless_told(folder: Path) -> None:
    """A new build has its own setting, and shares what it needs of the model."""
    before = generations(folder)[0]
    indexer(folder, "build", str(folder / SOURCE), "--quiet")
    now = generations(folder)[0]
    assert now.manifest.model.queries.precision == "float32"
    file = f"encoder/{MODEL_FILES['float32']}"
    assert now.file(file).samefile(before.file(file))


def test_verify_compares_both_precisions(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says which precision is checked, and that a processor gives int8 other vectors."""
    assert re.search(r"encoder +ok +queries in int8", indexer(folder, "verify"))
    monkeypatch.setattr(verify, "open_query_encoder", lambda of: Negative(open_query_encoder(of)))
    data = folder / "data"
    report = verify.verify(data, backends_for(Settings(data=data)))
    findings = {check.name: check.findings for check in report.checks if check.findings}
    assert list(findings) == ["encoder"]
    assert "--encoder float32" in findings["encoder"][0]


class Negative:
    """An encoder whose vectors are the opposites of those of another."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return them."""
        return -self.encoder.encode(texts)


def test_another_model_cannot_be_quantised(embedded: Path, tmp_path: Path) -> None:
    """Where the model of that name is another one now, nothing is published."""
    data = Path(shutil.copytree(embedded / "data", tmp_path / "data"))
    name = open_current(data).manifest.name
    (tmp_path / "modules.json").write_text("[]")
    other = SentenceModel(tmp_path)
    backends = backends_for(Settings(data=data), encoder=EncoderChange("int8", lambda _: other))
    with pytest.raises(BuildFailed, match="no longer the one"):
        change(data, upsert(()), backends)
    assert open_current(data).manifest.name == name


def test_an_index_of_an_earlier_version(update: tuple[Path, str], tmp_path: Path) -> None:
    """Its manifest says nothing of precisions, and its graph has the weights inside."""
    generation = generations(update[0])[0]
    described = json.loads(generation.manifest.model_dump_json())
    del described["model"]["queries"], described["model"]["export"]
    earlier = Manifest.model_validate(described).model
    assert (earlier.export, earlier.queries.precision) == (1, "float32")
    shutil.copy(generation.file("encoder/tokenizer.json"), tmp_path)
    file = MODEL_FILES["float32"]
    with warnings.catch_warnings(action="ignore"):  # onnx does not read weights that are packed
        onnx.save(onnx.load(generation.file(f"encoder/{file}")), tmp_path / file)
    texts = ["a heist", "two nuns tend a garden"]
    assert np.array_equal(
        OnnxEncoder(tmp_path).encode(texts), open_encoder(generation).encode(texts)
    )


def test_the_export_of_an_earlier_version_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build exports the model again if it has become another export; a change does not."""
    films = corpus.films(20)
    data = tmp_path / "data"
    first = build_stores(data, films)
    monkeypatch.setattr("indexer.build.EXPORT", first.manifest.model.export + 1)
    changed = put(data, films[0].model_copy(update={"title": "Another"})).manifest
    assert changed.model == first.manifest.model
    second = build_stores(data, films)
    assert second.manifest.model.export == first.manifest.model.export + 1
    before = data / "generations" / changed.name
    assert not (second.folder / "encoder/words").samefile(before / "encoder/words")
    third = build_stores(data, films)
    assert (third.folder / "encoder/words").samefile(second.folder / "encoder/words")


def test_models_are_opened_once(update: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Generations that share a model share the opened one. A generation in float32 has one for
    queries and films, one in int8 opens another for films, and only when a film changes."""
    now, before = generations(update[0])
    opened: list[str] = []

    def open_onnx(folder: Path, precision: Precision = "float32") -> OnnxEncoder:
        opened.append(precision)
        return OnnxEncoder(folder, precision)

    monkeypatch.setattr(factory, "OnnxEncoder", open_onnx)
    cache = EncoderCache()
    queries = cache.of_queries(before)
    cache.of_films(before)
    assert cache.of_queries(before) is queries
    assert opened == ["float32"]
    assert cache.of_queries(now) is cache.of_queries(now) is not queries
    assert opened == ["float32", "int8"]
    cache = EncoderCache()  # both generations have the same model of films
    cache.of_queries(now)
    assert opened[2:] == ["int8"]
    assert cache.of_films(now) is cache.of_films(now)
    assert opened[2:] == ["int8", "float32"]
    texts = ["a heist"]
    for found, expected in (
        (cache.of_queries(now), open_query_encoder(now)),
        (cache.of_films(now), open_encoder(now)),
    ):
        assert np.array_equal(found.encode(texts), expected.encode(texts))


def test_judged_queries_are_read_first(embedded: Path, tmp_path: Path) -> None:
    """A file that holds none is an error before anything is built."""
    (tmp_path / "judged.jsonl").write_text("{}")
    command = ("build", str(embedded / SOURCE), "--judged", str(tmp_path / "judged.jsonl"))
    done = run("indexer", *command, HYBRID_DATA=str(tmp_path / "data"))
    assert done.returncode == 1
    assert "judged.jsonl" in done.stderr
    assert not (tmp_path / "data").exists()


def test_an_unknown_precision_is_refused(embedded: Path, tmp_path: Path) -> None:
    """The error names the setting and what it may be."""
    command = ("build", str(embedded / SOURCE), "--encoder", "int4")
    done = run("indexer", *command, HYBRID_DATA=str(tmp_path / "data"))
    assert done.returncode == 1
    assert "HYBRID_ENCODER" in done.stderr
    assert "'int8'" in done.stderr


def test_overlap_of_rankings(tmp_path: Path) -> None:
    """The same queries find all of the ten best films, opposite ones few, which are chance."""
    build_stores(tmp_path / "data", corpus.films(90))
    generation = open_current(tmp_path / "data")
    catalogue = Catalogue(generation.folder)
    exact = open_semantic(generation, catalogue)
    assert isinstance(exact, ExactEngine)
    queries = np.random.default_rng(0).standard_normal((20, 64)).astype(np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    assert overlap_at_10(exact, queries, queries) == 1
    assert overlap_at_10(exact, queries, -queries) < 0.3
    mixed = np.concatenate([queries[:10], -queries[10:]])
    assert 0.5 < overlap_at_10(exact, queries, mixed) < 0.65
    catalogue.close()
