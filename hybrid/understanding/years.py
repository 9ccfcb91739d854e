"""Years and decades as they are typed: 1994, 1980s, 80s, eighties."""

import re

from hybrid.movie import FIRST_YEAR, LAST_YEAR

_SPELLED = {
    name: 1900 + 10 * tens
    for tens, name in enumerate(
        "twenties thirties forties fifties sixties seventies eighties nineties".split(), start=2
    )
}

_DECADE = re.compile(r"(1[89]|20)?(\d0)s")

_YEAR = re.compile(r"\d{4}")

LATEST_OF_1900S = 20
"""20s are those of 1920; 10s and 00s those of this century."""


def years_in(word: str) -> tuple[int, int] | None:
    """Return the first and the last year that a plain word may stand for."""
    if _YEAR.fullmatch(word):
        year = int(word)
        return (year, year) if FIRST_YEAR <= year <= LAST_YEAR else None
    first = _SPELLED.get(word)
    decade = _DECADE.fullmatch(word)
    if decade:
        tens = int(decade[2])
        century = decade[1] or ("19" if tens >= LATEST_OF_1900S else "20")
        first = 100 * int(century) + tens
    return None if first is None else (first, first + 9)
