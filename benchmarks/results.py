"""The file of a benchmark's results: what was measured, when, on what machine and versions."""

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("hybrid-film-search", "numpy", "faiss-cpu", "onnxruntime", "tantivy", "elasticsearch")
"""Packages whose versions are recorded."""


def machine() -> dict[str, Any]:
    """Return the processor, its cores, the memory in GB, the system and Python's version."""
    described = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    names = {line.partition(":")[2].strip() for line in described if line.startswith("model name")}
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return {
        "processor": ", ".join(sorted(names)) or platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": round(memory),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def versions(packages: tuple[str, ...] = PACKAGES) -> dict[str, str]:
    """Return the version of each package that is installed."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def write_results(
    file: Path | None, benchmark: str, measured_on: Mapping[str, Any], results: Mapping[str, Any]
) -> None:
    """Write what a benchmark measured to `file`, if there is one.

    `measured_on` is `machine()` from before it began.
    """
    if file is None:
        return
    content = {
        "benchmark": benchmark,
        "date": datetime.now(UTC).date().isoformat(),
        "machine": measured_on,
        "versions": versions(),
        "results": results,
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, indent=1, default=_as_json) + "\n", encoding="utf-8")


def _as_json(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"{type(value).__name__} has no place in a file of results")
