"""Parsing a query: its keywords, apart from words that only ask for a film."""

import re
from dataclasses import dataclass
from functools import cached_property

from hybrid.query_language.conditions import Conditions
from hybrid.query_language.language import Part, Reading, conditions_of, read
from hybrid.text.normalise import plain
from hybrid.understanding.mentions import NOTHING, Mentions

MAX_WORDS = 160
"""The words of a query after these are ignored (docs/http.md)."""

_FILM = frozenset("movie movies film films flick flicks picture pictures".split())

_ASKING = _FILM | frozenset(
    """what whats which any called named titled find show recommend suggest watch looking searching
    search remember""".split()
)
"""Words that mark the start of a query as a question or a request."""

_FILLER = _ASKING | frozenset(
    """that this the those these there a an is was are were some something anything good great best
    nice favorite favourite me give tell get look for i im am ive want wanna need would like love to
    see seen do does you have got know can could please recommendation recommendations suggestion
    suggestions entitled title name about where with in who whose when of on from it forgot trying
    think one ones mostly mainly by my hi hello hey help us we and""".split()
)
"""Words of which the start of a request consists. Only a run of them at the start is dropped."""

_DESCRIBING = frozenset("about where with in who whose which when".split())

_NAMING = frozenset(
    "called named titled entitled find show watch see looking searching have".split()
)
"""After "about" comes a description; after "called" or "looking for" possibly a title."""

_RELATING = _DESCRIBING | frozenset("that set starring featuring from of".split())

_UNSPACED = r"\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"

_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+(?:['\u2019.][^\W{_UNSPACED}]+)*")
"""A word as MAX_WORDS counts them: in scripts without blanks, each character is one."""


@dataclass(frozen=True)
class ParsedQuery:
    """A query as the engines need it.

    `reading` is how its text was read; `parts` are all that limit the films, in its text and in its
    fields. `text` is the plain text, its first MAX_WORDS; `keywords` is the part that the keyword
    engine searches for; `possible_titles` are the texts that may be a film's title. `truncated` is
    whether words were dropped. `liked` is the id of the film that others should be like;
    `only_mentions` is whether the text does nothing but mention years, genres, people or that film.
    """

    reading: Reading
    parts: tuple[Part, ...]
    text: str
    keywords: str
    possible_titles: tuple[str, ...]
    truncated: bool
    liked: int | None = None
    only_mentions: bool = False

    @cached_property
    def conditions(self) -> Conditions:
        """What films must match."""
        return conditions_of(self.parts)

    @cached_property
    def preferred(self) -> tuple[Part, ...]:
        """The parts that films gain by."""
        return tuple(part for part in self.parts if part.preferred)


def parse_query(
    query: str | Reading, of_fields: tuple[Part, ...] = (), mentioned: Mentions = NOTHING
) -> ParsedQuery:
    """Parse the text of a query; `of_fields` are the parts that its fields hold, `mentioned` is
    what its text mentions, which are parts of the reading if that is given.

    The keywords of "any good movies about rats" are "rats", and "looking for casablanca" may name
    Casablanca. If nothing else is left, all words are keywords.
    """
    reading = read(query) if isinstance(query, str) else query
    plain_text = reading.plain
    matches = list(_WORD.finditer(plain_text))
    truncated = len(matches) > MAX_WORDS
    words = (plain_text[: matches[MAX_WORDS - 1].end()] if truncated else plain_text).split()
    text = " ".join(words)
    bare = [plain(word) for word in words]
    start, end = _length_of_request(bare), len(words)
    while end > start and bare[end - 1] in _FILM | {"please", ""}:
        end -= 1
    positions = [n for n in range(start, end) if not _only_says_film(bare, n)]
    keywords = " ".join(words[n] for n in positions) or text
    describes = _last(_DESCRIBING, bare[:start]) > _last(_NAMING, bare[:start])
    may_be_title = not describes and len(positions) == end - start and keywords != text
    return ParsedQuery(
        reading=reading,
        parts=reading.parts + of_fields,
        text=text,
        keywords=keywords,
        possible_titles=(text, keywords) if may_be_title else (text,) if text else (),
        truncated=truncated,
        liked=mentioned.liked,
        only_mentions=mentioned.whole,
    )


def _last(words: frozenset[str], bare: list[str]) -> int:
    """Return the position of the last of `words`, -1 without one."""
    return max((position for position, word in enumerate(bare) if word in words), default=-1)


def _length_of_request(bare: list[str]) -> int:
    """Return how many words at the start only ask for films, 0 if they may be keywords."""
    filler = next((n for n, word in enumerate(bare) if word and word not in _FILLER), len(bare))
    start = bare[:filler]
    asks = (
        bool(_ASKING & set(start))
        or ("one" in start and len(start) > 1)
        or start[:3] == ["do", "you", "have"]
    )
    return filler if asks else 0


def _only_says_film(bare: list[str], position: int) -> bool:
    """Whether the word only says that films are wanted: "films", or "film" before "about"."""
    word, following = bare[position], bare[position + 1 : position + 2]
    return word in _FILM and (word.endswith("s") or bool(_RELATING & set(following)))
