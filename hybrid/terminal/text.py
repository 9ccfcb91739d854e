"""A comparison for the terminal: rankings side by side, and how far they agree."""

import unicodedata


def clipped(text: str, size: int) -> str:
    """Return `text` in at most `size` cells of a terminal, with … for what is left out."""
    if cells(text) <= size:
        return text
    kept = text
    while kept and cells(kept) > size - 1:
        kept = kept[:-1]
    return f"{kept.rstrip()}…"


def padded(text: str, size: int) -> str:
    """Return `text` filled up with blanks to `size` cells."""
    return text + " " * (size - cells(text))


def cells(text: str) -> int:
    """Return the cells that `text` takes: two for a character of East Asia, none for an accent."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def clear(text: str) -> str:
    """Return the text of others without what would act on a terminal."""
    return "".join(character if character.isprintable() else " " for character in text)
