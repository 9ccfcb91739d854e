"""Names of people, as they are stored in the catalogue and found in queries."""

import re

from hybrid.movie import Movie, people
from hybrid.text.normalise import join_letters, plain


def name_words(text: str) -> list[tuple[str, int]]:
    """Return the words of `text` as names are compared, each with the position of its word.

    Hyphens and full stops separate words, initials are joined to one word, and a possessive ending
    is dropped: "J. J. Abrams's" and "jj abrams" are the same name.
    """
    parts = [
        (plain(part), position)
        for position, word in enumerate(text.split())
        for part in re.split(r"[-.\u2010\u2011]", re.sub(r"['\u2019]s?\W*$", "", word))
    ]
    return join_letters([(part, position) for part, position in parts if part])


PARTICLES = frozenset(
    """af al av bin da das de del della den der di dos du e el ibn la le ten ter van vom von y
    zu""".split()
)
"""Words of a name that may be in lower case. A text with another one is not a name."""


def plain_names(movie: Movie) -> set[str]:
    """Return the names of the film's people as the catalogue stores them.

    Entries of a source that are not full names are left out: single words, "the history of".
    """
    names = set()
    for text in people(movie):
        words = [word for word, _ in name_words(text)]
        lower = {word for word in text.split() if word[0].islower()}
        if len(words) > 1 and lower <= PARTICLES:
            names.add(" ".join(words))
    return names
