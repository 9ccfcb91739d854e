"""Text in a terminal: no wider than its column, and free of control characters."""

from wcwidth import clip, width


def shorten(text: str, columns: int) -> str:
    """Return `text` in at most `columns` columns of a terminal, with … for what is cut off."""
    if width(text) <= columns:
        return text
    return f"{clip(text, 0, columns - 1).rstrip()}…"


def printable(text: str) -> str:
    """Return `text` with a space for each character that could control the terminal."""
    return "".join(character if character.isprintable() else " " for character in text)
