"""An evaluation as one HTML page that needs no other file: tables, and charts beside them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from jinja2 import Environment, PackageLoader, StrictUndefined

from hybrid.evaluation.evaluate import Evaluation, PairwiseTest, Win
from hybrid.evaluation.judgements import ALL
from hybrid.evaluation.measures import NDCG
from hybrid.evaluation.significance import CONFIDENCE, RESAMPLES

COLOURS = 6
"""Of runs, told apart by colour-blind eyes; a seventh has the first one's and its name beside it.
"""


@dataclass(frozen=True)
class Axis:
    """A scale from `-limit` to `limit` that all differences of a chart fit on."""

    limit: float

    @classmethod
    def of(cls, differences: Iterable[float]) -> "Axis":
        """Return the shortest of a few round axes that holds all `differences`."""
        reach = max(map(abs, differences), default=0.0)
        # A mean of ones may be a little more than 1.
        return cls(next((limit for limit in (0.05, 0.1, 0.2, 0.3, 0.5) if reach <= limit), 1.0))

    def percent(self, value: float) -> float:
        """Return where `value` is, 0 on the left to 100."""
        return 50 + 50 * value / self.limit


@dataclass(frozen=True)
class Bar:
    """A query in the chart of two runs, from left to right by what the run gains."""

    place: int
    gain: float
    text: str


@dataclass(frozen=True)
class Duel:
    """Two runs query by query: a bar for each query that tells them apart, and greatest wins."""

    comparison: PairwiseTest
    queries: int
    axis: Axis
    bars: Sequence[Bar]
    wins: Sequence[tuple[str, str, Sequence[Win]]]


def as_page(evaluation: Evaluation) -> str:
    """Return the page. The same evaluation gives the same page."""
    environment = Environment(
        loader=PackageLoader("hybrid.evaluation", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    rows = evaluation.comparisons
    compared = [(name, list(found)) for name, found in groupby(rows, lambda row: row.measure)]
    return environment.get_template("page.html.jinja").render(
        evaluation=evaluation,
        colours={run.name: place % COLOURS for place, run in enumerate(evaluation.runs)},
        forests=[(name, found, _axis(found)) for name, found in compared],
        duels=list(_duels(evaluation)),
        confidence=CONFIDENCE,
        resamples=RESAMPLES,
        ndcg=NDCG,
        all=ALL,
    )


def _axis(rows: Sequence[PairwiseTest]) -> Axis:
    estimates = [row.difference for row in rows]
    return Axis.of(limit for gain in estimates for limit in (gain.low, gain.high))


def _duels(evaluation: Evaluation) -> Iterator[Duel]:
    wins = {
        pair: list(found)
        for pair, found in groupby(evaluation.wins, lambda win: (win.run, win.other))
    }
    for row in evaluation.comparisons:
        if row.measure == NDCG:
            bars = _bars(evaluation, row)
            pairs = ((row.run, row.baseline), (row.baseline, row.run))
            won = [(*pair, wins[pair]) for pair in pairs if pair in wins]
            axis = Axis.of(bar.gain for bar in bars)
            yield Duel(row, len(evaluation.judgements.queries), axis, bars, won)


def _bars(evaluation: Evaluation, row: PairwiseTest) -> list[Bar]:
    queries = evaluation.judgements.queries
    gains = evaluation.differences(row.run, row.baseline).tolist()
    order = sorted(range(len(gains)), key=lambda place: -gains[place])
    return [
        Bar(place, gains[query], queries[query].text)
        for place, query in enumerate(order)
        if gains[query]
    ]
