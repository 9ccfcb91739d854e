"""The soak runs against a service as it is deployed, in small."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.soak import main
from tests.command import Index
from tests.web.keys import key_in
from tests.web.production import production


@pytest.mark.parametrize("index", ["embedded"], indirect=True)
def test_requests_and_changes_are_answered_and_memory_is_read(index: Index, tmp_path: Path) -> None:
    """Every request and change is answered by two workers, whose memory is added up."""
    data, queries = tmp_path / "data", tmp_path / "queries.jsonl"
    shutil.copytree(index.data, data)
    texts = ("a boy and his dog", "war in space among the stars", "heist", "the sea at night")
    lines = (
        {"id": f"q{number}", "query": text, "relevant": [1]} for number, text in enumerate(texts)
    )
    queries.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    variables = {"HYBRID_DATA": str(data), "HYBRID_WRITES": "on", "HYBRID_WORKERS": "2"}
    patience = {"HYBRID_DEADLINE": "60", "HYBRID_MAX_WAIT": "60"}
    with production(**variables, **patience) as running:
        arguments = [running.service.url, str(queries), "--requests", "240", "--changes", "2"]
        done = CliRunner().invoke(main, arguments, env={"HYBRID_KEY": key_in(data, "write")})
    assert done.exit_code == 0, done.output
    *samples, slope = done.output.splitlines()
    assert len(samples) == 40
    assert slope.endswith("2 changes; 0 not answered")
    assert min(float(line.split()[-2]) for line in samples) > 100
