"""Percentiles of times."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np


@dataclass(frozen=True)
class Percentiles:
    """The median, 95th and 99th percentile of `number` times, in milliseconds."""

    number: int
    p50: float
    p95: float
    p99: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Self:
        """Return the percentiles of times in seconds, of which there must be one at least."""
        p50, p95, p99 = np.percentile(seconds, (50, 95, 99)) * 1000
        return cls(len(seconds), round(p50, 3), round(p95, 3), round(p99, 3))

    def __str__(self) -> str:
        return f"p50 {self.p50:8.2f}  p95 {self.p95:8.2f}  p99 {self.p99:8.2f} ms"
