"""How a query is read: what it asks for, apart from the words that only ask."""

import re
import unicodedata
from collections.abc import Iterable

from hybrid.text.analysis import fold_to_ascii


def plain(text: str) -> str:
    """Return `text` without case, accents, apostrophes and punctuation inside words.

    Letters like æ, ø and ł become ASCII as they do on the keyword side. Folding twice changes
    nothing more.
    """
    folded = text.casefold()
    if not folded.isascii():
        decomposed = unicodedata.normalize("NFKD", folded)
        unaccented = "".join(c for c in decomposed if not unicodedata.combining(c))
        # Both steps may give capitals: of letters that Unicode has as small capitals, say.
        folded = fold_to_ascii(unaccented).casefold()
    return re.sub(r"[^\w\s]|_", "", folded)


def join_letters(words: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    """Return the words with runs of single letters joined; each keeps the place it has."""
    joined: list[tuple[str, int]] = []
    letters = False
    for word, place in words:
        single = len(word) == 1 and word.isalpha() and (letters or word != "a")
        if single and letters:
            joined[-1] = (joined[-1][0] + word, joined[-1][1])
        else:
            joined.append((word, place))
        letters = single
    return joined
