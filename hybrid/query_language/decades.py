"""Decades in plain text that limit the films: "1950s westerns", "films of the 1950s".

A decade elsewhere may be the time in which a film is set, "an Irish girl in 1950s New York", so it
stays plain text.
"""

import re
from collections.abc import Iterator

_KINDS = """films? movies? pictures? sci-?fi science\\ fiction westerns? noirs? film\\ noirs? comedy
    comedies horror horrors dramas? musicals? thrillers? romances? romantic\\ comedies cartoons?
    documentary documentaries animation adventures? fantasy mysteries war\\ films? war\\ movies?
    crime\\ films? crime\\ movies? shorts silents"""

_KIND = "|".join(kind.replace("\0", r"\s+") for kind in _KINDS.replace("\\ ", "\0").split())

_DECADE = r"(?P<decade>(?:18[7-9]|19\d|20\d)0s)"

_BEFORE = re.compile(rf"(?<!\S){_DECADE}(?=\s+(?:{_KIND})(?!\w))", re.IGNORECASE)

_AFTER = re.compile(
    rf"(?<!\S)(?:{_KIND})\s+(?:of|from)\s+(?:the\s+)?{_DECADE}(?![\w'\u2019])", re.IGNORECASE
)


def decades(text: str) -> Iterator[tuple[int, int]]:
    """Yield where a decade stands beside a kind of films: the characters [start, end)."""
    for pattern in (_BEFORE, _AFTER):
        for match in pattern.finditer(text):
            yield match.span("decade")
