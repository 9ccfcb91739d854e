"""Titles as outlines: an image on a page can load no font, so it carries the shapes of its letters.

The typeface is that of the pages, Archivo. Its widths are continuous, so that every line of a title
is set as wide as its tile has room for.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import uharfbuzz as hb

NARROW, WIDE = 62, 125
"""The widths of the typeface, in percent of the normal one."""

UNITS = 1000
"""Of an em."""

CAPITALS = 0.69
"""Height of capital letters, in ems."""

MAX_LETTERS = 200
"""Letters of a title that can have room."""

LEADING = 0.86
"""Distance of two baselines, in ems: the lines are in capitals."""


Point = tuple[float, float]


class Line(NamedTuple):
    """A line of a title, and the width of the typeface in which it is set."""

    text: str
    width: float


class Setting(NamedTuple):
    """A title broken into lines, and its size, the length of an em in the units of a tile."""

    lines: Sequence[Line]
    size: float

    @property
    def height(self) -> float:
        """The height from the top of the first line to the foot of the last."""
        return self.size * (CAPITALS + LEADING * (len(self.lines) - 1))


def typeset(title: str, measure: float, room: float, sizes: Sequence[float]) -> Setting | None:
    """Return `title` in capitals, in lines of at most `measure`, at most `room` high.

    In the first of `sizes`, which descend, in which it fits; cut off where it fits in none. None
    where the typeface lacks a letter.
    """
    words = title.upper()[:MAX_LETTERS].split()
    if not all(face_of(letter) is not None for word in words for letter in word):
        return None
    for size in sizes:
        lines = _broken(words, measure / size)
        if len(lines) <= _most(room, size) and all(
            _length(line, NARROW) <= measure / size for line in lines
        ):
            break
    else:
        lines = _shortened(lines, measure / size, _most(room, size))
    return Setting([_stretched(line, measure / size) for line in lines], size)


def _most(room: float, size: float) -> int:
    """Return how many lines have room, at least one."""
    return max(1, 1 + int((room / size - CAPITALS) / LEADING))


def _shortened(lines: Sequence[str], measure: float, most: int) -> list[str]:
    """Return the first lines, each cut off where it is longer than `measure` ems."""
    kept = [_cut(line, measure) for line in lines[:most]]
    if len(lines) > most:
        kept[-1] = _cut(f"{kept[-1]}…", measure)
    return kept


def outlines(setting: Setting, x: float, top: float, colour: str) -> str:
    """Return the SVG of a set title whose upper left corner is (x, top)."""
    scale = setting.size / UNITS
    shapes = []
    for number, line in enumerate(setting.lines):
        baseline = top + setting.size * (CAPITALS + LEADING * number)
        shapes.append(
            f'<path transform="matrix({scale:.4f} 0 0 {-scale:.4f} {x:.2f} {baseline:.2f})" '
            f'fill="{colour}" d="{_Outline(line).path}"/>'
        )
    return "".join(shapes)


@lru_cache(maxsize=1)
def _faces() -> Sequence[hb.Face]:
    """Return the files of the typeface: Western European letters, and further Latin ones."""
    folder = Path(__file__).parent
    names = ("archivo-latin.ttf", "archivo-latin-ext.ttf")
    return [hb.Face(hb.Blob.from_file_path(str(folder / name))) for name in names]


@lru_cache(maxsize=1024)
def face_of(letter: str) -> int | None:
    """Return the number of the file that has a letter, None if neither has it."""
    for number, face in enumerate(_faces()):
        if hb.Font(face).get_nominal_glyph(ord(letter)):
            return number
    return None


def _broken(words: Sequence[str], measure: float) -> list[str]:
    """Return lines of words, each as long as `measure` ems allow in the narrow width."""
    lines: list[str] = []
    for word in words:
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and _length(joined, NARROW) <= measure:
            lines[-1] = joined
        else:
            lines.append(word)
    return lines


def _cut(text: str, measure: float) -> str:
    """Return the beginning of a text that fits into `measure` ems."""
    while len(text) > 1 and _length(text, NARROW) > measure:
        text = f"{text.rstrip('…')[:-1].rstrip()}…"
    return text


def _stretched(text: str, measure: float) -> Line:
    """Return the line in the width, to the nearest percent, that brings it to `measure` ems."""
    narrow, wide = NARROW, WIDE
    while narrow < wide:
        middle = (narrow + wide + 1) // 2
        if _length(text, middle) <= measure:
            narrow = middle
        else:
            wide = middle - 1
    return Line(text, narrow)


@lru_cache(maxsize=4096)
def _length(text: str, width: float) -> float:
    """Return the length of a line in ems."""
    advances = [place.x_advance for _, _, places in _shaped(text, width) for place in places]
    return float(sum(advances)) / UNITS


def _shaped(text: str, width: float) -> list[tuple[hb.Font, Sequence[Any], Sequence[Any]]]:
    """Return the fonts of a line's parts with their glyphs and where these stand."""
    parts = []
    for number, letters in groupby(text, face_of):
        font = hb.Font(_faces()[number or 0])
        font.set_variations({"wdth": width})
        buffer = hb.Buffer()
        buffer.add_str("".join(letters))
        buffer.guess_segment_properties()
        hb.shape(font, buffer)
        parts.append((font, buffer.glyph_infos, buffer.glyph_positions))
    return parts


class _Outline:
    """Collects the path of a line, in units of the typeface, which grow upwards: a pen."""

    def __init__(self, line: Line) -> None:
        self.x = 0
        self.parts: list[str] = []
        for font, glyphs, places in _shaped(*line):
            for glyph, place in zip(glyphs, places, strict=True):
                font.draw_glyph_with_pen(glyph.codepoint, self)
                self.x += place.x_advance

    @property
    def path(self) -> str:
        return "".join(self.parts)

    def moveTo(self, at: Point) -> None:  # noqa: N802, the protocol of pens
        self.parts.append(f"M{at[0] + self.x:.0f} {at[1]:.0f}")

    def lineTo(self, to: Point) -> None:  # noqa: N802
        self.parts.append(f"L{to[0] + self.x:.0f} {to[1]:.0f}")

    def qCurveTo(self, by: Point, to: Point) -> None:  # noqa: N802
        x = self.x
        self.parts.append(f"Q{by[0] + x:.0f} {by[1]:.0f} {to[0] + x:.0f} {to[1]:.0f}")

    def curveTo(self, *points: Point) -> None:  # noqa: N802
        pairs = " ".join(f"{x + self.x:.0f} {y:.0f}" for x, y in points)
        self.parts.append(f"C{pairs}")

    def closePath(self) -> None:  # noqa: N802
        self.parts.append("z")
