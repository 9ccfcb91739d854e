"""A small poster drawn for every film, the same one every time.

The colours come from its year, the figure from a genre, the layout from the title. A tile refers
to no other file.
"""

from collections.abc import Iterator
from hashlib import blake2b

from hybrid.movie import Movie, genre_keys
from hybrid.web.tiles.motifs import motif
from hybrid.web.tiles.palettes import ERAS, UNDATED
from hybrid.web.tiles.shapes import HEIGHT, WIDTH


def tile(movie: Movie) -> str:
    """Return the tile of `movie`, an SVG document. It holds no text of the film."""
    dice = _dice(movie.title)
    palettes = next(inks for end, inks in ERAS if (movie.year or UNDATED) < end)
    inks = palettes[int(next(dice) * len(palettes))]
    figure = motif(genre_keys(movie), dice)(inks, dice)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{inks.ground}"/>{figure}</svg>'
    )


def _dice(title: str) -> Iterator[float]:
    """Throw numbers from 0 up to 1, the same ones for the same title, without end."""
    throw = 0
    while True:
        for byte in blake2b(f"{throw} {title}".encode(), digest_size=64).digest():
            yield byte / 256
        throw += 1
