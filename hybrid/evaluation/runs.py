"""Runs: rankings that have a name, so that they can be measured and compared."""

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import click
import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from hybrid.errors import EngineUnavailable, InvalidInput
from hybrid.evaluation.judgements import JudgedQuery
from hybrid.problems import listed, problems
from hybrid.query import Fusion, Mode, SearchQuery
from hybrid.ranking import Ranking
from hybrid.search import HybridSearch

DEPTH = 100
"""Films of each ranking that are looked at: recall@100 needs no more."""

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
    fusion: Fusion = Fusion()

    @classmethod
    def parse(cls, text: str) -> "Run":
        """Return the run of NAME=MODE,FUSION,ALPHA; without a name it is called what it is.

        Raises InvalidInput.
        """
        name, given, spec = text.rpartition("=")
        mode, *fusion = [part.strip() for part in spec.split(",")]
        if len(fusion) > 2 or (fusion and mode != "hybrid"):
            raise InvalidInput(
                f"run '{text}': expected keyword, semantic or hybrid, and after hybrid a fusion "
                "and an alpha if need be, as in mine=hybrid,rrf,0.4"
            )
        values: dict[str, Any] = dict(zip(("method", "alpha"), fusion, strict=False))
        try:
            called = name.strip() if given else ",".join([mode, *fusion])
            return cls.model_validate({"name": called, "mode": mode, "fusion": values})
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

    Raises EngineUnavailable where an engine did not take part: what is left is another ranking.
    """
    found: dict[str, dict[str, Ranking]] = {run.name: {} for run in runs}
    hidden = not sys.stderr.isatty()
    with click.progressbar(queries, label="searching", file=sys.stderr, hidden=hidden) as asked:
        for query in asked:
            for run in runs:
                answer = search.search(
                    SearchQuery(
                        text=query.text,
                        filters=query.filters,
                        mode=run.mode,
                        fusion=run.fusion,
                        limit=DEPTH,
                    )
                )
                if answer.degraded:
                    raise EngineUnavailable(
                        f"the {answer.degraded[0]} engine was lost at query {query.id}: nothing "
                        "was measured"
                    )
                found[run.name][query.id] = Ranking(
                    np.array([hit.id for hit in answer.hits], np.int64),
                    np.array([hit.score for hit in answer.hits], np.float64),
                )
    return found
