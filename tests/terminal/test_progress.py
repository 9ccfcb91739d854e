"""The progress of long work, as a terminal and as a log show it."""

import sys
from io import StringIO

import pytest

from hybrid.terminal.progress import counter, stage, tally


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


@pytest.mark.parametrize("stderr", [Terminal(), StringIO()])
def test_a_tally_counts_without_a_total(stderr: StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal sees count and rate in one line that changes; a log has one line."""
    monkeypatch.setattr(sys, "stderr", stderr)
    with tally("reading films.csv", "records", hidden=False) as advance:
        advance(1500)
        advance(500)
    shown = stderr.getvalue()
    assert "reading films.csv" in shown
    assert len(shown.splitlines()) == (3 if stderr.isatty() else 1)  # a return begins a line anew
    if stderr.isatty():
        assert "1,500 records" in shown
        assert "2,000 records, " in shown
        assert "records/s" in shown


@pytest.mark.parametrize("stderr", [Terminal(), StringIO()])
def test_a_stage_says_that_it_began(stderr: StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named before it is done; a terminal sees its seconds afterwards."""
    monkeypatch.setattr(sys, "stderr", stderr)
    with stage("exporting the model", hidden=False):
        assert "exporting the model ..." in stderr.getvalue()
    assert stderr.getvalue().endswith(" s\n") == stderr.isatty()


def test_hidden_stages_print_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even in a terminal."""
    monkeypatch.setattr(sys, "stderr", stderr := Terminal())
    with stage("exporting", hidden=True), tally("reading", "records", hidden=True) as advance:
        advance(10)
    assert stderr.getvalue() == ""
