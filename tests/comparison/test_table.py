"""Rankings side by side, as a terminal shows them."""

import re
from collections.abc import Iterator

import pytest
from wcwidth import width as terminal_width

from hybrid.comparison.compare import compare
from hybrid.comparison.table import as_columns
from hybrid.movie import Movie
from hybrid.query import Query
from hybrid.schemas.comparison import CompareResponse
from hybrid.schemas.runs import parse_runs
from hybrid.search import HybridSearch
from hybrid.terminal.text import shorten
from tests import corpus
from tests.fakes import FakeLexical
from tests.small import open_small

ODD = Movie(
    id=5000,
    title="七人の侍 \x1b[31mcaptain\nof the mirror, an empire of the winter river",
    description="A captain in a mirror.",
)

MOVIES = [*corpus.films(100), ODD]

STYLE = re.compile("\x1b\\[[0-9;]*m")


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HybridSearch]:
    """Give a search."""
    found = open_small(tmp_path_factory.mktemp("small"), MOVIES, FakeLexical(MOVIES))
    yield found
    found.close()


def answer(search: HybridSearch, *runs: str, **fields: object) -> CompareResponse:
    """Compare runs of one query."""
    query = Query.model_validate({"query": "captain mirror"} | fields)
    return compare(search, query, parse_runs(runs))


@pytest.mark.parametrize("width", [80, 100, 133, 300])
@pytest.mark.parametrize("count", [2, 3, 5, 8])
def test_every_line_fits(search: HybridSearch, width: int, count: int) -> None:
    """Whatever the width, the number of runs, their names and the titles; nothing of a title acts
    on the terminal."""
    runs = [f"{'x' * n}{n}:hybrid,rrf,.{n}" for n in range(count)]
    for line in as_columns(answer(search, *runs, limit=20), width):
        bare = STYLE.sub("", line)
        assert terminal_width(bare) <= width
        assert bare.isprintable()


def test_marks_say_what_moved(search: HybridSearch) -> None:
    """Against the column to the left: up is green, down red, new cyan, the same plain."""
    runs = ["a:keyword", "b:hybrid", "c:semantic"]
    found = answer(search, *runs, limit=12)
    lines = list(as_columns(found, 200))
    ranks = {name: {h.id: h.rank for h in run.hits} for name, run in found.runs.items()}
    marks: set[str] = set()
    for row in range(12):
        for left, right in (("a", "b"), ("b", "c")):
            hit = found.runs[right].hits[row]
            before = ranks[left].get(hit.id)
            by = before - hit.rank if before else None
            mark = "+" if by is None else "=" if not by else f"{'↑' if by > 0 else '↓'}{abs(by)}"
            assert f"{hit.rank:>3} " in lines[row + 1]
            assert mark in lines[row + 1]
            marks.add(mark[0])
    assert marks >= {"+", "↑", "↓"}
    text = "\n".join(lines)
    for mark, colour in (("↑", 32), ("↓", 31), ("+", 36)):
        assert f"\x1b[{colour}m{mark}" in text


def test_pairs_stand_below(search: HybridSearch) -> None:
    """Each with its measures, a dash where there is no tau; then how hybrid runs were fused."""
    found = answer(search, "a:keyword", "b:hybrid,rrf,.4", year_from=2090)
    lines = list(as_columns(found, 80))
    assert lines[0] == "\x1b[1m" + "a".ljust(41) + "b\x1b[0m"
    assert "no film" in lines[1]
    assert "a, b    0/10      1.00   1.00      -" in lines
    assert STYLE.sub("", lines[-1]) == "b: rrf, alpha 0.40, as asked"


def test_wide_characters_take_two_cells() -> None:
    """So they are cut and filled up by what they take on the screen."""
    assert shorten("七人の侍", 8) == "七人の侍"
    assert shorten("七人の侍", 7) == "七人の…"
    assert shorten("七人の侍", 6) == "七人…"
    assert shorten("e\u0301te\u0301", 3) == "e\u0301te\u0301"
