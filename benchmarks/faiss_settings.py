"""Settings of FAISS: recall, time and memory, against exact search.

    python -m benchmarks.faiss_settings QUERIES.jsonl ... --data DIR [--json FILE]

Every setting indexes the sentence vectors of the index in DIR; the queries are encoded by its
model. Recall@10 is the share of the ten best films that are found, where a film's score is that of
its best sentence; films that score like the tenth count. Times are of one query in one thread and
include what makes films of sentences, and the exact re-rank where there is one. Memory is that of
the index beside that of the vectors as float32; a re-rank reads vectors from the mapped file.
In the first line all sentences are scored, in the last one the engine of the service answers.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from time import monotonic
from typing import Any

import click
import faiss
import numpy as np

from benchmarks.percentiles import Percentiles
from benchmarks.results import machine, write_results
from benchmarks.texts import read_texts
from hybrid.engines.factory import open_query_encoder, open_semantic, open_sentences
from hybrid.engines.protocols import SemanticEngine
from hybrid.engines.semantic.exact import ExactEngine
from hybrid.engines.semantic.ivfpq import sub_quantisers
from hybrid.errors import InvalidInput
from hybrid.query import Filters
from hybrid.ranking import Ids, Scores
from hybrid.settings import Settings
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.generation import FAISS_INDEX, Generation, open_current
from hybrid.terminal.commands import setting
from hybrid.vectors import QueryVector, Vectors

FILMS = 10
"""Films that a query asks for."""

CANDIDATES = 800
"""Sentences that are ranked exactly again, as many as the service does."""

ROUNDING = 1e-5
"""The most that two ways of computing the same cosine may differ."""


@dataclass(frozen=True)
class Setting:
    """A factory string of FAISS, how many lists are probed, and whether the best are re-ranked."""

    name: str
    factory: str
    nprobe: int | None = None
    rerank: bool = False


def settings_of(dimension: int, lists: int) -> Sequence[Setting]:
    """Return the settings to measure, for vectors of this dimension.

    `lists` is the number that the service has.
    """
    service = f"IVF{lists},PQ{sub_quantisers(dimension)}x4fs"
    fine = f"IVF512,PQ{dimension // 8}"
    return (
        Setting("exact, FAISS", "Flat"),
        Setting("the article's", "IVF50,PQ16", 10),
        Setting("the article's, re-ranked", "IVF50,PQ16", 10, rerank=True),
        Setting("a byte for 8 values", fine, 32),
        Setting("a byte for 8 values, re-ranked", fine, 32, rerank=True),
        Setting("whole vectors in lists", f"IVF{lists},Flat", 32),
        Setting("a byte for each value", f"IVF{lists},SQ8", 32),
        Setting("graph of whole vectors", "HNSW32"),
        Setting("4 bits for 4 values, re-ranked", service, lists // 8, rerank=True),
        Setting("the same, half of the lists", service, lists // 2, rerank=True),
        Setting("the same, all lists, as the service has", service, lists, rerank=True),
        Setting("the same, all lists, not re-ranked", service, lists),
    )


@dataclass(frozen=True)
class Measured:
    """A setting and what it costs: recall 0 to 1, memory and its multiples."""

    name: str
    factory: str
    nprobe: int | None
    rerank: bool
    recall_at_10: float
    latency: Percentiles
    megabytes: float
    share_of_float32: float
    train_seconds: float


Search = Callable[[Vectors], tuple[Ids, Scores]]
"""From a query's vector to the rows of the best films, best first, and their scores."""


def exact_search(exact: ExactEngine) -> Search:
    """Return the search that scores every sentence of every film."""
    rows = np.flatnonzero(exact.sentences.counts)

    def search(vector: Vectors) -> tuple[Ids, Scores]:
        ranking = exact.rank(QueryVector(vector), rows, FILMS)
        return ranking.ids, ranking.scores

    return search


def approximate_search(index: "faiss.Index", exact: ExactEngine, rerank: bool) -> Search:
    """Return the search of an index whose labels are films."""

    def search(vector: Vectors) -> tuple[Ids, Scores]:
        wanted = CANDIDATES if rerank else 4 * FILMS
        while True:
            scores, labels = index.search(vector[np.newaxis], min(wanted, index.ntotal))
            films, first = np.unique(labels[0], return_index=True)
            first = first[films >= 0]  # FAISS fills a short list with -1
            if len(first) >= FILMS or wanted >= index.ntotal:
                break
            wanted *= 4
        if rerank:
            rows = exact.columns.rows_of(labels[0][first])
            ranking = exact.rank(QueryVector(vector), rows, FILMS)
            return ranking.ids, ranking.scores
        best = np.sort(first)[:FILMS]
        return labels[0][best], scores[0][best]

    return search


def engine_search(engine: SemanticEngine, depth: int) -> Search:
    """Return the search of the service, which takes `depth` films from its engine."""

    def search(vector: Vectors) -> tuple[Ids, Scores]:
        ranking = engine.search(QueryVector(vector), Filters(), depth).top(FILMS)
        return ranking.ids, ranking.scores

    return search


def true_scores(exact: ExactEngine, vectors: Vectors) -> tuple[Scores, list[float]]:
    """Return the score of the tenth best film of each query, float64 (queries,), and the seconds
    that each query took."""
    search, tenth, seconds = exact_search(exact), [], []
    for vector in vectors:
        start = monotonic()
        _, scores = search(vector)
        seconds.append(monotonic() - start)
        tenth.append(scores[-1])
    return np.array(tenth), seconds


def measure(
    search: Search, exact: ExactEngine, vectors: Vectors, tenth: Scores
) -> tuple[float, Percentiles]:
    """Return the recall of a search against the scores of the tenth best films, and its times."""
    shares, seconds = [], []
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    for vector, least in zip(vectors, tenth.tolist(), strict=True):
        start = monotonic()
        films, _ = search(vector)
        seconds.append(monotonic() - start)
        scores = exact.score(QueryVector(vector), films)
        shares.append(float((scores >= least - ROUNDING).sum()) / FILMS)
    faiss.omp_set_num_threads(threads)
    return round(float(np.mean(shares)), 4), Percentiles.of(seconds)


def trained(setting: Setting, vectors: Vectors, films: Ids) -> tuple["faiss.Index", float]:
    """Return the index of a setting, whose labels are films, and the seconds that it took."""
    start = monotonic()
    index = faiss.index_factory(vectors.shape[1], setting.factory, faiss.METRIC_INNER_PRODUCT)
    index.train(vectors)
    if setting.nprobe is None:
        index = faiss.IndexIDMap(index)
    index.add_with_ids(vectors, films)
    return index, monotonic() - start


def measured(exact: ExactEngine, queries: Vectors, lists: int) -> Iterator[Measured]:
    """Yield what each setting costs, the scan of all sentences first."""
    sentences = exact.sentences
    vectors = sentences.vectors(sentences.sentence_rows(np.arange(len(sentences.counts))))
    films = np.repeat(exact.columns.ids, sentences.counts)
    tenth, seconds = true_scores(exact, queries)
    whole = Percentiles.of(seconds)
    yield Measured("exact, all sentences", "", None, False, 1.0, whole, 0.0, 0.0, 0.0)
    built: dict[str, tuple[faiss.Index, float]] = {}
    for each in settings_of(vectors.shape[1], lists):
        if each.factory not in built:
            built = {each.factory: trained(each, vectors, films)}
        index, train_seconds = built[each.factory]
        if each.nprobe is not None:
            index.nprobe = each.nprobe
        search = approximate_search(index, exact, each.rerank)
        recall, latency = measure(search, exact, queries, tenth)
        size = len(faiss.serialize_index(index))
        yield Measured(
            **asdict(each),
            recall_at_10=recall,
            latency=latency,
            megabytes=round(size / 1e6, 1),
            share_of_float32=round(size / vectors.nbytes, 4),
            train_seconds=round(train_seconds, 1),
        )


def service(
    generation: Generation, catalogue: Catalogue, exact: ExactEngine, queries: Vectors, depth: int
) -> Measured:
    """Return what the semantic engine of the service costs, with its index as it is stored."""
    engine, semantic = open_semantic(generation, catalogue), generation.manifest.semantic
    tenth, _ = true_scores(exact, queries)
    recall, latency = measure(engine_search(engine, depth), exact, queries, tenth)
    size = generation.manifest.files[FAISS_INDEX].size
    return Measured(
        f"the engine of the service, {depth} films",
        f"IVF{semantic.lists},PQ{semantic.sub_quantisers}x4fs",
        semantic.nprobe,
        True,
        recall,
        latency,
        round(size / 1e6, 1),
        round(size / (4 * queries.shape[1] * exact.sentences.total()), 4),
        0.0,
    )


def line(found: Measured, exact: Percentiles) -> str:
    """Return what a setting costs, in a line."""
    probed = "" if found.nprobe is None else f"{found.nprobe:4}"
    memory = f"1/{1 / found.share_of_float32:.1f}" if found.share_of_float32 else "none"
    return (
        f"{found.name:45}{found.factory:16}{probed:>5}{found.recall_at_10:8.3f}"
        f"{found.latency.p50:9.2f}{found.latency.p95:9.2f}"
        f"{exact.p50 / found.latency.p50:8.1f}{found.megabytes:8.1f}{memory:>8}"
    )


@click.command()
@click.argument("queries", nargs=-1, required=True, type=click.Path(path_type=Path))
@setting("data")
@click.option("--json", "file", type=click.Path(path_type=Path), help="write the results here")
def main(queries: tuple[Path, ...], file: Path | None, **given: Any) -> None:
    """Print recall@10, times and memory of settings of FAISS, for the texts of QUERIES."""
    before, settings = machine(), Settings.load(**given)
    generation = open_current(settings.data)
    if generation.manifest.semantic.engine == "exact":
        raise InvalidInput(f"the index in {settings.data} is too small to have one of FAISS")
    texts, encoder = read_texts(queries), open_query_encoder(generation)
    vectors = np.concatenate([encoder.encode([text]) for text in texts])
    click.echo(
        f"{'':45}{'':16}{'lists':>5}{'recall':>8}{'p50 ms':>9}{'p95 ms':>9}{'faster':>8}"
        f"{'MB':>8}{'float32':>8}"
    )
    rows = []
    with closing(Catalogue(generation.folder)) as catalogue:
        exact = ExactEngine(open_sentences(generation, catalogue), catalogue.columns)
        lists = generation.manifest.semantic.lists or 1
        leg = service(generation, catalogue, exact, vectors, settings.depth)
        for found in chain(measured(exact, vectors, lists), [leg]):
            rows.append(found)
            click.echo(line(found, rows[0].latency))
    results = {"queries": len(texts), "sentences": exact.sentences.total(), "settings": rows}
    write_results(file, "faiss_settings", before, results)


if __name__ == "__main__":
    main()
