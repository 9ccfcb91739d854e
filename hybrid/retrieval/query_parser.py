"""How a query is read: what it asks for, apart from the words that only ask."""

import re
from dataclasses import dataclass

from hybrid.text.normalise import plain

MAX_WORDS = 64
"""So many words of a query count; docs/http.md says so."""

_FILM = frozenset("movie movies film films flick flicks picture pictures".split())

_ASKING = _FILM | frozenset(
    """what whats which any called named titled find show recommend suggest watch looking searching
    search remember""".split()
)
"""Words that tell that a query begins by asking."""

_FILLER = _ASKING | frozenset(
    """that this the those these there a an is was are were some something anything good great best
    nice favorite favourite me give tell get look for i im am ive want wanna need would like love to
    see seen do does you have got know can could please recommendation recommendations suggestion
    suggestions entitled title name about where with in who whose when of on from it forgot trying
    think one ones mostly mainly by my hi hello hey help us we and""".split()
)
"""What the beginning of a question is made of. Only a run of these at the start is left out."""

_DESCRIBING = frozenset("about where with in who whose which when".split())

_NAMING = frozenset(
    "called named titled entitled find show watch see looking searching have".split()
)
"""What follows "about" describes a film; what follows "called" or "looking for" may name it."""

_RELATING = _DESCRIBING | frozenset("that set starring featuring from of".split())

_OPEN, _CLOSE = '"\u201c\u201e\u00ab', '"\u201d\u201c\u00bb'

_QUOTED = re.compile(rf"[{_OPEN}][^{_OPEN}{_CLOSE}]*\w[^{_OPEN}{_CLOSE}]*[{_CLOSE}]")

_UNSPACED = r"\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"

_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+(?:['\u2019.][^\W{_UNSPACED}]+)*")
"""A word as the limit counts them: what is written without blanks has one a character."""


@dataclass(frozen=True)
class ParsedQuery:
    """A query as each side needs it.

    `typed` is the query, its first 64 words; `wording` is what the keyword engine is asked for;
    `titles` is what may be a film's title, `quoted` whether something stands in quotation marks,
    `cut` whether words were left out for their number.
    """

    typed: str
    wording: str
    titles: tuple[str, ...]
    quoted: bool
    cut: bool


def read(text: str) -> ParsedQuery:
    """Return how `text` is read.

    "any good movies about rats" is worded "rats", and "looking for casablanca" may name
    Casablanca. Where nothing but asking is found the words stay as they are.
    """
    counted = list(_WORD.finditer(text))
    cut = len(counted) > MAX_WORDS
    words = (text[: counted[MAX_WORDS - 1].end()] if cut else text).split()
    typed = " ".join(words)
    bare = [plain(word) for word in words]
    start, end = _asking(bare), len(words)
    while end > start and bare[end - 1] in _FILM | {"please", ""}:
        end -= 1
    kept = [n for n in range(start, end) if not _only_says_film(bare, n)]
    wording = " ".join(words[n] for n in kept) or typed
    describes = _last(_DESCRIBING, bare[:start]) > _last(_NAMING, bare[:start])
    only_named = not describes and len(kept) == end - start and wording != typed
    return ParsedQuery(
        typed=typed,
        wording=wording,
        titles=(typed, wording) if only_named else (typed,),
        quoted=bool(_QUOTED.search(typed)),
        cut=cut,
    )


def _last(words: frozenset[str], bare: list[str]) -> int:
    """Return the place of the last of `words`, -1 without one."""
    return max((place for place, word in enumerate(bare) if word in words), default=-1)


def _asking(bare: list[str]) -> int:
    """Return how many words at the start only ask, 0 where they may be meant."""
    filler = next((n for n, word in enumerate(bare) if word and word not in _FILLER), len(bare))
    start = bare[:filler]
    asks = (
        bool(_ASKING & set(start))
        or ("one" in start and len(start) > 1)
        or start[:3] == ["do", "you", "have"]
    )
    return filler if asks else 0


def _only_says_film(bare: list[str], place: int) -> bool:
    """Whether the word only says that films are wanted: "films", or "film" before "about"."""
    word, following = bare[place], bare[place + 1 : place + 2]
    return word in _FILM and (word.endswith("s") or bool(_RELATING & set(following)))
