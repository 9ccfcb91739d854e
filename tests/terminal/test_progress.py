"""The progress of long work, as a terminal and as a log show it."""

import sys
from io import StringIO

import pytest

from hybrid.terminal.progress import counter


class Terminal(StringIO):
    """A standard error that is a terminal."""

    def isatty(self) -> bool:
        """Return True."""
        return True


@pytest.mark.parametrize("stderr", [Terminal(), StringIO()])
def test_a_counter_shows_position_and_rate(
    stderr: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A terminal sees count, rate and the time left; a log has one line that says what is done."""
    monkeypatch.setattr(sys, "stderr", stderr)
    with counter(1000, "embedding", "sentences", hidden=False) as advance:
        advance(512)
        advance(488)
    shown = stderr.getvalue()
    assert "embedding 1,000 sentences" in shown
    if stderr.isatty():
        assert "512/1000" in shown
        assert "1000/1000" in shown
        assert "sentences/s" in shown
    else:
        assert len(shown.splitlines()) == 1


def test_a_hidden_counter_prints_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even in a terminal."""
    monkeypatch.setattr(sys, "stderr", stderr := Terminal())
    with counter(10, "embedding", "sentences", hidden=True) as advance:
        advance(10)
    assert stderr.getvalue() == ""
