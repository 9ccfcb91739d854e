"""What of the machine this process may use, and what it gives back.

A container may have less than the machine.
"""

import ctypes
import os
from contextlib import suppress
from math import ceil
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")

MEMINFO = Path("/proc/meminfo")


def cores(cgroup: Path = CGROUP) -> int:
    """Return how many cores may be busy at once, at least 1."""
    with suppress(AttributeError):  # there is no affinity on macOS
        return max(1, min(len(os.sched_getaffinity(0)), _quota(cgroup)))
    return os.cpu_count() or 1


def available_memory(cgroup: Path = CGROUP, meminfo: Path = MEMINFO) -> int | None:
    """Return how many bytes are free or can be freed, None where that is unknown."""
    found = [_available(meminfo), _left(cgroup)]
    return min((size for size in found if size is not None), default=None)


def release_memory() -> None:
    """Give memory that was freed back to the system, where the C library can.

    It keeps what was freed between things still in use: after a generation is opened, tens of MB.
    """
    with suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _quota(cgroup: Path) -> int:
    """Return the cores that the cgroup may use, or many."""
    with suppress(OSError, ValueError):
        quota, period = (cgroup / "cpu.max").read_text("ascii").split()
        return ceil(int(quota) / int(period))
    return 1 << 16


def _available(meminfo: Path) -> int | None:
    with suppress(OSError, ValueError, IndexError):
        for line in meminfo.read_text("ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return None


def _left(cgroup: Path) -> int | None:
    """Return what the cgroup may still use. What the kernel caches of files does not count."""
    with suppress(OSError, ValueError):
        limit = int((cgroup / "memory.max").read_text("ascii"))
        used = int((cgroup / "memory.current").read_text("ascii"))
        stat = dict(
            line.split() for line in (cgroup / "memory.stat").read_text("ascii").splitlines()
        )
        return max(0, limit - used + int(stat["file"]))
    return None
