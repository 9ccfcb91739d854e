"""The audit of a published index: what more probes find, and that it is what the build measured."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from hybrid.errors import InvalidInput
from indexer.audit import audit
from indexer.report import report_audit
from indexer.semantic_index.train import LARGE, fewest_probes
from tests import corpus
from tests.stores import build_stores


def test_the_curve_of_recall(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """More probes find no less, and the probes that the index has find what the build measured."""
    semantic = build_stores(tmp_path, corpus.films(400)).manifest.semantic
    found = audit(tmp_path)
    recalls = {point.nprobe: point.recall_at_10 for point in found.curve}
    assert list(recalls.values()) == sorted(recalls.values())
    assert recalls[1] < recalls[semantic.nprobe or 0] == semantic.recall_at_10
    assert max(recalls) == semantic.lists
    assert all(point.milliseconds > 0 for point in found.curve)
    report_audit(found)
    (line,) = [text for text in capsys.readouterr().out.splitlines() if "as searched" in text]
    assert line.split()[:2] == [str(semantic.nprobe), f"{semantic.recall_at_10:.4f}"]


def test_a_small_index_is_exact(tmp_path: Path) -> None:
    """It has no curve, which is said."""
    build_stores(tmp_path, corpus.films(10))
    with pytest.raises(InvalidInput, match="its recall is 1"):
        audit(tmp_path)


@pytest.mark.parametrize(
    ("sentences", "lists", "best", "expected"),
    [
        (LARGE - 1, 64, 1.0, 60),  # 1 - (4 / 64)^2 is .996, two probes fewer give .991
        (LARGE, 64, 1.0, 54),  # .976, two fewer .965
        (LARGE, 4, 1.0, 4),
        (LARGE, 64, 0.9, 64),  # what is wanted is not reached: all lists
    ],
)
def test_the_fewest_probes_that_are_enough(
    monkeypatch: pytest.MonkeyPatch, sentences: int, lists: int, best: float, expected: int
) -> None:
    """They are chosen in steps of a 32nd of the lists; a large index may find less."""
    measured = SimpleNamespace(
        recall_at_10=lambda nprobe: best * (1 - (1 - nprobe / lists) ** 2),
    )
    monkeypatch.setattr("indexer.semantic_index.train.RecallProbes.of", lambda _: measured)
    monkeypatch.setattr("indexer.semantic_index.train.IvfPqEngine", lambda _, nprobe, __: nprobe)
    exact = SimpleNamespace(sentences=SimpleNamespace(total=lambda: sentences))
    index = SimpleNamespace(nlist=lists)
    nprobe, recall = fewest_probes(index, exact)  # type: ignore[arg-type]
    assert (nprobe, recall) == (expected, measured.recall_at_10(expected))
