"""The words of titles, normalised for comparison."""

import re
from collections.abc import Sequence
from functools import lru_cache

from hybrid.text.normalise import join_letters, plain
from hybrid.text.stop_words import STOP_WORDS

_UNITS = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
    fifteen sixteen seventeen eighteen nineteen""".split()

_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()

_ORDINALS = """first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth
    thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth""".split()

_ROMAN = "i ii iii iv v vi vii viii ix x xi xii xiii".split()

_CARDINALS = {word: number for number, word in enumerate(_UNITS)} | {
    word: 10 * number for number, word in enumerate(_TENS, start=2)
}

_FIGURES = {word: str(number) for number, word in enumerate(_ORDINALS, start=1)} | {
    word: str(number) for number, word in enumerate(_ROMAN, start=1)
}

_ABBREVIATIONS = {
    "st": "street",
    "blvd": "boulevard",
    "rd": "road",
    "ave": "avenue",
    "mt": "mount",
    "ft": "fort",
    "dr": "doctor",
    "mr": "mister",
    "jr": "junior",
    "sgt": "sergeant",
    "capt": "captain",
    "lt": "lieutenant",
    "vs": "versus",
    "pt": "part",
    "w": "with",
    "nite": "night",
    "thru": "through",
}

_IGNORED = frozenset(STOP_WORDS) - {"no", "not", "they", "what", "who", "will"} | frozenset(
    "from part episode chapter volume vol movie film".split()
)

_ORDINAL = re.compile(r"^(\d+)(?:st|nd|rd|th)$")


@lru_cache(1024)  # a query's words are compared with several sets of titles
def title_words(text: str) -> tuple[str, ...]:
    """Return the words of a title as they are compared.

    Without case, accents and punctuation; numbers in figures; spaced letters joined ("M*A*S*H" is
    "mash"); common abbreviations expanded; without articles and the like, unless nothing remains.
    """
    joined = join_letters((word, 0) for word in whole_title(text).split())
    words = _in_figures([_ABBREVIATIONS.get(word, word) for word, _ in joined])
    return tuple(word for word in words if word not in _IGNORED) or tuple(words)


def whole_title(text: str) -> str:
    """Return every word of `text` without case, accents and punctuation."""
    bare = plain(re.sub(r"[^\w\s'\u2019]", " ", text.replace("&", " and ")))
    return " ".join(bare.split())


def _in_figures(words: Sequence[str]) -> list[str]:
    """Return the words with numbers, ordinals and Roman numerals in figures."""
    figures: list[str] = []
    number = 0  # the value of the number words just before
    for position, word in enumerate(words):
        if word in _CARDINALS:
            added = _CARDINALS[word]
            # "twenty" "one" is 21, "one" "two" are two numbers.
            continues = bool(number) and number % (10 if added < 10 else 100) == 0
            number = number + added if continues else added
            figures[len(figures) - continues :] = [str(number)]
        elif word == "hundred" and number:
            number *= 100
            figures[-1] = str(number)
        elif word == "and" and number and number % 100 == 0:
            continue
        else:
            number = 0
            # At the start i, v and x are letters more often than numbers.
            roman_letter = len(word) == 1 and position == 0
            figures.append(word if roman_letter else _FIGURES.get(word, _ORDINAL.sub(r"\1", word)))
    return figures
