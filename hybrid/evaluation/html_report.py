"""An evaluation as a self-contained HTML page of tables and charts."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, groupby

from jinja2 import Environment, PackageLoader, StrictUndefined

from hybrid.evaluation.evaluate import Evaluation, PairwiseTest, Win
from hybrid.evaluation.judgements import ALL
from hybrid.evaluation.measures import NDCG
from hybrid.evaluation.significance import CONFIDENCE, RESAMPLES
from hybrid.schemas.runs import Run

COLOURS = 6
"""Colours of runs, distinct to colour-blind people; a seventh hybrid run repeats one."""

OF_ONE_SIDE = ("semantic", "keyword")
"""The modes of the first two colours, which are those of meaning and words on all pages."""


@dataclass(frozen=True)
class Axis:
    """A scale from `-limit` to `limit`, which contains all differences of a chart."""

    limit: float

    @classmethod
    def of(cls, differences: Iterable[float]) -> "Axis":
        """Return the shortest of a few round axes that contains all `differences`."""
        largest = max(map(abs, differences), default=0.0)
        # A mean of ones may be a little more than 1.
        return cls(next((limit for limit in (0.05, 0.1, 0.2, 0.3, 0.5) if largest <= limit), 1.0))

    def percent(self, value: float) -> float:
        """Return the position of `value`, 0 on the left to 100 on the right."""
        return 50 + 50 * value / self.limit


@dataclass(frozen=True)
class Bar:
    """A query in the chart of two runs, at its `position` from the left, by decreasing gain."""

    position: int
    gain: float
    text: str


@dataclass(frozen=True)
class PairChart:
    """Two runs query by query: a bar for each query on which they differ, and the largest wins."""

    comparison: PairwiseTest
    queries: int
    axis: Axis
    bars: Sequence[Bar]
    wins: Sequence[tuple[str, str, Sequence[Win]]]


def _colours(runs: Iterable[Run]) -> dict[str, int]:
    """Return the number of each run's colour by its name."""
    fused = count()
    return {
        run.name: OF_ONE_SIDE.index(run.mode)
        if run.mode in OF_ONE_SIDE
        else len(OF_ONE_SIDE) + next(fused) % (COLOURS - len(OF_ONE_SIDE))
        for run in runs
    }


def as_page(evaluation: Evaluation) -> str:
    """Return the page; equal evaluations give equal pages."""
    environment = Environment(
        loader=PackageLoader("hybrid.evaluation", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    rows = evaluation.comparisons
    by_measure = [(name, list(tests)) for name, tests in groupby(rows, lambda row: row.measure)]
    return environment.get_template("page.html.jinja").render(
        evaluation=evaluation,
        colours=_colours(evaluation.runs),
        forests=[(name, tests, _axis(tests)) for name, tests in by_measure],
        pair_charts=list(_pair_charts(evaluation)),
        confidence=CONFIDENCE,
        resamples=RESAMPLES,
        ndcg=NDCG,
        all=ALL,
    )


def _axis(rows: Sequence[PairwiseTest]) -> Axis:
    estimates = [row.difference for row in rows]
    return Axis.of(limit for gain in estimates for limit in (gain.low, gain.high))


def _pair_charts(evaluation: Evaluation) -> Iterator[PairChart]:
    wins = {
        pair: list(wins_of_pair)
        for pair, wins_of_pair in groupby(evaluation.wins, lambda win: (win.run, win.other))
    }
    for row in evaluation.comparisons:
        if row.measure == NDCG:
            bars = _bars(evaluation, row)
            pairs = ((row.run, row.baseline), (row.baseline, row.run))
            wins_of_runs = [(*pair, wins[pair]) for pair in pairs if pair in wins]
            axis = Axis.of(bar.gain for bar in bars)
            yield PairChart(row, len(evaluation.judgements.queries), axis, bars, wins_of_runs)


def _bars(evaluation: Evaluation, row: PairwiseTest) -> list[Bar]:
    queries = evaluation.judgements.queries
    gains = evaluation.differences(row.run, row.baseline).tolist()
    order = sorted(range(len(gains)), key=lambda query: -gains[query])
    return [
        Bar(position, gains[query], queries[query].text)
        for position, query in enumerate(order)
        if gains[query]
    ]
