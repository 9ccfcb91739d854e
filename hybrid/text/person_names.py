"""How a query is read: what it asks for, apart from the words that only ask."""

import re

from hybrid.movie import Movie, people
from hybrid.text.normalise import join_letters, plain


def name_words(text: str) -> list[tuple[str, int]]:
    """Return the words of a person's name as they are compared, with the place of the typed word.

    Hyphens and full stops part words, initials are one word, a possessive is dropped:
    "J. J. Abrams's" and "jj abrams" are the same name.
    """
    parts = [
        (plain(part), place)
        for place, word in enumerate(text.split())
        for part in re.split(r"[-.\u2010\u2011]", re.sub(r"['\u2019]s?\W*$", "", word))
    ]
    return join_letters([(part, place) for part, place in parts if part])


PARTICLES = frozenset(
    """af al av bin da das de del della den der di dos du e el ibn la le ten ter van vom von y
    zu""".split()
)
"""The words of a name that are written small; where others are, it is none."""


def plain_names(movie: Movie) -> set[str]:
    """Return the names of the film's people as the catalogue keeps them.

    What a source only takes for a name is none: one word, or "the history of".
    """
    names = set()
    for text in people(movie):
        words = [word for word, _ in name_words(text)]
        lower = {word for word in text.split() if word[0].islower()}
        if len(words) > 1 and lower <= PARTICLES:
            names.add(" ".join(words))
    return names
