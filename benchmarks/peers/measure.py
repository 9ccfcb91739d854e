"""Measures a peer, in its own environment and process. Knows nothing of this project.

    python -m benchmarks.peers.NAME build|given|own FOLDER MODEL

`build` indexes the films of FOLDER; `given` and `own` open the index anew and ask its queries, with
the vectors of FOLDER, or by the library's own encoding with the sentence-transformers model in
MODEL. Prints JSON.
"""

import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

CLIENTS = 8
"""Threads whose throughput is measured."""

SECONDS = 10.0
"""Time for which it is measured."""

WARM_UP = 30
"""Queries before any that count: the last of the file, which are asked by no other measurement."""

LIMIT = 10
"""Films that a query asks for."""

Vector = NDArray[np.float32]

Film = dict[str, Any]
"""id, text, title, year and genres."""

Filters = dict[str, Any]
"""genres (any of them), genre_match, year_from and year_to, of which any may be missing."""

Search = Callable[[str, Vector, Filters], list[int]]
"""From the text of a query, its vector and its filters to the ids of the best films."""


class Peer(Protocol):
    """A library that indexes films in a folder, and opens the index to search in it."""

    package: str

    def build(self, films: Sequence[Film], vectors: Vector, folder: Path, model: str) -> None:
        """Index films with the vectors of their texts, float32 (films, d)."""
        ...

    def open(self, folder: Path, model: str | None) -> Search:
        """Return the search, which encodes texts with this model, or uses the given vectors."""
        ...

    def version(self) -> str:
        """Return the version of what searches."""
        ...

    def bytes_on_disk(self, folder: Path) -> int:
        """Return the size of the index."""
        ...

    def pid(self) -> int | str:
        """Return the process that searches: "self", or that of a server."""
        ...


@dataclass(frozen=True)
class Corpus:
    """The films and queries of a folder, see benchmarks/peers/corpus.py."""

    films: list[Film]
    film_vectors: Vector
    queries: list[Film]
    query_vectors: Vector
    judged: int

    @classmethod
    def read(cls, folder: Path) -> "Corpus":
        """Read the files."""
        return cls(
            list(_lines(folder / "films.jsonl")),
            np.load(folder / "films.npy"),
            queries := list(_lines(folder / "queries.jsonl")),
            np.load(folder / "queries.npy"),
            sum(query["judged"] for query in queries),
        )


def _lines(file: Path) -> Iterator[Film]:
    with file.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def folder_size(folder: Path) -> int:
    """Return the bytes of all files in a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def measure_build(peer: Peer, corpus: Corpus, index: Path, model: str) -> dict[str, Any]:
    """Index the films; return seconds and size."""
    shutil.rmtree(index, ignore_errors=True)
    start = monotonic()
    peer.build(corpus.films, corpus.film_vectors, index, model)
    return {
        "version": peer.version(),
        "build_seconds": round(monotonic() - start, 2),
        "disk_mb": round(peer.bytes_on_disk(index) / 1e6, 1),
    }


def measure_search(peer: Peer, corpus: Corpus, index: Path, model: str | None) -> dict[str, Any]:
    """Ask every judged query once, and then the others by several threads at once."""
    search = peer.open(index, model)

    def ask(number: int) -> tuple[list[int], float]:
        query = corpus.queries[number]
        start = monotonic()
        found = search(query["text"], corpus.query_vectors[number], query["filters"])
        return found, monotonic() - start

    total = len(corpus.queries)
    for number in range(total - WARM_UP, total):
        ask(number)
    asked = [ask(number) for number in range(corpus.judged)]
    return {
        "rankings": [found for found, _ in asked],
        "seconds": [round(seconds, 6) for _, seconds in asked],
        "rate": round(throughput(ask, range(corpus.judged, total - WARM_UP)), 1),
        **memory(peer.pid()),
    }


def throughput(ask: Callable[[int], object], numbers: range) -> float:
    """Return how many of these queries are answered a second by all clients together."""
    waiting, start = iter(numbers), monotonic()

    def client(_: int) -> int:
        answered = 0
        for number in waiting:
            ask(number)
            answered += 1
            if monotonic() > start + SECONDS:
                break
        return answered

    with ThreadPoolExecutor(CLIENTS) as pool:
        answered = sum(pool.map(client, range(CLIENTS)))
    return answered / (monotonic() - start)


def memory(pid: int | str) -> dict[str, float]:
    """Return the memory of a process in MB: its own, and with mapped files."""
    counted = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
    sizes = dict(re.findall(r"^(\w+): *(\d+) kB$", counted, re.MULTILINE))
    return {
        "anonymous_mb": round(int(sizes["Anonymous"]) / 1024, 1),
        "resident_mb": round(int(sizes["Rss"]) / 1024, 1),
    }


def main(peer: Peer) -> None:
    """Measure as the command line says."""
    what, folder, model = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    corpus, index = Corpus.read(folder), folder / peer.package
    if what == "build":
        result = measure_build(peer, corpus, index, model)
    else:
        result = measure_search(peer, corpus, index, model if what == "own" else None)
    print(json.dumps(result))
