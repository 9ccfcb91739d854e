"""The recall of the published semantic index at every number of probes, audited at any time."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from hybrid.engines.factory import open_sentences, unindexed
from hybrid.engines.semantic.exact import ExactEngine
from hybrid.engines.semantic.ivfpq import IvfPqEngine, map_index
from hybrid.errors import InvalidInput
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.generation import FAISS_INDEX, Generation, open_current
from hybrid.storage.manifest import Semantic
from indexer.semantic_index.recall import RecallProbes


@dataclass(frozen=True)
class ProbesMeasured:
    """What it gives and costs to probe so many lists: recall@10, 0 to 1, and the mean milliseconds
    of a search, which include the exact re-rank."""

    nprobe: int
    recall_at_10: float
    milliseconds: float


@dataclass(frozen=True)
class Audit:
    """How the index is opened, the number of its sentences, the milliseconds of an exact scan, and
    the `curve`, by the number of probes."""

    semantic: Semantic
    sentences: int
    exact_milliseconds: float
    curve: tuple[ProbesMeasured, ...]


def audit(data: Path) -> Audit:
    """Measure the published index by 200 queries, each against the exact scan.

    Raises GenerationUnusable if none is published or it is damaged, InvalidInput if it has no
    index of FAISS.
    """
    generation = open_current(data)
    semantic = generation.manifest.semantic
    if semantic.engine == "exact":
        raise InvalidInput(
            f"the index in {data} is searched exactly, as it is small: its recall is 1"
        )
    with closing(Catalogue(generation.folder)) as catalogue:
        exact = ExactEngine(open_sentences(generation, catalogue), catalogue.columns)
        probes = RecallProbes.of(exact)
        curve = tuple(_curve(generation, catalogue, exact, probes))
        seconds = perf_counter()
        probes.recall_at_10(exact)
        milliseconds = 1000 * (perf_counter() - seconds) / len(probes.vectors)
    return Audit(semantic, exact.sentences.total(), milliseconds, curve)


def _curve(
    generation: Generation, catalogue: Catalogue, exact: ExactEngine, probes: RecallProbes
) -> Iterator[ProbesMeasured]:
    """Yield what each power of two of probes gives, and what the index uses."""
    semantic, index = generation.manifest.semantic, map_index(generation.file(FAISS_INDEX))
    powers = {1 << power for power in range(index.nlist.bit_length())}
    for nprobe in sorted(powers | {semantic.nprobe or index.nlist}):
        engine = IvfPqEngine(index, nprobe, exact, unindexed(catalogue))
        seconds = perf_counter()
        recall = probes.recall_at_10(engine)
        milliseconds = 1000 * (perf_counter() - seconds) / len(probes.vectors)
        yield ProbesMeasured(nprobe, recall, milliseconds)
