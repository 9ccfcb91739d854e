"""The lettering of tiles: titles fit, are legible, and a page of films looks like many films."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid.movie import Movie
from hybrid.web.tiles.lettering import Line, _length, typeset
from hybrid.web.tiles.palettes import ERAS, contrast
from hybrid.web.tiles.shapes import HEIGHT, WIDTH
from hybrid.web.tiles.tile import LEGIBLE, MARGIN, MAX_TITLE, SIZES, _legible, tile

MEASURE = WIDTH - 2 * MARGIN

TITLES = (
    "Heat",
    "The Great Train Robbery",
    "Dr. Strangelove or: How I Learned to Stop Worrying and Love the Bomb",
    "Supercalifragilisticexpialidocious and Antidisestablishmentarianism",
    "Łódź – Kwaidan: Straße",
    "x" * 1000,
)


@pytest.mark.parametrize("title", TITLES)
def test_titles_fit(title: str) -> None:
    """Each line is within the margins, all of them within their room; what is longer is cut."""
    setting = typeset(title, MEASURE, MAX_TITLE, SIZES)
    assert setting is not None
    assert setting.height <= MAX_TITLE
    assert all(_length(line.text, line.width) * setting.size <= MEASURE for line in setting.lines)
    set_text = " ".join(line.text for line in setting.lines)
    is_whole = set_text == title.upper()
    assert is_whole or set_text.endswith("…") or "…" in setting.lines[0].text
    assert is_whole == (max(map(len, title.split())) < 30)


def test_lines_are_as_wide_as_there_is_room() -> None:
    """A line takes the width of the typeface that fills its measure, a short title the widest."""
    setting = typeset("The Great Train Robbery", MEASURE, MAX_TITLE, SIZES)
    assert setting is not None
    for line in setting.lines:
        wider = _length(line.text, line.width + 1) * setting.size
        assert line.width == 125 or wider > MEASURE
    assert typeset("Pi", MEASURE, MAX_TITLE, SIZES) == ([Line("PI", 125)], SIZES[0])


def test_a_title_that_the_typeface_lacks_is_left_out() -> None:
    """The tile is then the figure alone: half a title would be wrong."""
    assert typeset("Сталкер Stalker", MEASURE, MAX_TITLE, SIZES) is None
    drawn = tile(Movie(id=1, title="七人の侍"))
    assert "matrix(0.0" not in drawn
    assert f'width="{WIDTH}.0" height="{HEIGHT}.0" fill' in drawn


@given(st.integers(0, len(ERAS) - 1), st.data())
def test_titles_are_legible(era: int, data: st.DataObject) -> None:
    """On each ink of each palette the title has the contrast that WCAG asks of text."""
    inks = data.draw(st.sampled_from(ERAS[era][1]))
    for paper in inks:
        assert contrast(_legible(paper, inks), paper) >= LEGIBLE


def test_tiles_of_one_kind_differ() -> None:
    """Forty Westerns of one year: no two tiles share both their figure and its colours."""
    films = [Movie(id=n, title=f"Trail {n}", year=1955, genres=("Western",)) for n in range(40)]
    drawn = [re.sub(r'<path transform="matrix\(0.*?/>', "", tile(film)) for film in films]
    assert len(set(drawn)) == 40
    assert len({re.sub(r"[\d.]+", "", one) for one in drawn}) >= 20
