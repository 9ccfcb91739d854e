"""The analysis of the keyword engines: a text to terms, and to terms with their positions.

The Elasticsearch mapping describes the same analysis; docs/ranking.md lists the few words that its
stemmer treats differently. So highlights and explanations fit both engines.
"""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import tantivy
from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

from hybrid.monitoring.caches import cached
from hybrid.text.stop_words import STOP_WORDS

_SINGLE = r"[\p{Han}\p{Hiragana}]"

_LETTER = r"[[^\W\d_]--[\p{Han}\p{Hiragana}]]"

WORD = rf"{_SINGLE}|(?:\d(?:[.,;'\u2019]\d)*|{_LETTER}(?:[.'\u2019]{_LETTER})*)+"
"""Words by Unicode's word boundaries (UAX 29), as far as a regular expression can find them: 3.5,
U.S.A and O'Neil are one word each, and so is each Chinese character."""

MAX_CACHED_WORDS = 1 << 16
"""Maximum number of words whose terms are cached, about the vocabulary of a catalogue."""


class Token(NamedTuple):
    """A word in a text: its characters [start, end), and the term that is searched for."""

    start: int
    end: int
    term: str


@cache
def analyzer() -> tantivy.TextAnalyzer:
    """Return the analyzer: the one of the Elasticsearch mapping, as far as Tantivy has it."""
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
    (folded,) = _ascii_folding().analyze(text)  # the raw tokenizer makes the text one token
    return str(folded)


def analyze(text: str) -> list[str]:
    """Return the terms of `text`, in order and with repetitions."""
    terms: list[str] = analyzer().analyze(text)
    return terms


def tokens(text: str) -> Sequence[Token]:
    """Return the words of `text` with positions and terms, without stop words."""
    tokens, end = [], 0
    for word in _splitter().analyze(text):
        # No earlier occurrence is possible: it would itself be a word.
        start = text.index(word, end)
        end = start + len(word)
        tokens += [Token(start, end, term) for term in _terms(word)]
    return tokens


@cached("words", MAX_CACHED_WORDS)
def _terms(word: str) -> Sequence[str]:
    return tuple(analyze(word))
