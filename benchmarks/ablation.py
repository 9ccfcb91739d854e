"""Ablation: nDCG@10 and MRR@10 of the ranking with one part switched off or changed.

    python -m benchmarks.ablation QUERIES.jsonl ... --data DIR

The index must use the embedded engine. The first line is the whole ranking; in each other line one
part is missing or different.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import click
import numpy as np

from hybrid.engines.deadline import NEVER, Deadline
from hybrid.engines.lexical import tantivy, tantivy_writer
from hybrid.engines.lexical.bm25 import K1, attainable_score
from hybrid.engines.lexical.tantivy import TANTIVY_FOLDER, TantivyEngine
from hybrid.engines.lexical.tantivy_writer import TantivyWriter
from hybrid.evaluation.evaluate import kinds
from hybrid.evaluation.formats import read_judgements
from hybrid.evaluation.judgements import JudgedQuery
from hybrid.evaluation.measures import MRR, NDCG, measure_queries
from hybrid.evaluation.rankings import retrieve_queries
from hybrid.fusion import alpha
from hybrid.fusion.fused_ranking import rank_candidates
from hybrid.query import Fusion, FusionMethod
from hybrid.query_language.language import Part, Reading
from hybrid.ranking import Ranking, Scores
from hybrid.retrieval import adjacency, retriever, semantic_side
from hybrid.retrieval import candidates as candidates_module
from hybrid.retrieval.candidates import Candidates
from hybrid.retrieval.query_parser import ParsedQuery
from hybrid.retrieval.title_index import TitleIndex, TitleMatches
from hybrid.schemas.runs import Run
from hybrid.search import HybridSearch
from hybrid.settings import Settings
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.rows import Rows
from hybrid.storage.sentence_vectors import SentenceVectors
from hybrid.terminal.commands import setting
from hybrid.text.analysis import analyze
from hybrid.understanding.mentions import NOTHING, Mentions
from hybrid.vectors import QueryVector
from hybrid.wiring import open_search

Patch = Callable[[HybridSearch], AbstractContextManager[Any]]


WHOLE = Run(name="hybrid", mode="hybrid")


@dataclass(frozen=True)
class Ablation:
    """A line of the table: what is switched off, and how the run is fused."""

    name: str
    patch: Patch = lambda _: nullcontext()
    run: Run = WHOLE
    text_weight: float | None = None
    candidates: Callable[[Candidates], Candidates] = lambda candidates: candidates


def _sentences(*weights: float) -> Patch:
    return lambda _: patch.object(semantic_side, "PLOT_SENTENCES", weights)


def _redistribute_weights(_: HybridSearch) -> AbstractContextManager[Any]:
    """Redistribute the weights of missing sentences among a film's other sentences."""
    best = SentenceVectors.best

    def redistributed(
        vectors: SentenceVectors, query_vector: QueryVector, films: Rows
    ) -> tuple[Scores, Rows]:
        scores, numbers = best(vectors, query_vector, films)
        weights = query_vector.weights
        present = np.cumsum([0.0, *weights])
        return scores / present[np.minimum(vectors.counts[films], len(weights))], numbers

    return patch.object(SentenceVectors, "best", redistributed)


def _unparsed(
    reading: Reading, of_fields: tuple[Part, ...], mentioned: Mentions = NOTHING
) -> ParsedQuery:
    text = reading.plain
    return ParsedQuery(
        reading=reading,
        parts=reading.parts + of_fields,
        text=text,
        keywords=text,
        possible_titles=(text,),
        truncated=False,
        only_mentions=mentioned.whole,
    )


def _nothing(*_: object) -> Mentions:
    return NOTHING


def _no_titles(_index: TitleIndex, _texts: object) -> TitleMatches:
    return TitleMatches.none()


def _listed_only(candidates: Candidates) -> Candidates:
    """Drop the scores of films outside a side's own list."""
    unlisted = candidates.semantic_list.ranks_of(candidates.ids) == 0
    shares = np.where(candidates.in_keyword_list, candidates.keyword.shares, 0.0)
    return replace(
        candidates,
        keyword=replace(candidates.keyword, shares=shares),
        cosines=np.where(unlisted, np.nan, candidates.cosines),
    )


def _scaled(factor: float) -> Callable[[Candidates], Candidates]:
    """Multiply all cosines, as if those of another model were lower or higher."""
    return lambda candidates: replace(candidates, cosines=factor * candidates.cosines)


def _idf_bound(search: HybridSearch) -> AbstractContextManager[Any]:
    """Bound the score of a word by (k1 + 1) idf, which no film need reach."""
    films = len(search.catalogue)

    def bound(engine: TantivyEngine, text: str, _deadline: Deadline = NEVER) -> float:
        # The engine has no use for document frequencies itself.
        searcher = engine._searcher  # noqa: SLF001
        counts = [searcher.doc_freq("text", word) for word in analyze(text)]
        idf = [np.log(1 + (films - n + 0.5) / (n + 0.5)) if n else 0.0 for n in counts]
        return attainable_score([(K1 + 1) * float(weight) for weight in idf])

    return patch.object(TantivyEngine, "attainable", bound)


@contextmanager
def _usual_k1(search: HybridSearch) -> Iterator[None]:
    """Index the films again without repetition: BM25 with Tantivy's k1 of 1.2."""
    ids = search.catalogue.columns.ids
    films = [
        found.movie
        for some in np.array_split(ids, max(1, len(ids) // 500))
        for found in search.catalogue.films(some.tolist()).values()
    ]
    with (
        tempfile.TemporaryDirectory() as folder,
        patch.object(tantivy_writer, "REPEATS", 1),
        patch.object(tantivy, "SCALE", 1.0),
    ):
        writer = TantivyWriter(Path(folder))
        writer.prepare(None)
        writer.write(films, (), len(films))
        lexical = TantivyEngine(Path(folder) / TANTIVY_FOLDER)
        keyword_side = replace(search.retriever.keyword_side, lexical=lexical)
        with patch.object(search.retriever, "keyword_side", keyword_side):
            yield


def _fusion(method: FusionMethod) -> Ablation:
    return Ablation(
        f"fusion {method}", run=Run(name=method, mode="hybrid", fusion=Fusion(method=method))
    )


ABLATIONS = (
    Ablation("whole"),
    Ablation("keyword alone", run=Run(name="keyword", mode="keyword")),
    Ablation("semantic alone", run=Run(name="semantic", mode="semantic")),
    Ablation("without titles", lambda _: patch.object(TitleIndex, "matches", _no_titles)),
    Ablation("nothing understood", lambda _: patch.object(retriever, "mentions", _nothing)),
    Ablation("asking counts as words", lambda _: patch.object(retriever, "parse_query", _unparsed)),
    Ablation("best sentence only", _sentences(1.0)),
    Ablation("two sentences, .75 .25", _sentences(0.75, 0.25)),
    Ablation("missing sentences shared out", _redistribute_weights),
    Ablation("three for short queries too", lambda _: patch.object(semantic_side, "PLOT_WORDS", 1)),
    Ablation("names unnoticed", lambda _: patch.object(Catalogue, "person_in", return_value=None)),
    Ablation("alpha .4", run=Run(name="hybrid", mode="hybrid", fusion=Fusion(alpha=0.4))),
    Ablation("alpha .5", run=Run(name="hybrid", mode="hybrid", fusion=Fusion(alpha=0.5))),
    Ablation("alpha .6", run=Run(name="hybrid", mode="hybrid", fusion=Fusion(alpha=0.6))),
    Ablation("alpha at most .8", lambda _: patch.object(alpha, "SEMANTIC_ALPHA", 0.8)),
    Ablation("text weight 1", text_weight=1.0),
    Ablation("words apart as good", lambda _: patch.object(candidates_module, "GAIN", 0.0)),
    Ablation("names as other words", lambda _: patch.object(adjacency, "NAME_WEIGHT", 1.0)),
    Ablation("scores not completed", candidates=_listed_only),
    Ablation("cosines times .7", candidates=_scaled(0.7)),
    Ablation("cosines times 1.3", candidates=_scaled(1.3)),
    Ablation("bound (k1 + 1) idf", _idf_bound),
    Ablation("k1 1.2", _usual_k1),
    *(_fusion(method) for method in ("min_max", "z_score", "dbsf", "rrf")),
)


def figures(
    search: HybridSearch, files: Sequence[Sequence[JudgedQuery]], ablation: Ablation
) -> list[float]:
    """Return the measure of each kind of query and of all, for the queries of each file."""
    means: list[float] = []
    for queries in files:
        with ablation.patch(search):
            rankings = {
                query.id: _ranking(search, ablation.candidates(candidates), ablation)
                for query, candidates in retrieve_queries(search, queries)
            }
        scores = measure_queries(queries, rankings, (NDCG, MRR))
        of_queries = scores[measure_of(queries)]
        means += [float(of_queries[list(rows)].mean()) for rows in kinds(queries).values()]
    return means


def measure_of(queries: Sequence[JudgedQuery]) -> str:
    """Return the measure for the queries of a file: MRR@10 if they are titles, else nDCG@10."""
    return MRR if {query.kind for query in queries} == {"title"} else NDCG


def _ranking(search: HybridSearch, candidates: Candidates, ablation: Ablation) -> Ranking:
    fusion = ablation.run.fusion.over(search.preferences.default)
    weight = (
        search.preferences.text_weight if ablation.text_weight is None else ablation.text_weight
    )
    return rank_candidates(candidates, ablation.run.mode, fusion, weight).ranking.top(10)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@setting("data")
def main(files: tuple[Path, ...], **given: Any) -> None:
    """Print the ablation of the ranking on the judged queries of FILES."""
    judged = [read_judgements(file, None).queries for file in files]
    heads = [
        f"{kind if len(kinds(queries)) > 1 else file.stem} {measure_of(queries)}"
        for file, queries in zip(files, judged, strict=True)
        for kind in kinds(queries)
    ]
    with closing(open_search(Settings.load(**given))) as search:
        click.echo(f"{'':30}" + "".join(f"{head:>18}" for head in heads))
        for ablation in ABLATIONS:
            row = figures(search, judged, ablation)
            click.echo(f"{ablation.name:30}" + "".join(f"{value:>18.3f}" for value in row))


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.ablation")
