"""The colours of the tiles: those of posters of a film's era."""

from collections.abc import Sequence
from typing import NamedTuple


class Inks(NamedTuple):
    """The four colours of a tile."""

    ground: str
    figure: str
    accent: str
    pale: str


ERAS: Sequence[tuple[int, Sequence[Inks]]] = (
    (  # sepia
        1930,
        (
            Inks("#3a2f26", "#d8c3a0", "#a88a62", "#f1e6cf"),
            Inks("#d9c8a8", "#3c3026", "#8a6f4d", "#f4ead6"),
            Inks("#2a2723", "#c9bda6", "#8b7d68", "#ece4d3"),
        ),
    ),
    (  # black and white, and one ink
        1950,
        (
            Inks("#1e2226", "#cfd4d6", "#a63a35", "#f2f2ee"),
            Inks("#c6cac8", "#23282c", "#9a6a33", "#f0f0ea"),
            Inks("#27323b", "#d7d2c4", "#b58a3d", "#efeee6"),
        ),
    ),
    (  # three-strip colour
        1965,
        (
            Inks("#e8b93a", "#1f3a4d", "#c8402f", "#f6eedd"),
            Inks("#2a7f86", "#f3e3c3", "#e2632f", "#123138"),
            Inks("#d4553c", "#f5e6c8", "#20415a", "#f0b84a"),
            Inks("#efe2c6", "#c8402f", "#2b6a72", "#e8b93a"),
        ),
    ),
    (  # earth
        1980,
        (
            Inks("#6f361b", "#f0a43a", "#e8d9b5", "#2c1a12"),
            Inks("#555c31", "#e9c46a", "#c8552b", "#f3ead0"),
            Inks("#4a2545", "#f08a4b", "#f3d9b1", "#c94f7c"),
            Inks("#dd7a2c", "#3b1f1a", "#f6e2b8", "#8f3b1d"),
        ),
    ),
    (  # neon
        1995,
        (
            Inks("#1c1645", "#ff5b93", "#3fd0d4", "#f7e9ff"),
            Inks("#0f2a40", "#ff8a3c", "#48c6ef", "#eef6fa"),
            Inks("#2f1140", "#f5d547", "#ef476f", "#f4e7fb"),
        ),
    ),
    (  # steel
        2010,
        (
            Inks("#10333a", "#9fd0cf", "#e88b3a", "#e9f3f1"),
            Inks("#20342b", "#a9cf6a", "#e6f0df", "#f0c674"),
            Inks("#2b3a55", "#e4e7ee", "#e0533d", "#9db2d6"),
        ),
    ),
    (  # flat
        9999,
        (
            Inks("#f2b5a7", "#27284a", "#ee5a4f", "#fff3ea"),
            Inks("#bfe3d0", "#15403d", "#ff7f50", "#f7fbf4"),
            Inks("#12213d", "#f4d35e", "#ee964b", "#faf0ca"),
            Inks("#f4e9e1", "#3d348b", "#f35b04", "#7678ed"),
        ),
    ),
)
"""First year in which an era is over, and the inks of that era."""

UNDATED = 1965
"""The era of a film without a year."""


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours #rrggbb, 1 to 21 (WCAG 2.2, contrast ratio)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    """Return the relative luminance of a colour, 0 to 1 (WCAG 2.2)."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
