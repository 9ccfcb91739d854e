"""Commands that start before what they need is there."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from hybrid.engines.lexical.elasticsearch import connect, is_ready
from hybrid.terminal import wait as waiting
from tests.command import PREFIX, Index, free_port, read_until


def test_what_is_there_is_not_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is said where nothing is missing, nor where nobody asked to wait."""
    waiting.wait_for("tea", lambda: True, 60)
    waiting.wait_for("tea", lambda: False, 0)
    assert capsys.readouterr().err == ""


def test_what_comes_later_is_waited_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wait is announced, and ends as soon as the thing is there."""
    monkeypatch.setattr(waiting, "INTERVAL", 0)
    looks = iter([False, False, True])
    waiting.wait_for("tea", lambda: next(looks), 60)
    assert capsys.readouterr().err == "Waiting up to 60 s for tea ...\n"
    assert list(looks) == []


def test_waiting_ends(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Giving up is said and raises nothing: the command itself reports what is missing."""
    monkeypatch.setattr(waiting, "INTERVAL", 0)
    waiting.wait_for("tea", lambda: False, 0.01)
    assert capsys.readouterr().err.endswith("Gave up waiting for tea.\n")


def test_elasticsearch_is_ready_once_its_indices_can_be_searched(elasticsearch_url: str) -> None:
    """No index is fine, one whose shards are not there yet is not; an answer that refuses the
    request is one, silence is none."""
    index = f"{PREFIX}-waiting-1"
    nowhere = {"index.routing.allocation.require._name": "nowhere"}
    with connect(elasticsearch_url, None, 10) as client:
        assert is_ready(client, f"{PREFIX}-waiting-*")
        client.indices.create(index=index, settings=nowhere, wait_for_active_shards=0)
        try:
            assert not is_ready(client, f"{PREFIX}-waiting-*")
        finally:
            client.indices.delete(index=index)
        assert is_ready(client, "_no_name_of_an_index")
    with Elasticsearch("http://127.0.0.1:9", max_retries=0) as client:
        assert not is_ready(client, "films-*")


def test_a_service_waits_for_its_first_index(index: Index, tmp_path: Path) -> None:
    """`serve --wait` says that it waits, and serves the index once that is published."""
    data, port = tmp_path / "data", free_port()
    with subprocess.Popen(
        [sys.executable, "-m", "hybrid", "serve", "--wait", "60", "--port", str(port)],
        env=os.environ | index.variables | {"HYBRID_DATA": str(data)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            waits = f"Waiting up to 60 s for the first index in {data} ...\n"
            assert read_until(process, waits) == waits
            shutil.copytree(index.data, tmp_path / "copy")
            (tmp_path / "copy").rename(data)
            read_until(process, ", 8 films\n")
            read_until(process, f"ready: http://127.0.0.1:{port}/ (Ctrl-C stops)\n")
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
        finally:
            process.kill()  # nothing happens to one that has ended
