"""Several models side by side: their vectors are one, in builds, changes and searches."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from sentence_transformers import SentenceTransformer

from hybrid.engines.factory import EncoderCache, open_query_encoder, open_sentences, shares_of
from hybrid.engines.lexical.tantivy_writer import TantivyWriter
from hybrid.engines.protocols import Encoder
from hybrid.engines.semantic.side_by_side import Share, join, side_by_side, unit
from hybrid.errors import GenerationUnusable, InvalidInput
from hybrid.fusion.preferences import Preferences
from hybrid.query import SearchQuery
from hybrid.settings import DEFAULT_MODEL, Settings, model_weights
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.generation import Generation, open_current, piece_file
from hybrid.vectors import Vectors
from hybrid.wiring import open_search
from indexer.build import BuildOptions, BuildResult, build
from indexer.cli import main
from indexer.embedding.model import NamedModel, chosen_models
from indexer.films.sentences import all_texts, cut
from indexer.repair import repair
from indexer.update import change, upsert
from indexer.verify import verify
from tests import corpus, tiny_models
from tests.fakes import HashingEncoder
from tests.stores import films_file, tools

FILMS = corpus.films(200)


class Other(HashingEncoder):
    """Another model, of other vectors."""

    fingerprint = "other-64"

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return float32 (len(texts), 64), every row of length 1."""
        return np.roll(super().encode(texts), 7, axis=1)


class Squeezed(HashingEncoder):
    """A model whose vectors lie in one corner of their space."""

    fingerprint = "squeezed-64"

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return float32 (len(texts), 64), every row of length 1."""
        return unit(super().encode(texts) + np.eye(1, 64, 3, dtype=np.float32) * 3)


def test_the_cosine_is_weighted() -> None:
    """Weights act as documented, and the models' vectors are of length 1 together."""
    random = np.random.default_rng(0)
    first, second = (unit(random.standard_normal((9, d)).astype(np.float32)) for d in (5, 3))
    joined = join([first, second], [Share(1.0), Share(0.5)])
    assert joined.shape == (9, 8)
    assert joined.dtype == np.float32
    expected = (first @ first.T + 0.25 * second @ second.T) / 1.25
    assert np.allclose(joined @ joined.T, expected, atol=1e-6)
    assert join([first], [Share()]) is first  # a single model: not one bit changes
    mean = first.mean(axis=0)
    assert np.allclose(join([first], [Share(1.0, mean)]), unit(first - mean), atol=1e-6)


@pytest.mark.parametrize("listed", ["", "a,,b", "a:0", "a:.", "a:1.2.3", ":2"])
def test_weights_that_are_none(listed: str) -> None:
    """They are refused before anything starts, naming the variable."""
    with pytest.raises(InvalidInput, match=r"HYBRID_MODEL: .*weight above 0"):
        Settings.load(model=listed)
    assert model_weights("a, org/b:0.5,c:\\d") == (("a", 1.0), ("org/b", 0.5), ("c:\\d", 1.0))


def test_profiles_name_models(tmp_path: Path) -> None:
    """Small is the default; best says how its large model is fetched; neither goes with a model."""
    default = chosen_models(Settings())
    assert chosen_models(Settings(profile="small")) == default
    assert [(chosen.name, chosen.weight) for chosen in default] == [(DEFAULT_MODEL, 1.0)]
    with pytest.raises(InvalidInput, match="model fetch all-mpnet-base-v2"):
        chosen_models(Settings(profile="best", models=tmp_path))
    (tmp_path / "all-mpnet-base-v2").mkdir()
    best = chosen_models(Settings(profile="best", models=tmp_path))
    assert [(chosen.name, chosen.weight) for chosen in best] == [
        ("all-mpnet-base-v2", 1.0),
        (DEFAULT_MODEL, 0.7),
    ]
    with pytest.raises(InvalidInput, match="HYBRID_MODEL and HYBRID_PROFILE exclude each other"):
        chosen_models(Settings(profile="small", model="all-mpnet-base-v2"))


def build_with(data: Path, *models: NamedModel) -> BuildResult:
    """Publish a generation of the films, embedded by these models."""
    source = films_file(data.with_name("source"), FILMS)
    options = BuildOptions(source.with_name("mapping.toml"), quiet=True, beside=models[1:])
    first = models[0]
    return build(
        source, data, first.name, first.model, lambda folder, _: TantivyWriter(folder), options
    )


def test_preferences_of_other_models(tmp_path: Path) -> None:
    """A build with other models or weights says that `ranking.toml` was made without them."""
    data = tmp_path / "data"
    a, b = NamedModel("a", HashingEncoder()), NamedModel("b", Other())
    build_with(data, a)
    assert build_with(data, a, b).warnings == []
    Preferences(alpha=0.4).save(data)
    assert build_with(data, a, b).warnings == []
    (warning,) = build_with(data, a, replace(b, weight=0.5)).warnings
    assert "ranking.toml was made for an index of other models" in warning
    assert Preferences.load(data).alpha == 0.4


def stored(generation: Generation) -> Vectors:
    """Return the vectors of the base as they are in the file."""
    vectors: Vectors = np.load(generation.file(piece_file(0)))
    return vectors


def test_another_weight_embeds_nothing(tmp_path: Path) -> None:
    """Each model's vectors are in the cache by themselves, and its export is shared."""
    first, other = HashingEncoder(), Other()
    one = build_with(tmp_path / "data", NamedModel("a", first), NamedModel("b", other, 0.5))
    assert one.embedded.encoded == 2 * one.embedded.distinct
    texts = list(all_texts(cut(FILMS)))
    shares = [Share(1.0), Share(0.5)]
    generation = open_current(tmp_path / "data")
    expected = join([HashingEncoder().encode(texts), Other().encode(texts)], shares)
    assert np.allclose(stored(generation), expected, atol=1e-6)
    assert [(m.name, m.weight, m.dimension) for m in generation.manifest.models] == [
        ("a", 1.0, 64),
        ("b", 0.5, 64),
    ]
    first.encoded.clear()
    two = build_with(tmp_path / "data", NamedModel("b", other), NamedModel("a", first, 0.25))
    assert (two.embedded.encoded, first.encoded) == (0, [])
    now = open_current(tmp_path / "data")
    assert now.file("encoder/words").samefile(generation.file("encoder/1/words"))
    assert now.file("encoder/1/words").samefile(generation.file("encoder/words"))
    of_one = replace(now, manifest=now.manifest.model_copy(update={"beside": ()}))
    with (
        closing(Catalogue(now.folder)) as catalogue,
        pytest.raises(GenerationUnusable, match="not those of its models, which have 64"),
    ):
        open_sentences(of_one, catalogue)
    alone = build_with(tmp_path / "data", NamedModel("a", first))
    assert alone.embedded.encoded == 0
    plain = open_current(tmp_path / "data")
    assert not plain.file("encoder/1").exists()
    assert np.array_equal(stored(plain), HashingEncoder().encode(texts))


def test_squeezed_vectors_are_centred(tmp_path: Path) -> None:
    """The mean of a model whose cosines are all high is subtracted, from films that change, too."""
    data = tmp_path / "data"
    build_with(data, NamedModel("squeezed", Squeezed()), NamedModel("b", Other(), 0.5))
    before = open_current(data)
    assert [model.centred for model in before.manifest.models] == [True, False]
    mean = np.load(before.file("encoder/mean.npy"))
    texts = list(all_texts(cut(FILMS)))
    assert np.allclose(mean, Squeezed().encode(texts).mean(axis=0), atol=0.02)

    def open_both(generation: Generation) -> Encoder:
        shares = shares_of(generation.folder, generation.manifest.models)
        return side_by_side([Squeezed(), Other()], shares)

    backends = replace(tools(), encoder_of=open_both)
    text = "A whale sings to a lighthouse keeper."
    new = FILMS[0].model_copy(update={"description": text})
    change(data, upsert([new]), backends)
    now = open_current(data)
    shares = [Share(1.0, mean), Share(0.5)]
    (again,) = join([Squeezed().encode([text]), Other().encode([text])], shares)
    with closing(Catalogue(now.folder)) as catalogue:
        row = catalogue.columns.rows_of(np.array([new.id]))
        sentences = open_sentences(now, catalogue)
        (found,) = sentences.vectors(sentences.sentence_rows(row))
    assert np.allclose(found, again, atol=1e-6)
    assert now.file("encoder/mean.npy").samefile(before.file("encoder/mean.npy"))
    assert verify(data, backends, full=True).clean
    repair(data, backends, embed_again=True)
    assert verify(data, backends, full=True).clean
    mixed = replace(
        backends,
        encoder_of=lambda generation: side_by_side(
            [Squeezed(), HashingEncoder()], shares_of(generation.folder, generation.manifest.models)
        ),
    )
    assert not verify(data, mixed).clean


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with two real models, and an index that the command built with both."""
    folder = tmp_path_factory.mktemp("two")
    source = films_file(folder / "source", FILMS[:60])
    models = (
        "--model",
        str(tiny_models.bert(folder / "bert", {"query": "the ", "document": "a "})),
        "--model",
        f"{tiny_models.mpnet(folder / 'mpnet')}:0.5",
    )
    arguments = (str(source), "--mapping", str(source.with_name("mapping.toml")), "--quiet")
    data = ("--data", str(folder / "data"))
    done = CliRunner().invoke(main, ["build", *arguments, *models, *data])
    assert done.exit_code == 0, done.output
    assert "mpnet:0.5" in done.output
    return folder


def test_queries_are_embedded_by_all(two: Path) -> None:
    """A query has the vector that sentence-transformers gives it by each model, with its prompt."""
    generation = open_current(two / "data")
    first, second = (
        SentenceTransformer(str(two / name), device="cpu").encode(
            [prompt + "a rich girl"], normalize_embeddings=True
        )
        for name, prompt in (("bert", "the "), ("mpnet", ""))
    )
    expected = join([first, second], [Share(1.0), Share(0.5)])
    for encoder in (open_query_encoder(generation), EncoderCache().of_queries(generation)):
        assert np.allclose(encoder.encode(["a rich girl"]), expected, atol=1e-3)
    films = EncoderCache().of_films(generation).encode(["a rich girl"])
    assert not np.allclose(films, expected, atol=1e-3)  # they have another prompt
    with closing(open_search(Settings(data=two / "data"))) as search:
        found = search.search(SearchQuery(query="captain mirror", mode="semantic", limit=5))
        assert len(found.hits) == 5


def test_changes_need_no_pytorch(two: Path) -> None:
    """A film that is added is embedded by both exports; verify finds the stores in agreement."""
    data = two / "data"
    film = '{"id": 4242, "title": "New", "description": "The girl meets two nuns."}'
    done = CliRunner().invoke(main, ["upsert", "--data", str(data)], input=film)
    assert done.exit_code == 0, done.output
    done = CliRunner().invoke(main, ["verify", "--full", "--data", str(data)])
    assert done.exit_code == 0, done.output
