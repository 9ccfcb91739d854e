"""What the plain text of a query mentions, as "hitchcock 1960" mentions a person and a year.

Most words mean many things, so a mention counts only where it is likely: a title wins over all
else, "in 1912" and "1950s New York" tell when a film is set, and "war" is a genre beside "films"
but not in "a boy in the war".
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hybrid.engines.deadline import Deadline
from hybrid.query import Filters
from hybrid.query_language.conditions import Condition, Phrase
from hybrid.query_language.language import Field, Part, Span
from hybrid.text.exact_words import exact_words
from hybrid.text.title_words import title_words
from hybrid.understanding.knowledge import Knowledge
from hybrid.understanding.words import Words
from hybrid.understanding.years import years_in

_FILMS = frozenset("movie movies film films flick flicks picture pictures".split())

_CONNECTING = _FILMS | frozenset(
    """a an the of from by with in and or some any good best great top classic old new starring
    featuring directed director actor actress me show find watch i want to""".split()
)
"""Words that say nothing of a film beside what is mentioned."""

_WHATEVER = _FILMS | frozenset("something anything one ones more stuff".split())
"""What can be "like Alien"."""

_MADE = frozenset("from released made".split())

_SETTING = frozenset(
    """in of since until till before after during between circa around to and for on at into the
    early late mid his her their my year""".split()
)
"""Before a year at the end of a query these say when a film is set, or something else."""

MAX_NAME, MAX_NAMED, MAX_TITLE, BESIDE_TITLE = 3, 4, 10, 5
"""Words of the name of a genre or the family name of a person, of all family names, of a title that
others are like, and of a title to either side of what it has in common with a year or a genre."""

PLOT_WORDS = 7
"""A query of at least this many words tells a plot, so that a year at its end may be its time."""


class _Mention(NamedTuple):
    """The words [first, last) may mention what meets the conditions, surely or not.

    `pairs` is whether two genres side by side make each other likely. The words from `said` on are
    the title of "movies like Alien".
    """

    first: int
    last: int
    field: Field
    conditions: tuple[Condition, ...]
    is_sure: bool
    pairs: bool = False
    said: int = -1


@dataclass(frozen=True)
class Mentions:
    """What a text mentions.

    `parts` are in the order of the text. `liked` is the film that others should be like, which a
    part of the field "like" mentions. `whole` is whether the text says nothing else.
    """

    parts: tuple[Part, ...] = ()
    liked: int | None = None
    whole: bool = False


NOTHING = Mentions()


def mentions(
    text: str, taken: Sequence[Span], knowledge: Knowledge, deadline: Deadline
) -> Mentions:
    """Return what `text` mentions, without the characters `taken`, which mean something else.

    People may be missing if the deadline passes.
    """
    words = Words.of(text, taken)
    if not len(words) or (not taken and knowledge.is_title(text)):
        return NOTHING
    like, liked = _liked(words, knowledge)
    found = [like] if like else []
    for find in (_people, _years, _genres):
        for one in find(words, knowledge):
            if not any(one.first < other.last and other.first < one.last for other in found):
                found.append(one)
    found = sorted(one for one in found if not _in_title(one, words, knowledge))
    rest = _rest(found, words)
    if rest and (found or _FILMS & set(words.plain(0, len(words)))):
        people = _family_names(rest, words, knowledge, deadline)
        found, rest = sorted([*found, *people]), [] if people else rest
    if rest:
        found = [one for one in found if one.is_sure or _is_beside(one, found, words)]
    return Mentions(tuple(_part(one, words) for one in found), liked, bool(found) and not rest)


def _part(mention: _Mention, words: Words) -> Part:
    value = words.typed(max(mention.first, mention.said), mention.last)
    span, is_liked = words.span(mention.first, mention.last), mention.field == "like"
    return Part(mention.field, value, False, mention.conditions, span, preferred=not is_liked)


def _rest(found: Sequence[_Mention], words: Words) -> list[int]:
    """Return the words that say something and mention nothing."""
    covered = {n for one in found for n in range(one.first, one.last)}
    return [
        n
        for n, word in enumerate(words.words)
        if n not in covered and word.plain not in _CONNECTING
    ]


def _is_beside(mention: _Mention, found: Sequence[_Mention], words: Words) -> bool:
    """Return whether what stands beside a genre or a year makes it likely."""
    if _FILMS & set(words.plain(mention.last, mention.last + 1)):
        return True
    beside = [one for one in found if mention.first == one.last or mention.last == one.first]
    if mention.field == "genre":
        return any(one.field != "genre" or (one.pairs and mention.pairs) for one in beside)
    return bool(beside)


def _in_title(mention: _Mention, words: Words, knowledge: Knowledge) -> bool:
    """Return whether the words are part of a longer title in the text."""
    if mention.field == "like":
        return False
    for first in range(max(mention.first - BESIDE_TITLE, 0), mention.first + 1):
        if not knowledge.begins_title(words.typed(first, mention.last)):
            continue
        for last in range(mention.last, min(mention.last + BESIDE_TITLE, len(words)) + 1):
            added = words.plain(first, mention.first) + words.plain(mention.last, last)
            if not _CONNECTING.issuperset(added) and knowledge.is_title(words.typed(first, last)):
                return True
    return False


def _people(words: Words, knowledge: Knowledge) -> Iterator[_Mention]:
    """Yield full names."""
    for first, last in knowledge.names(words.plain(0, len(words))):
        name = Phrase(tuple(exact_words(words.typed(first, last))), "person")
        yield _Mention(first, last, "person", (name,), is_sure=True)


def _family_names(
    rest: Sequence[int], words: Words, knowledge: Knowledge, deadline: Deadline
) -> Sequence[_Mention]:
    """Return the people whose family names the words `rest` are; none unless all of them are."""
    found: list[_Mention] = []
    start = 0
    while start < len(rest) <= MAX_NAMED:
        for length in range(min(MAX_NAME, len(rest) - start), 0, -1):
            first, last = rest[start], rest[start + length - 1] + 1
            name = words.typed(first, last)
            phrase = Phrase(tuple(exact_words(name)), "person")
            is_name = last - first == length and not knowledge.is_title(name)
            if is_name and phrase.words and knowledge.is_person(phrase, deadline):
                found.append(_Mention(first, last, "person", (phrase,), is_sure=True))
                start += length
                break
        else:
            return ()
    return found


def _years(words: Words, knowledge: Knowledge) -> Iterator[_Mention]:
    """Yield years and decades."""
    for n, word in enumerate(words.words):
        years = years_in(word.plain)
        if years and knowledge.has_years(*years):
            conditions = (Filters(year_from=years[0], year_to=years[1]),)
            yield _Mention(n, n + 1, "year", conditions, _says_when_made(words, n, knowledge))


def _says_when_made(words: Words, n: int, knowledge: Knowledge) -> bool:
    """Return whether the place of a year says that it is the film's: "from the 80s", or last."""
    before = words.plain(n - 2, n)[::-1]
    if before[:1] in (("the",), ("in",)):
        before = before[1:] or before  # "from the 80s", "made in 1994"
    if _MADE & set(before[:1]):
        return True
    is_last = _FILMS.issuperset(words.plain(n + 1, len(words)))
    if not is_last or _SETTING & set(words.plain(n - 1, n)):
        return False
    return len(words) < PLOT_WORDS or knowledge.is_title(words.typed(0, n))


def _genres(words: Words, knowledge: Knowledge) -> Iterator[_Mention]:
    """Yield names of genres, of those that overlap the longest first."""
    for length in range(MAX_NAME, 0, -1):
        for n in range(len(words) - length + 1):
            genre = knowledge.genres.get(words.plain(n, n + length))
            if genre:
                yield _Mention(n, n + length, "genre", genre.conditions, genre.is_sure, genre.pairs)


def _liked(words: Words, knowledge: Knowledge) -> tuple[_Mention | None, int | None]:
    """Return where the text says which film others should be like, and the id of that film."""
    for n, word in enumerate(words.words):
        alike = words.plain(n, n + 2) == ("similar", "to")
        if not (alike or word.plain == "like") or not (
            _is_kind(words, n, knowledge) or (alike and n == 0)
        ):
            continue
        title = n + 1 + alike
        for last in range(min(title + MAX_TITLE, len(words)), title, -1):
            after = years_in("".join(words.plain(last, last + 1)))
            for years in (after, None) if after else (None,):
                film = knowledge.film(words.typed(title, last), years)
                if film is not None and not _has_more(words, title, last):
                    first = n - bool(_WHATEVER & set(words.plain(n - 1, n)))
                    return _Mention(first, last + bool(years), "like", (), True, said=title), film
    return None, None


def _is_kind(words: Words, n: int, knowledge: Knowledge) -> bool:
    """Return whether the words before word `n` are what can be like a film."""
    kinds = [words.plain(n - length, n) for length in range(1, MAX_NAME + 1)]
    return bool(_WHATEVER & set(kinds[0])) or any(kind in knowledge.genres for kind in kinds)


def _has_more(words: Words, first: int, last: int) -> bool:
    """Return whether the last word is beside a title, as in "movies like Alien but funny"."""
    if last - first < 2:
        return False
    return title_words(words.typed(first, last - 1)) == title_words(words.typed(first, last))
