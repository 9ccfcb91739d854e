"""Runs: rankings that have a name, so that they can be measured and compared."""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Annotated, TypeVar

import click
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from hybrid.errors import EngineUnavailable, InvalidInput
from hybrid.evaluation.judgements import JudgedQuery
from hybrid.problems import listed, problems
from hybrid.query import AlphaOrAuto, FusionMethod, Mode, SearchQuery
from hybrid.ranking import Ranking
from hybrid.retrieval import Candidates
from hybrid.search import HybridSearch

DEPTH = 100
"""Films of each ranking that are looked at: recall@100 needs no more."""

T = TypeVar("T")

DEFAULT_RUNS = ("keyword", "semantic", "hybrid")


def _name(text: str) -> str:
    if not re.fullmatch(r"\w[\w.,+-]{0,39}", text):
        raise ValueError("is to be of letters, digits and _ . , + - without blanks, at most 40")
    return text


Rankings = Mapping[str, Mapping[str, Ranking]]
"""By the name of the run, then by the id of the query."""


class Run(BaseModel):
    """A ranking with a name, which is its file's and its tag in TREC files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, AfterValidator(_name)]
    mode: Mode
    fusion: FusionMethod | None = None
    alpha: AlphaOrAuto | None = None

    @classmethod
    def parse(cls, text: str) -> "Run":
        """Return the run of NAME=MODE,FUSION,ALPHA; without a name it is called what it is.

        Raises InvalidInput.
        """
        name, given, spec = text.rpartition("=")
        mode, *fused = [part.strip() for part in spec.split(",")]
        if len(fused) > 2 or (fused and mode != "hybrid"):
            raise InvalidInput(
                f"run '{text}': expected keyword, semantic or hybrid, and after hybrid a fusion "
                "and an alpha if need be, as in mine=hybrid,rrf,0.4"
            )
        called = name.strip() if given else ",".join([mode, *fused])
        values = {"name": called, "mode": mode} | dict(
            zip(("fusion", "alpha"), fused, strict=False)
        )
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise InvalidInput(f"run '{text}': {listed(problems(error))}") from None


def parse_runs(texts: Iterable[str], baseline: str | None = None) -> Sequence[Run]:
    """Return the runs, or the default ones where none is given. Raises InvalidInput."""
    runs = [Run.parse(text) for text in texts or DEFAULT_RUNS]
    names = [run.name for run in runs]
    for name in names:
        if names.count(name) > 1:
            raise InvalidInput(f"two runs are called '{name}': name one, as in --run other={name}")
    if baseline is not None and baseline not in names:
        raise InvalidInput(f"baseline '{baseline}' is no run: choose from {', '.join(names)}")
    return runs


def rankings(search: HybridSearch, queries: Sequence[JudgedQuery], runs: Sequence[Run]) -> Rankings:
    """Return the best films of every run for every query.

    What a run does not say of its fusion is as the index prefers it. Raises EngineUnavailable where
    an engine did not take part: what is left is another ranking.
    """
    found: dict[str, dict[str, Ranking]] = {run.name: {} for run in runs}
    for query, candidates in retrieved(search, queries):
        for run in runs:
            fusion = search.preferences.default.overruled(run.fusion, run.alpha)
            ranking = search.fuse(candidates, run.mode, fusion).ranking
            found[run.name][query.id] = Ranking(ranking.ids[:DEPTH], ranking.scores[:DEPTH])
    return found


def progress(things: Iterable[T], label: str) -> AbstractContextManager[Iterable[T]]:
    """Return `things` under a progress bar, where somebody looks."""
    hidden = not sys.stderr.isatty()
    return click.progressbar(things, label=label, file=sys.stderr, hidden=hidden)


def retrieved(
    search: HybridSearch, queries: Sequence[JudgedQuery]
) -> Iterator[tuple[JudgedQuery, Candidates]]:
    """Give the candidates of each query. Raises EngineUnavailable where an engine is lost."""
    with progress(queries, "searching") as asked:
        for query in asked:
            candidates = search.retrieve(SearchQuery(text=query.text, filters=query.filters))
            if candidates.degraded:
                raise EngineUnavailable(
                    f"the {candidates.degraded[0]} engine was lost at query {query.id}: nothing "
                    "was measured"
                )
            yield query, candidates
