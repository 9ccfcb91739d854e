"""The language of queries: "a phrase", -word, -"a phrase", FIELD:VALUE, and decades.

What is not of this language is plain text, never an error.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, Self

from hybrid.movie import name_key
from hybrid.query import Filters, Query
from hybrid.query_language.conditions import Condition, Conditions, Phrase
from hybrid.query_language.decades import decades
from hybrid.query_language.film_words import WordField
from hybrid.query_language.word_forms import word_forms
from hybrid.text.exact_words import exact_words

Field = Literal["text", "title", "person", "genre", "year", "like"]

FIELDS: Sequence[Field] = ("title", "person", "genre", "year")
"""What can stand before a colon."""

_OPEN, _CLOSE = '"\u201c\u201e\u00ab', '"\u201d\u201c\u00bb'

_PART = re.compile(
    rf"""(?<!\S)(?P<minus>[-\u2212]?)(?:(?P<field>title|person|genre|year):)?
    (?:[{_OPEN}](?P<quoted>[^{_OPEN}{_CLOSE}]*)[{_CLOSE}]|(?P<bare>[^\s{_OPEN}{_CLOSE}]+)(?!\S))""",
    re.VERBOSE | re.IGNORECASE,
)
"""A part of a query that may be of the language: it begins after a blank."""

_YEARS = re.compile(r"(\d{4})?(\.\.)?(\d{4})?")

_DECADE = re.compile(r"(\d{3}0)s")

_EDGE = re.compile(r"\W+$")


Span = tuple[int, int]
"""The characters [start, end) of a text."""


@dataclass(frozen=True)
class Part:
    """A part of a query that limits the films.

    `value` is what the field is compared with, as typed; `excluded` is whether films that meet one
    of the conditions are left out. Only an excluded word has several: one for each of its forms.
    `span` is where the part is in the text, None if it is a field of the query. Films that meet a
    `preferred` part gain, and no other is left out. The part "like" names the film that others
    should be like.
    """

    field: Field
    value: str
    excluded: bool
    conditions: tuple[Condition, ...]
    span: Span | None = None
    preferred: bool = False


@dataclass(frozen=True)
class Reading:
    """How the text of a query is read.

    `plain` is the text without its conditions, but with the words that are required: they are
    searched for as well.
    """

    text: str
    plain: str
    parts: tuple[Part, ...]

    @classmethod
    def of(cls, text: str, parts: Iterable[Part]) -> Self:
        """Return how `text` is read, of which these are the parts, all with a span."""
        spans = sorted(((part.span, part) for part in parts if part.span), key=lambda item: item[0])
        plain, last = [], 0
        for (start, end), part in spans:
            plain += [text[last:start], text[start:end] if part.preferred else _searched(part)]
            last = end
        words = " ".join([*plain, text[last:]]).split()
        return cls(text, " ".join(words), tuple(part for _, part in spans))

    @property
    def has_phrase(self) -> bool:
        """Whether a phrase of the film's text is required."""
        return any(part.field == "text" and not part.excluded for part in self.parts)

    @property
    def has_words(self) -> bool:
        """Whether there is anything to search for: words, or such that films must have.

        Genres, years and exclusions alone limit the films and do not rank them.
        """
        rest, last = [], 0
        for part in self.parts:
            if not part.excluded and part.field not in ("genre", "year"):
                return True
            if part.span:
                rest.append(self.text[last : part.span[0]])
                last = part.span[1]
        return bool("".join([*rest, self.text[last:]]).strip())

    def without(self, span: Span) -> str:
        """Return the text without these characters."""
        return " ".join(f"{self.text[: span[0]]} {self.text[span[1] :]}".split())


@lru_cache(64)  # of a request: once to see whether there is a text, once to search for it
def read(text: str) -> Reading:
    """Return how the text of a query is read."""
    found = list(_parts(text))
    taken = [span for span, _ in found]
    parts = [part for _, part in found]
    for start, end in decades(text):
        if not any(first < end and start < last for first, last in taken):
            decade = text[start:end]
            parts.append(Part("year", decade, False, _years(decade.lower()), (start, end)))
    return Reading.of(text, parts)


def _searched(part: Part) -> str:
    """Return what is searched for in place of a part: words that are required are."""
    return "" if part.excluded or part.field in ("year", "like") else part.value


def field_parts(query: Query) -> tuple[Part, ...]:
    """Return what the fields of a query say in this language."""
    by_field: Mapping[WordField, Sequence[str]] = {
        "text": query.phrase,
        "title": query.title,
        "person": query.person,
    }
    required = [
        Part(field, text, excluded=False, conditions=phrases(text, field))
        for field, texts in by_field.items()
        for text in texts
    ]
    return (*required, *map(_exclusion, query.exclude))


def conditions_of(parts: Sequence[Part]) -> Conditions:
    """Return what the parts of a query require of films."""
    return Conditions(
        required=tuple(
            one
            for part in parts
            if not part.excluded and not part.preferred
            for one in part.conditions
        ),
        excluded=tuple(one for part in parts if part.excluded for one in part.conditions),
    )


def genres_in(parts: Sequence[Part]) -> list[str]:
    """Return the genres that parts name."""
    conditions = [one for part in parts for one in part.conditions]
    return [name for one in conditions if isinstance(one, Filters) for name in one.genres]


def _exclusion(text: str) -> Part:
    """Return what `text` excludes, as after a minus sign; several words are a phrase."""
    for (_, end), part in _parts(f"-{text}"):
        if end == len(text) + 1:
            return replace(part, span=None)
    return Part("text", text, excluded=True, conditions=phrases(text))


def phrases(text: str, field: WordField = "text") -> tuple[Phrase, ...]:
    """Return the condition that the words of `text` stand together, none without a word."""
    words = exact_words(text)
    return (Phrase(tuple(words), field),) if words else ()


def _parts(text: str) -> Iterator[tuple[Span, Part]]:
    """Yield the parts of a text that are of the language, in order."""
    for match in _PART.finditer(text):
        field = _field(match["field"])
        quoted, excluded = match["quoted"] is not None, bool(match["minus"])
        if field == "text" and not quoted and not excluded:
            continue
        value: str = match["quoted"] if quoted else match["bare"]
        if field == "text" and not quoted and _DECADE.fullmatch(value):
            field = "year"
        found = _conditions(field, value, quoted)
        if found:
            yield match.span(), Part(field, value.strip(), excluded, found, match.span())


def _field(typed: str | None) -> Field:
    name = (typed or "").lower()
    return next((field for field in FIELDS if field == name), "text")


def _conditions(field: Field, value: str, quoted: bool) -> tuple[Condition, ...]:
    """Return the conditions of a part, none if it is plain text."""
    match field:
        case "year":
            return _years(_EDGE.sub("", value) if not value.endswith("..") else value)
        case "genre":
            return (Filters(genres=(value,)),) if name_key(value) else ()
        case "text" if not quoted:
            return _bare_word(value)
        case "text" | "title" | "person":
            return phrases(value, field)
        case _:
            return ()


def _bare_word(value: str) -> tuple[Phrase, ...]:
    """Return the phrases that a bare word excludes: itself, in the singular and in the plural."""
    if not value[0].isalnum() or value.removesuffix(":").lower() in FIELDS:
        return ()
    words = exact_words(value)
    if len(words) != 1:
        return phrases(value)
    return tuple(Phrase((form,)) for form in word_forms(words[0]))


def _years(value: str) -> tuple[Filters, ...]:
    """Return the filter of 1950, 1950s, 1950..1959, 1950.. or ..1959; none if it is none."""
    decade = _DECADE.fullmatch(value)
    if decade:
        first = int(decade[1])
        return (Filters(year_from=first, year_to=first + 9),) if first else ()
    match = _YEARS.fullmatch(value)
    if match is None or not (match[1] or match[3]) or (match[1] and match[3] and not match[2]):
        return ()
    years = sorted(int(year) for year in (match[1], match[3]) if year)
    if years[0] == 0:
        return ()
    if len(years) == 2 or not match[2]:
        return (Filters(year_from=years[0], year_to=years[-1]),)
    return (Filters(year_from=years[0]) if match[1] else Filters(year_to=years[0]),)
