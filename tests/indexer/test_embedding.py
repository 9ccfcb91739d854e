"""The cache of embeddings, and what is read from it and written into it."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from hybrid.engines.semantic.side_by_side import Share, unit
from hybrid.errors import BuildFailed
from hybrid.vectors import Vectors
from indexer.embedding import cache, embed
from indexer.embedding.cache import CACHE, drop_vectors, hold_cache, import_vectors, open_cache
from indexer.embedding.centring import mean_to_subtract
from indexer.embedding.embed import ExportedModel, WeightedModel, embed_into
from tests.fakes import HashingEncoder

TEXTS = [f"Sentence {number} of a film." for number in range(9)]


class Counter:
    """Stands for the progress bar, and notes what it is asked to show."""

    def __init__(self) -> None:
        self.shown: list[tuple[int, str, str, bool]] = []
        self.advanced: list[int] = []

    @contextmanager
    def __call__(self, length: int, label: str, unit: str, *, hidden: bool) -> Iterator[object]:
        """Show progress."""
        self.shown.append((length, label, unit, hidden))
        yield self.advanced.append


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> Counter:
    """Give what stands for the progress bar."""
    stand_in = Counter()
    monkeypatch.setattr(embed, "counter", stand_in)
    return stand_in


def keys(folder: Path) -> set[bytes]:
    """Return the keys in a cache."""
    with closing(sqlite3.connect(folder / CACHE)) as opened:
        return {key for (key,) in opened.execute("SELECT key FROM sentences")}


def keys_of(*texts: str) -> set[bytes]:
    """Return the keys of texts."""
    return {cache.key_of(HashingEncoder().fingerprint, text) for text in texts}


def test_what_is_missing_is_embedded(tmp_path: Path, counter: Counter) -> None:
    """Each distinct text once, and none that the cache has; the progress bar counts these, names
    the device, and is hidden where there is nothing to do or nobody to look."""
    model = HashingEncoder()
    assert embed_into(tmp_path / CACHE, TEXTS[:4], model, quiet=False) == 4
    assert embed_into(tmp_path / CACHE, [*TEXTS, *TEXTS], model, quiet=True) == 5
    assert embed_into(tmp_path / CACHE, TEXTS, model, quiet=False) == 0
    assert sorted(model.encoded) == sorted(TEXTS)
    assert keys(tmp_path) == keys_of(*TEXTS)
    on = f"embedding on {model.device}"
    assert counter.shown == [
        (4, on, "sentences", False),
        (5, "embedding", "sentences", True),
        (0, "embedding", "sentences", True),
    ]
    assert counter.advanced == [4, 5]


def test_texts_are_embedded_in_parts(
    tmp_path: Path, counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A block is looked up at once and a chunk embedded at once, down to the last text; what was
    embedded before an error is kept."""
    monkeypatch.setattr(embed, "BLOCK", 4)
    monkeypatch.setattr(embed, "CHUNK", 3)
    monkeypatch.setattr(cache, "LOOKUP", 2)
    model = HashingEncoder()
    assert embed_into(tmp_path / CACHE, TEXTS, model, quiet=True) == 9
    assert counter.advanced == [3, 1, 3, 1, 1]
    out = tmp_path / "out.npy"
    models = [WeightedModel(model, Share())]
    stats = embed.embed([*TEXTS, TEXTS[0]], models, tmp_path / CACHE, out, quiet=True)
    assert (stats.texts, stats.distinct, stats.encoded) == (10, 9, 0)
    assert np.load(out).tolist() == HashingEncoder().encode([*TEXTS, TEXTS[0]]).tolist()
    assert len(counter.advanced) == 5
    with open_cache(tmp_path / CACHE) as opened:
        wanted = sorted(keys_of(*TEXTS))
        assert sorted(cache.present(opened, [*wanted, b"unknown"])) == wanted
        found = np.concatenate(list(cache.blocks_of(opened, wanted)))
        assert [row.tobytes() for row in found] == [
            dict(cache.stored(opened, wanted))[k] for k in wanted
        ]


def test_vectors_are_dropped(tmp_path: Path) -> None:
    """Those of the given texts and the given model alone."""
    model = HashingEncoder()
    embed_into(tmp_path / CACHE, TEXTS, model, quiet=True)
    drop_vectors(tmp_path / CACHE, "another model", TEXTS)
    assert keys(tmp_path) == keys_of(*TEXTS)
    drop_vectors(tmp_path / CACHE, model.fingerprint, [*TEXTS[2:4], "unknown"])
    assert keys(tmp_path) == keys_of(*TEXTS[:2], *TEXTS[4:])


def test_a_cache_that_is_held_keeps_its_log(tmp_path: Path) -> None:
    """Without somebody who holds it, closing it moves the log to the file; a thread may close what
    another one holds."""
    log = tmp_path / f"{CACHE}-wal"
    embed_into(tmp_path / CACHE, TEXTS[:2], HashingEncoder(), quiet=True)
    assert not log.exists()
    with closing(hold_cache(tmp_path / CACHE)):
        embed_into(tmp_path / CACHE, TEXTS, HashingEncoder(), quiet=True)
        assert log.stat().st_size > 0
    assert not log.exists()
    assert keys(tmp_path) == keys_of(*TEXTS)


def test_a_cache_is_imported_without_a_change_of_it(tmp_path: Path) -> None:
    """Only what is missing is added; a path may have any characters; what is not there is an error
    and is not made."""
    here, other = tmp_path / "here", tmp_path / "other ?#%"
    for folder, texts in ((here, TEXTS[:3]), (other, TEXTS[2:])):
        folder.mkdir()
        embed_into(folder / CACHE, texts, HashingEncoder(), quiet=True)
    before = (other / CACHE).read_bytes()
    assert import_vectors(here / CACHE, other / CACHE) == 6
    assert import_vectors(here / CACHE, other / CACHE) == 0
    assert keys(here) == keys_of(*TEXTS)
    assert (other / CACHE).read_bytes() == before
    with pytest.raises(BuildFailed, match=r"missing\.sqlite is not a cache of embeddings"):
        import_vectors(here / CACHE, tmp_path / "missing.sqlite")
    assert not (tmp_path / "missing.sqlite").exists()


class Batches(HashingEncoder):
    """An encoder that notes how many texts it is given at once, and how long they are."""

    def __init__(self) -> None:
        super().__init__()
        self.lengths: list[list[int]] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return vectors."""
        self.lengths.append([len(text) for text in texts])
        return super().encode(texts)


@pytest.mark.parametrize(
    ("cores", "lengths"),
    [
        (1, [[4, 8, 12, 16], [20, 24, 28, 32], [36]]),
        (4, [[4, 8, 12], [16, 20, 24], [28, 32, 36]]),
        (99, [[length] for length in range(4, 40, 4)]),
    ],
)
def test_batches_have_texts_of_similar_length(
    monkeypatch: pytest.MonkeyPatch, cores: int, lengths: list[list[int]]
) -> None:
    """The shortest first, so many batches that every core has one; vectors come in the order of the
    texts."""
    monkeypatch.setattr(embed, "BATCH", 4)
    monkeypatch.setattr(embed, "cores", lambda: cores)
    encoder = Batches()
    texts = ["abc " * ((7 * number) % 9 + 1) for number in range(9)]
    vectors = ExportedModel("print", encoder).encode(texts)
    assert vectors.dtype == np.float32
    assert vectors.tolist() == HashingEncoder().encode(texts).tolist()
    assert sorted(encoder.lengths) == lengths
    assert ExportedModel("print", encoder).encode([]).shape[0] == 0


def test_only_squeezed_vectors_are_centred() -> None:
    """Vectors in all directions are not, nor few, nor those of one sentence over and over."""
    random = np.random.default_rng(0)
    spread = unit(random.standard_normal((300, 64)).astype(np.float32))
    corner = np.eye(1, 64, dtype=np.float32)
    squeezed = unit(spread + 2 * corner)
    mean = mean_to_subtract(squeezed)
    assert mean is not None
    assert np.allclose(mean, squeezed.mean(axis=0), atol=1e-6)
    for others in (spread, unit(spread + 0.5 * corner), squeezed[:255], np.repeat(corner, 300, 0)):
        assert mean_to_subtract(others) is None
    assert mean_to_subtract(np.empty((0, 0), np.float32)) is None
