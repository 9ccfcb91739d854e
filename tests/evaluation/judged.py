"""Judged queries over a few films whose rankings can be worked out without a computer."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import mkdtemp

import numpy as np

from hybrid.evaluation.evaluate import Evaluation, evaluate
from hybrid.evaluation.judgements import ALL, JudgedQuery, Judgements
from hybrid.movie import Movie
from hybrid.query import Filters
from hybrid.ranking import Ranking
from hybrid.schemas.runs import parse_runs
from hybrid.search import HybridSearch
from tests.fakes import FakeLexical
from tests.small import open_small

SCRIPT = "<script>alert(1)</script>"

FILMS = [
    Movie(id=1, title=f"Harbour {SCRIPT}", year=1950, description="A captain sails home."),
    Movie(id=2, title="Winter", year=1960, description="A widow walks in the snow."),
    Movie(id=3, title="Letters", year=1970, description="Two strangers write letters."),
    Movie(id=4, title="Captain", year=1980, description="The lighthouse keeper is blind."),
    Movie(id=5, title="Untold"),
]


def judged(
    name: str, text: str, grades: Mapping[int, int], kind: str = ALL, filters: Filters | None = None
) -> JudgedQuery:
    """Return a judged query."""
    return JudgedQuery(name, kind, text, filters or Filters(), grades)


QUERIES = [
    judged("a", f"captain {SCRIPT}", {1: 3, 4: 1, 2: 0}, "words"),
    judged("b", "widow snow", {2: 2, 1: 0}, "words"),
    judged("c", "untold", {5: 1, 3: 0}, "title"),
    judged("d", "strangers", {3: 1, 1: 0}, "plot", Filters(year_from=1975)),
]


def ranked(*films: int) -> Ranking:
    """Return a ranking of these films, all with the same score."""
    return Ranking(np.array(films, np.int64), np.ones(len(films)))


def small(folder: Path, lexical: FakeLexical | None = None) -> HybridSearch:
    """Return a search over the few films."""
    return open_small(Path(mkdtemp(dir=folder)), FILMS, lexical or FakeLexical(FILMS))


def evaluated(
    folder: Path,
    *runs: str,
    queries: Sequence[JudgedQuery] = QUERIES,
    baseline: str | None = None,
    seed: int = 0,
) -> Evaluation:
    """Return the rankings of the few films measured on the few queries."""
    judgements = Judgements.of(folder / "<b>judged.jsonl", queries)
    with closing(small(folder)) as search:
        return evaluate(search, judgements, parse_runs(runs, baseline), baseline, 5, seed)
