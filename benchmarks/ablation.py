"""What each part of the ranking is worth: nDCG@10 and MRR@10 with that part switched off.

    python -m benchmarks.ablation QUERIES.jsonl ... --data DIR

The index must be one of the embedded engine. Every line but the first is the whole ranking less,
or with another choice of, one part.
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

from hybrid.engines.lexical import tantivy
from hybrid.engines.lexical.bm25 import K1, attainable
from hybrid.engines.lexical.tantivy import TANTIVY_FOLDER, TantivyEngine
from hybrid.engines.lexical.tantivy_writer import TantivyWriter
from hybrid.evaluation.evaluate import kinds
from hybrid.evaluation.formats import read_judgements
from hybrid.evaluation.judgements import JudgedQuery
from hybrid.evaluation.measures import MRR, NDCG, measured
from hybrid.evaluation.rankings import retrieved
from hybrid.fusion import alpha
from hybrid.fusion.fused_ranking import ranked
from hybrid.query import Fusion, FusionMethod
from hybrid.ranking import Ranking, Scores
from hybrid.retrieval import retriever as retrieval
from hybrid.retrieval.candidates import Candidates
from hybrid.retrieval.query_parser import ParsedQuery
from hybrid.retrieval.title_index import TitleIndex
from hybrid.schemas.runs import Run
from hybrid.search import HybridSearch
from hybrid.settings import Settings
from hybrid.storage.catalogue import Catalogue
from hybrid.storage.sentence_vectors import Places, Rows, SentenceVectors
from hybrid.terminal.commands import setting
from hybrid.text.analysis import analyze
from hybrid.vectors import QueryVector
from hybrid.wiring import open_search

Off = Callable[[HybridSearch], AbstractContextManager[Any]]


WHOLE = Run(name="hybrid", mode="hybrid")


@dataclass(frozen=True)
class Part:
    """A line of the table: what is switched off, and how the run is fused."""

    name: str
    off: Off = lambda search: nullcontext()
    run: Run = WHOLE
    text_weight: float | None = None
    candidates: Callable[[Candidates], Candidates] = lambda candidates: candidates


def _sentences(*weights: float) -> Off:
    return lambda search: patch.object(retrieval, "PLOT_SENTENCES", weights)


def _short_films_favoured(search: HybridSearch) -> AbstractContextManager[Any]:
    """Share the weights of missing sentences out among those that there are."""
    best = SentenceVectors.best

    def shared(
        vectors: SentenceVectors, meaning: QueryVector, places: Places
    ) -> tuple[Scores, Rows]:
        scores, numbers = best(vectors, meaning, places)
        held = np.cumsum([0.0, *meaning.weights])
        return scores / held[np.minimum(vectors.counts[places], len(meaning.weights))], numbers

    return patch.object(SentenceVectors, "best", shared)


def _typed(text: str) -> ParsedQuery:
    return ParsedQuery(typed=text, wording=text, titles=(text,), quoted=False, cut=False)


def _no_titles(index: TitleIndex, texts: object) -> Scores:
    return np.zeros(len(index.years))


def _listed_only(found: Candidates) -> Candidates:
    """Forget the scores that a side's own list does not hold."""
    unmeant = found.meant.ranks_of(found.words.ids) == 0
    shares = np.where(found.found, found.words.shares, 0.0)
    return replace(
        found,
        words=replace(found.words, shares=shares),
        cosines=np.where(unmeant, np.nan, found.cosines),
    )


def _idf_bound(search: HybridSearch) -> AbstractContextManager[Any]:
    """Bound a word by (k1 + 1) idf, which its best film approaches but need not reach."""
    films = len(search.catalogue)

    def bound(engine: TantivyEngine, text: str) -> float:
        counts = [engine._searcher.doc_freq("text", word) for word in analyze(text)]
        idf = [np.log(1 + (films - n + 0.5) / (n + 0.5)) if n else 0.0 for n in counts]
        return attainable([(K1 + 1) * float(weight) for weight in idf])

    return patch.object(TantivyEngine, "attainable", bound)


@contextmanager
def _usual_k1(search: HybridSearch) -> Iterator[None]:
    """Index the films anew, said once: BM25 with Tantivy's k1 of 1.2."""
    ids = search.catalogue.columns.ids
    films = [
        found.movie
        for part in np.array_split(ids, max(1, len(ids) // 500))
        for found in search.catalogue.films(part.tolist()).values()
    ]
    with (
        tempfile.TemporaryDirectory() as folder,
        patch.object(tantivy, "REPEATS", 1),
        patch.object(tantivy, "SCALE", 1.0),
    ):
        writer = TantivyWriter(Path(folder))
        writer.prepare(None)
        writer.write(films, (), len(films))
        with patch.object(
            search._retrieval, "lexical", TantivyEngine(Path(folder) / TANTIVY_FOLDER)
        ):
            yield


def _fusion(method: FusionMethod) -> Part:
    return Part(
        f"fusion {method}", run=Run(name=method, mode="hybrid", fusion=Fusion(method=method))
    )


PARTS = (
    Part("whole"),
    Part("keyword alone", run=Run(name="keyword", mode="keyword")),
    Part("semantic alone", run=Run(name="semantic", mode="semantic")),
    Part("without titles", lambda search: patch.object(TitleIndex, "shares", _no_titles)),
    Part("asking counts as words", lambda search: patch.object(retrieval, "read", _typed)),
    Part("best sentence only", _sentences(1.0)),
    Part("two sentences, .75 .25", _sentences(0.75, 0.25)),
    Part("missing sentences shared out", _short_films_favoured),
    Part("three for short queries too", lambda search: patch.object(retrieval, "PLOT_WORDS", 1)),
    Part("names unnoticed", lambda search: patch.object(Catalogue, "name_in", return_value=None)),
    Part("alpha .4", run=Run(name="hybrid", mode="hybrid", fusion=Fusion(alpha=0.4))),
    Part("alpha .5", run=Run(name="hybrid", mode="hybrid", fusion=Fusion(alpha=0.5))),
    Part("alpha .6", run=Run(name="hybrid", mode="hybrid", fusion=Fusion(alpha=0.6))),
    Part("alpha at most .8", lambda search: patch.object(alpha, "MEANING_ALONE", 0.8)),
    Part("text weight 1", text_weight=1.0),
    Part("scores not completed", candidates=_listed_only),
    Part("bound (k1 + 1) idf", _idf_bound),
    Part("k1 1.2", _usual_k1),
    *(_fusion(method) for method in ("min_max", "z_score", "dbsf", "rrf")),
)


def figures(
    search: HybridSearch, files: Sequence[Sequence[JudgedQuery]], part: Part
) -> list[float]:
    """Return nDCG@10 of every kind and of all queries of each file; MRR@10 of title queries."""
    found = []
    for queries in files:
        with part.off(search):
            rankings = {
                query.id: _ranking(search, part.candidates(candidates), part)
                for query, candidates in retrieved(search, queries)
            }
        scores = measured(queries, rankings, (NDCG, MRR))
        for places in kinds(queries).values():
            found.append(float(scores[measure_of(queries)][list(places)].mean()))
    return found


def measure_of(queries: Sequence[JudgedQuery]) -> str:
    """Return what queries of a file are measured by: one film is wanted where a title is."""
    return MRR if {query.kind for query in queries} == {"title"} else NDCG


def _ranking(search: HybridSearch, candidates: Candidates, part: Part) -> Ranking:
    fusion = part.run.fusion.over(search.preferences.default)
    weight = search.preferences.text_weight if part.text_weight is None else part.text_weight
    return ranked(candidates, part.run.mode, fusion, weight).ranking.top(10)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@setting("data")
def main(files: tuple[Path, ...], **given: Any) -> None:
    """Print what each part of the ranking is worth on the judged queries of FILES."""
    judged = [read_judgements(file, None).queries for file in files]
    heads = [
        f"{kind if len(kinds(queries)) > 1 else file.stem} {measure_of(queries)}"
        for file, queries in zip(files, judged, strict=True)
        for kind in kinds(queries)
    ]
    with closing(open_search(Settings.load(**given))) as search:
        click.echo(f"{'':30}" + "".join(f"{head:>18}" for head in heads))
        for part in PARTS:
            row = figures(search, judged, part)
            click.echo(f"{part.name:30}" + "".join(f"{value:>18.3f}" for value in row))


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.ablation")
