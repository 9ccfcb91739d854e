"""What of the machine the service may use."""

import os
from pathlib import Path
from unittest.mock import patch

import pytest

from hybrid.machine import available_memory, cores
from hybrid.storage.manifest import FileDigest
from hybrid.web.server import BASE_MEMORY, default_workers

MIB = 1 << 20


def test_a_quota_of_the_cgroup_counts(tmp_path: Path) -> None:
    """One and a half cores keep two busy; without a quota all are counted that may be used."""
    with patch.object(os, "sched_getaffinity", lambda _: set(range(8))):
        assert cores(tmp_path) == 8
        (tmp_path / "cpu.max").write_text("max 100000\n")
        assert cores(tmp_path) == 8
        (tmp_path / "cpu.max").write_text("150000 100000\n")
        assert cores(tmp_path) == 2


def test_memory_is_what_the_machine_and_the_cgroup_leave(tmp_path: Path) -> None:
    """Cached files can be freed. Where neither says anything, nothing is known."""
    meminfo = tmp_path / "meminfo"
    assert available_memory(tmp_path, meminfo) is None
    meminfo.write_text("MemTotal: 4096 kB\nMemFree: 1024 kB\nMemAvailable: 2048 kB\n")
    assert available_memory(tmp_path, meminfo) == 2 * MIB
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text(f"{5 * MIB}\n")
    (tmp_path / "memory.stat").write_text(f"anon {3 * MIB}\nfile {2 * MIB}\n")
    assert available_memory(tmp_path, meminfo) == 2 * MIB
    (tmp_path / "memory.max").write_text(f"{4 * MIB}\n")
    assert available_memory(tmp_path, meminfo) == MIB


@pytest.mark.parametrize(
    ("memory", "writes", "workers"),
    [
        (None, False, 4),
        (8, False, 4),
        (3.9, False, 3),
        (3.9, True, 2),
        (0.5, False, 1),
        (1.5, True, 1),
    ],
)
def test_there_are_as_many_workers_as_cores_and_memory_allow(
    memory: float | None, writes: bool, workers: int
) -> None:
    """At least one, and one process less for searches if there is one for changes. The model is in
    memory once."""
    each = BASE_MEMORY + 2 * 30 * MIB
    sizes = {"encoder/model.onnx": 90, "columns.arrays": 30, "catalogue.sqlite": 999}
    files = {name: FileDigest(sha256="", size=size * MIB) for name, size in sizes.items()}
    with (
        patch("hybrid.web.server.cores", lambda: 4),
        patch(
            "hybrid.web.server.available_memory", lambda: memory and int(90 * MIB + memory * each)
        ),
    ):
        assert default_workers(files, writes) == workers
