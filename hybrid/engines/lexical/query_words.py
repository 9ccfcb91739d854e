"""The words of a query, as far as they can be told without asking Elasticsearch to analyse it."""

import re

from hybrid.text.stop_words import STOP_WORDS

MAX_LENGTH = 255
"""The `standard` tokenizer cuts longer words into several terms."""

_STOP_WORDS = frozenset(STOP_WORDS)

# By Unicode's word boundaries (UAX #29) there always is one between two ASCII characters, except
# between letters, digits and underscores, and at some punctuation with one of them on each side.
_RUN = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_'.:,;]*[A-Za-z0-9_])?")

_PLAIN = re.compile(r"[A-Za-z0-9]+(?:(?<=[A-Za-z])'(?=[A-Za-z])[A-Za-z0-9]+)*")


def query_words(text: str) -> list[str]:
    """Return the words of `text` that can score, in their order, plain ones in lower case.

    Each is analysed by itself as it is within the text. Those that are not plain may be any number
    of terms, also none.
    """
    words: list[str] = []
    for part in text.split():
        runs = _RUN.findall(part) if part.isascii() else [part]
        words += [run.lower() for run in runs] if all(map(is_plain, runs)) else [part]
    return [word for word in words if word not in _STOP_WORDS]


def is_plain(word: str) -> bool:
    """Whether Elasticsearch makes exactly one term of the word, unless it is a stop word.

    So it is with a word of ASCII letters and digits, and single apostrophes between letters.
    """
    return len(word) <= MAX_LENGTH and _PLAIN.fullmatch(word) is not None
