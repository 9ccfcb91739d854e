"""How words are read: the analysis of the keyword side, for a text and for each of its places.

The Elasticsearch mapping describes the same analysis, and docs/ranking.md tells the few words that
its stemmer makes otherwise. So what is found by either engine is shown by this one.
"""

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import NamedTuple

import tantivy
from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

from hybrid.text.stop_words import STOP_WORDS

_SINGLE = r"[\p{Han}\p{Hiragana}]"

_LETTER = r"[[^\W\d_]--[\p{Han}\p{Hiragana}]]"

WORD = rf"{_SINGLE}|(?:\d(?:[.,;'\u2019]\d)*|{_LETTER}(?:[.'\u2019]{_LETTER})*)+"
"""Words as Unicode's word boundaries (UAX 29) make them, as far as a regular expression can: 3.5,
U.S.A and O'Neil are one word each, a Chinese character is one by itself."""

KEPT_WORDS = 1 << 16
"""So many different words are remembered with their terms: a catalogue's vocabulary, about."""


class Token(NamedTuple):
    """A word in a text: the characters [start, end), and the term that is searched for it."""

    start: int
    end: int
    term: str


@cache
def analyzer() -> tantivy.TextAnalyzer:
    """Return the analysis that the Elasticsearch mapping describes, as far as Tantivy has it."""
    return (
        TextAnalyzerBuilder(Tokenizer.regex(WORD))
        .filter(Filter.lowercase())
        .filter(Filter.ascii_fold())
        .filter(Filter.custom_stopword(STOP_WORDS))
        .filter(Filter.stemmer("english"))
        .build()
    )


@cache
def _splitter() -> tantivy.TextAnalyzer:
    return TextAnalyzerBuilder(Tokenizer.regex(WORD)).build()


@cache
def _ascii_folding() -> tantivy.TextAnalyzer:
    return TextAnalyzerBuilder(Tokenizer.raw()).filter(Filter.ascii_fold()).build()


def fold_to_ascii(text: str) -> str:
    """Return `text` with Latin letters as `analyzer` compares them: æ is ae, ł is l, Ø is O.

    Letters of other scripts stay as they are.
    """
    if text.isascii():
        return text
    (folded,) = _ascii_folding().analyze(text)  # the raw tokenizer makes one token of any text
    return str(folded)


def analyze(text: str) -> list[str]:
    """Return the terms that are searched for `text`."""
    terms: list[str] = analyzer().analyze(text)
    return terms


def tokens(text: str) -> Sequence[Token]:
    """Return the words of `text` that are searched, with their places; stop words are not."""
    found, end = [], 0
    for word in _splitter().analyze(text):
        # Whatever could begin a word earlier would itself be one.
        start = text.index(word, end)
        end = start + len(word)
        found += [Token(start, end, term) for term in _terms(word)]
    return found


@lru_cache(KEPT_WORDS)
def _terms(word: str) -> Sequence[str]:
    return tuple(analyze(word))
