"""The words of a text as they are typed: neither stemmed nor without stop words."""

import re
from functools import cache

import tantivy
from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

from hybrid.text.analysis import WORD

_POSSESSIVE = re.compile(r"'s?$")


@cache
def _analyzer() -> tantivy.TextAnalyzer:
    return (
        TextAnalyzerBuilder(Tokenizer.regex(WORD))
        .filter(Filter.lowercase())
        .filter(Filter.ascii_fold())
        .build()
    )


def exact_words(text: str) -> list[str]:
    """Return the words of `text` in order, without case, accents, apostrophes and possessive 's.

    No word contains a blank.
    """
    words: list[str] = _analyzer().analyze(text)
    if "'" in text or "\u2019" in text:
        words = [_POSSESSIVE.sub("", word).replace("'", "") for word in words]
    return " ".join(words).split()
