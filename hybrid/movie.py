"""The film, its text and the hashes of its content."""

import hashlib
import unicodedata
from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from hybrid.monitoring.caches import cached

MAX_ID = 2**63 - 1
"""Ids are non-negative int64: Elasticsearch `_id`, FAISS label and catalogue key alike."""

FIRST_YEAR, LAST_YEAR = 1870, 2100
"""The range of a film's year: from the beginning of cinema to announced films."""

Names = tuple[str, ...]


class Movie(BaseModel):
    """One film. Text is NFC-normalised; fields that a source lacks are None or empty."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[int, Field(ge=0, le=MAX_ID)]
    title: Annotated[str, Field(min_length=1)]
    original_title: str | None = None
    year: Annotated[int, Field(ge=FIRST_YEAR, le=LAST_YEAR)] | None = None
    genres: Names = ()
    description: str | None = None
    cast: Names = ()
    directors: Names = ()
    writers: Names = ()
    keywords: Names = Field((), description="its subjects, in words and phrases")
    companies: Names = ()
    countries: Names = ()
    languages: Names = ()
    released: str | None = Field(None, description="date as the source gives it")
    duration_minutes: int | None = None
    rating: float | None = Field(None, description="mean vote, 0 to 10")
    votes: int | None = None
    metascore: int | None = Field(None, description="0 to 100")
    reviews_from_users: int | None = None
    reviews_from_critics: int | None = None
    budget: str | None = Field(None, description="amount with its currency")
    usa_gross_income: str | None = Field(None, description="amount with its currency")
    worldwide_gross_income: str | None = Field(None, description="amount with its currency")
    revenue_millions: float | None = Field(None, description="millions of US dollars")
    href: str | None = Field(None, description="name of the film's page at the source")
    thumbnail: str | None = Field(None, description="URL of a picture")


def normalise(text: str) -> str:
    """Return `text` in Unicode NFC, so that words that look equal are equal in every engine."""
    return unicodedata.normalize("NFC", text)


@cached("names", 4096)
def name_key(name: str) -> str:
    """Return the form in which names are compared: NFC, case-folded, stripped."""
    return normalise(normalise(name).strip().casefold())


def name_keys(names: Iterable[str]) -> list[str]:
    """Return the distinct names in the form in which they are compared, sorted."""
    return sorted(set(map(name_key, names)))


def content_hash(movie: Movie) -> str:
    """Return the SHA-256 of the film: equal hashes mean equal films."""
    return hashlib.sha256(movie.model_dump_json(exclude_defaults=True).encode()).hexdigest()


def content_number(movie: Movie) -> int:
    """Return 64 bits of `content_hash` as an int64: keyword engines store it."""
    return hash_number(content_hash(movie))


def hash_number(content: str) -> int:
    """Return the `content_number` of a film with this `content_hash`."""
    return int.from_bytes(bytes.fromhex(content[:16]), signed=True)


def people(movie: Movie) -> set[str]:
    """Return the names of the film's cast, directors and writers."""
    return {*movie.cast, *movie.directors, *movie.writers}


KEYWORD_TEXT_VERSION = 1
"""Increase it with every change to `keyword_text`: indices of another version are rejected."""


def titles(movie: Movie) -> list[str]:
    """Return the title of the film, and its original title if that differs."""
    original = movie.original_title
    return [movie.title, original] if original and original != movie.title else [movie.title]


def keyword_parts(movie: Movie) -> list[str]:
    """Return the parts of the text of a film: titles, description, names, genres, keywords."""
    parts = [
        *titles(movie),
        movie.description,
        *movie.cast,
        *movie.directors,
        *movie.writers,
        *movie.genres,
        *movie.keywords,
    ]
    return [part for part in parts if part]


def keyword_text(movie: Movie) -> str:
    """Return the text that BM25 scores a film by.

    Separate fields had less than half the nDCG@10 (docs/ranking.md).
    """
    return "\n".join(keyword_parts(movie))
