"""A cover drawn for every film, the same one every time, like a volume of a series.

The colours come from its year, the figure from a genre, the layout from the title, which is set in
it. A tile refers to no other file.
"""

from collections.abc import Iterator
from hashlib import blake2b

from hybrid.movie import Movie, name_keys
from hybrid.web.tiles.lettering import Setting, outlines, typeset
from hybrid.web.tiles.motifs import Dice, motif
from hybrid.web.tiles.palettes import ERAS, UNDATED, Inks, contrast
from hybrid.web.tiles.shapes import HEIGHT, WIDTH, box

MARGIN = 6
"""Between the edge of a tile and its title."""

SIZES = (21, 18, 15.5, 13, 11, 9.5, 8)
"""Of the letters, in the units of a tile."""

MAX_TITLE = 62
"""Height of the largest title."""

YEAR_SIZE = 6.5

LEGIBLE = 4.5
"""The least contrast of a title and what it stands on."""


def tile(movie: Movie) -> str:
    """Return the tile of `movie`, an SVG document. Its title is there as outlines only."""
    dice = _dice(movie.title)
    inks = _inks(movie, dice)
    figure = _turned(motif(name_keys(movie.genres), dice)(inks, dice), dice)
    title = typeset(movie.title, WIDTH - 2 * MARGIN, MAX_TITLE, SIZES)
    if title is None:
        drawn = box(0, 0, WIDTH, HEIGHT, inks.ground) + figure
    else:
        drawn = _lettered(title, str(movie.year or ""), inks, figure, dice)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}">{drawn}</svg>'
    )


def _lettered(title: Setting, year: str, inks: Inks, figure: str, dice: Dice) -> str:
    """Return a band with the title, above the figure or below it."""
    dated = typeset(year, WIDTH, YEAR_SIZE, (YEAR_SIZE,)) if year else None
    band = round(title.height + 2 * MARGIN + (dated.height + MARGIN * 0.8 if dated else 0))
    is_above = next(dice) < 0.6
    top = 0 if is_above else HEIGHT - band
    paper = (inks.ground, inks.figure, inks.accent, inks.pale)[int(next(dice) * 4)]
    ink = _legible(paper, inks)
    shapes = [
        _cropped(figure, inks.ground, band if is_above else 0, HEIGHT - band, dice),
        box(0, top, WIDTH, band, paper),
        outlines(title, MARGIN, top + MARGIN, ink),
    ]
    if dated:
        shapes.append(outlines(dated, MARGIN, top + band - MARGIN - dated.height, ink))
    return "".join(shapes)


def _cropped(figure: str, ground: str, top: float, height: float, dice: Dice) -> str:
    """Return the middle of a figure on its ground, the nearer the smaller its field is."""
    near = 1 + 0.5 * next(dice)
    wide, high = WIDTH / near, height / near
    left, start = (WIDTH - wide) / 2, (HEIGHT - high) * 0.55
    return (
        f'<svg y="{top:.1f}" width="{WIDTH}" height="{height:.1f}" '
        f'viewBox="{left:.1f} {start:.1f} {wide:.1f} {high:.1f}">'
        f"{box(0, 0, WIDTH, HEIGHT, ground)}{figure}</svg>"
    )


def _turned(figure: str, dice: Dice) -> str:
    """Return the figure as it is or mirrored."""
    if next(dice) < 0.5:
        return figure
    return f'<g transform="matrix(-1 0 0 1 {WIDTH} 0)">{figure}</g>'


def _inks(movie: Movie, dice: Dice) -> Inks:
    """Return the inks of a film's era, in one of the orders in which figure and ground differ."""
    palettes = next(inks for end, inks in ERAS if (movie.year or UNDATED) < end)
    ground, figure, accent, pale = palettes[int(next(dice) * len(palettes))]
    orders = (
        Inks(ground, figure, accent, pale),
        Inks(figure, ground, accent, pale),
        Inks(pale, ground, accent, figure),
        Inks(accent, ground, pale, figure),
    )
    return orders[int(next(dice) * len(orders))]


def _legible(paper: str, inks: Inks) -> str:
    """Return the first ink that is legible on the paper, black or white if none is."""
    for ink in (*inks, "#000000", "#ffffff"):
        if contrast(ink, paper) >= LEGIBLE:
            return ink
    raise AssertionError("black and white: one of both is legible on any colour")


def _dice(title: str) -> Iterator[float]:
    """Throw numbers from 0 up to 1, the same ones for the same title, without end."""
    throw = 0
    while True:
        for byte in blake2b(f"{throw} {title}".encode(), digest_size=64).digest():
            yield byte / 256
        throw += 1
