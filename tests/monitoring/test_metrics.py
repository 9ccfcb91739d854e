"""The metrics: documented, added up over processes, and named rightly by the alert rules."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from hybrid.serving.live_search import LiveSearch
from hybrid.web.app import create_app
from tests import corpus
from tests.fakes import FakeLexical
from tests.small import open_small

ROOT = Path(__file__).parents[2]
ALERTS = ROOT / "docs" / "alerts.yml"
PAGE = ROOT / "docs" / "monitoring.md"

FILMS = corpus.films(10)

OF_PROMETHEUS = ("up",)
"""Metrics that Prometheus itself makes."""


@pytest.fixture
def names(tmp_path: Path) -> Iterator[set[str]]:
    """Give the names of all series after a search that was degraded and one that failed."""
    lexical = FakeLexical(FILMS)
    live = LiveSearch(open_small(tmp_path, FILMS, lexical))
    live.checked_at = 1.0
    client = create_app(live).test_client()
    client.get("/search?q=captain")
    lexical.away = True
    client.get("/search?q=captain")
    client.get("/search?q=captain&mode=keyword")
    text = client.get("/metrics").get_data(as_text=True)
    families = list(text_string_to_metric_families(text))
    without_samples = {
        family.name + ("_total" if family.type == "counter" else "") for family in families
    }
    yield {sample.name for family in families for sample in family.samples} | without_samples
    live.close()


def rules() -> list[dict[str, Any]]:
    """Return the alert rules."""
    document = yaml.safe_load(ALERTS.read_text("utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def test_alerts_are_about_metrics_that_exist(names: set[str]) -> None:
    """Every name in an expression is a metric of the service or of Prometheus."""
    found = {
        name
        for rule in rules()
        for name in re.findall(r"\b(?:hybrid|process)_[a-z_]+|\bup\b", rule["expr"])
    }
    assert len(found) > 10
    assert found - set(OF_PROMETHEUS) <= names


def test_alerts_say_what_to_do() -> None:
    """Each has a severity, a summary and an action."""
    for rule in rules():
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert set(rule["annotations"]) == {"summary", "action"}
    assert len({rule["alert"] for rule in rules()}) == len(rules())


def test_the_page_lists_all_metrics(names: set[str]) -> None:
    """Each of ours has a row, and each row is a metric."""
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `hybrid_")]
    listed = {name for row in rows for name in re.findall(r"`(hybrid_\w+)`", row.split("|")[1])}
    ours = {re.sub(r"_(bucket|sum|count)$", "", n) for n in names if n.startswith("hybrid_")}
    assert listed == ours


def test_promtool_accepts_the_alerts(tmp_path: Path) -> None:
    """Prometheus itself reads the rules, and they fire when they should and not before."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("no promtool: `apt-get install prometheus` brings it")
    subprocess.run([promtool, "check", "rules", str(ALERTS)], check=True)
    shutil.copy(ALERTS, tmp_path)
    cases = shutil.copy(ROOT / "tests" / "alerts_cases.yml", tmp_path)
    subprocess.run([promtool, "test", "rules", cases], check=True)


def test_several_processes_add_up(tmp_path: Path) -> None:
    """With the folder of prometheus_client, what each of two processes counted is one sum, also
    after one has ended."""
    folder = tmp_path / "metrics"
    folder.mkdir()
    count = (
        "from hybrid.monitoring.metrics import *\nREQUESTS.labels('/search', 'GET', '200').inc(3)\n"
    )
    read = "print(generate_latest(registry()).decode())\n"
    variables = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(folder)}
    printed = ""
    for code in (count, f"from prometheus_client import generate_latest\n{count}{read}"):
        done = subprocess.run(
            [sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=True
        )
        printed = done.stdout
    assert 'hybrid_requests_total{method="GET",route="/search",status="200"} 6.0' in printed
