"""Normalisation of words for comparison."""

import re
import unicodedata
from collections.abc import Iterable

from hybrid.text.analysis import fold_to_ascii


def plain(text: str) -> str:
    """Return `text` without case, accents, apostrophes and punctuation inside words.

    Letters like æ, ø and ł become ASCII, as in the keyword engines. The result is a fixed point:
    plain(plain(text)) == plain(text).
    """
    folded = text.casefold()
    if not folded.isascii():
        decomposed = unicodedata.normalize("NFKD", folded)
        unaccented = "".join(c for c in decomposed if not unicodedata.combining(c))
        # Both steps may produce capitals, for instance from small capitals.
        folded = fold_to_ascii(unaccented).casefold()
    return re.sub(r"[^\w\s]|_", "", folded)


def join_letters(words: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    """Join runs of single letters to words.

    Each word comes with a position; a run keeps that of its first letter.
    """
    joined: list[tuple[str, int]] = []
    letters = False
    for word, position in words:
        single = len(word) == 1 and word.isalpha() and (letters or word != "a")
        if single and letters:
            joined[-1] = (joined[-1][0] + word, joined[-1][1])
        else:
            joined.append((word, position))
        letters = single
    return joined
