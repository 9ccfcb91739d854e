"""Single values as the fields of a film hold them, or why they cannot be."""

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from reprlib import repr as shown

from hybrid.bounds import INT32, LISTS, MAX_NUMBERS, max_characters
from hybrid.movie import FIRST_YEAR, LAST_YEAR, MAX_ID, normalise

CUT = ("description", *LISTS)
"""The fields of which a build keeps the beginning where they are too long."""

MAX_CACHED_NAMES = 100_000
"""Names of genres and people take some 200 bytes each."""

_WHOLE = "duration_minutes votes metascore reviews_from_users reviews_from_critics".split()

NUMBERS = [*_WHOLE, "rating", "revenue_millions"]

_NUMBER = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?|[0-9]+(?:\.[0-9]*)?|\.[0-9]+")

_SURROGATE = re.compile(r"[\ud800-\udfff]")

# Control characters that count as whitespace are collapsed with the other whitespace.
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")

_ASCII = re.compile(r"[!-~]")  # the characters of ASCII that show

_INVISIBLE = frozenset("Cc Cf Mn Mc Me Zs Zl Zp".split())
"""The Unicode categories that show nothing on their own: controls, formats such as zero-width
spaces, marks that combine with a letter, spaces."""

_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols that show nothing: Hangul fillers, and the blank braille pattern."""


class InvalidValue(ValueError):
    """A value that a field cannot hold: a word for it, and the value with the remedy."""

    def __init__(self, kind: str, problem: str) -> None:
        super().__init__(f"{kind}: {problem}")
        self.kind = kind
        self.problem = problem


def is_empty(value: object) -> bool:
    """Whether a value is None or blank text."""
    return value is None or (isinstance(value, str) and not value.strip())


def parse_value(field: str, value: object) -> object:
    """Return the value as this field of `Movie` holds it. Raises InvalidValue.

    Descriptions and lists may have any length: `indexer.films.fit` has their bounds.
    """
    return _PARSERS.get(field, _text)(field, value)


def _text(field: str, value: object) -> str | None:
    if not isinstance(value, str):
        raise InvalidValue("wrong", f"{shown(value)}, expected text")
    if value.isascii() and value.isprintable():  # nearly all, and quickly told
        text = " ".join(value.split())
    elif _SURROGATE.search(value):
        raise InvalidValue("wrong", f"{shown(value)} holds half of a surrogate pair, expected text")
    else:
        text = normalise(" ".join(_CONTROLS.sub("", value).split()))
    if field not in CUT and len(text) > (longest := max_characters(field)):
        size = f"{len(text):,} characters, expected {longest:,} at most"
        raise InvalidValue("too long", f"{shown(text)} of {size}")
    return text if _is_visible(text) else None


def _is_visible(text: str) -> bool:
    """Whether any character of the text shows."""
    if _ASCII.search(text):
        return True
    return any(c not in _BLANK and unicodedata.category(c) not in _INVISIBLE for c in text)


def _names(field: str, value: object) -> tuple[str, ...]:
    """Return the texts of a list, each once: of those equal but for case the first."""
    if not isinstance(value, list):
        raise InvalidValue("wrong", f"{shown(value)}, expected a list of texts")
    unique: dict[str, str] = {}
    for entry in value:
        name = _name(entry) if isinstance(entry, str) else _text(field, entry)
        if name:
            unique.setdefault(name.casefold(), name)
    return tuple(unique.values())


@lru_cache(maxsize=MAX_CACHED_NAMES)
def _name(entry: str) -> str | None:
    """Return an entry of any list, as `_text` does: many films have the same ones."""
    return _text("genres", entry)


def _id(_field: str, value: object) -> int:
    if type(value) is int and 0 <= value <= MAX_ID:
        return value
    raise InvalidValue(
        "wrong",
        f"{shown(value)}, expected 0 to {MAX_ID} as its format writes it (348 or tt0111161)",
    )


def _year(_field: str, value: object) -> int:
    number = _number_of(value)
    if FIRST_YEAR <= number <= LAST_YEAR and number % 1 == 0:
        return int(number)
    expected = f"expected {FIRST_YEAR} to {LAST_YEAR}, or nothing"
    raise InvalidValue("impossible", f"{shown(value)}, {expected}")


def _number(field: str, value: object) -> int | float:
    number, largest = _number_of(value), MAX_NUMBERS.get(field, INT32)
    if 0 <= number <= largest:
        if field not in _WHOLE:
            return float(number)
        if number % 1 == 0:
            return int(number)
    a_number = "a whole number" if field in _WHOLE else "a number"
    raise InvalidValue("wrong", f"{shown(value)}, expected {a_number} from 0 to {largest:,}")


def _number_of(value: object) -> int | float:
    """Return the number that a value is or spells, else NaN, which is in no range."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return float(value.replace(",", ""))
    # bool is an int to Python, but true is neither a year nor a number of votes.
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return float("nan")


_PARSERS: dict[str, Callable[[str, object], object]] = {
    "id": _id,
    "year": _year,
    **dict.fromkeys(LISTS, _names),
    **dict.fromkeys(NUMBERS, _number),
}
