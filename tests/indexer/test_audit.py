"""The audit of a published index: what more probes find, and that it is what the build measured."""

from pathlib import Path

import pytest

from hybrid.errors import InvalidInput
from indexer.audit import audit
from indexer.report import report_audit
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
