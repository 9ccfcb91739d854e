"""What was asked: a validated query, its filters, its fusion."""

from collections.abc import Collection
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from hybrid.errors import InvalidInput
from hybrid.movie import MAX_ID, genre_key, normalise

MAX_GRADE = 10
"""A film of this grade gains 2^10-1 = 1,023 times what one of grade 1 does."""

MAX_CHARACTERS = 1000
"""A query of this length has fewer words than Elasticsearch's limit of 1,024 clauses."""

Mode = Literal["keyword", "semantic", "hybrid"]
FusionMethod = Literal["attainable", "min_max", "z_score", "dbsf", "rrf"]
GenreMatch = Literal["any", "all"]
Explain = Literal["none", "summary", "full"]


def _searchable(text: str) -> str:
    text = normalise(text).strip()
    if not text:
        raise ValueError("is empty: type what the film is about, who is in it, or its title")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("is no text: it holds half of a surrogate pair")
    # Normalised text may be longer than what was typed, and it is what is searched for.
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"has {len(text):,} characters: at most {MAX_CHARACTERS:,} are searched")
    return text


def _genre(name: str) -> str:
    if not name.strip():
        raise ValueError("is blank: name a genre, or leave the field out")
    return name


def _no_bool(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("is true or false: give a number")  # noqa: TRY004, pydantic wants it so
    return value


def _not_negative(grade: int) -> int:
    """Return the grade as trec_eval counts it: below 0 (spam, say) is judged, and not relevant."""
    return max(grade, 0)


def _number_or_auto(value: object, validate: ValidatorFunctionWrapHandler) -> object:
    try:
        return validate(value)
    except ValidationError:
        raise ValueError("is neither a number from 0 to 1 nor auto") from None


QueryText = Annotated[str, AfterValidator(_searchable)]
Genres = Annotated[
    tuple[Annotated[str, Field(max_length=100), AfterValidator(_genre)], ...], Field(max_length=50)
]
Year = Annotated[int, Field(ge=1, le=9999), BeforeValidator(_no_bool)]
Alpha = Annotated[float, Field(ge=0, le=1), BeforeValidator(_no_bool)]
AlphaOrAuto = Annotated[Alpha | Literal["auto"], WrapValidator(_number_or_auto)]

FilmId = Annotated[int, Field(ge=0, le=MAX_ID), BeforeValidator(_no_bool)]
Grade = Annotated[
    int, Field(le=MAX_GRADE), BeforeValidator(_no_bool), AfterValidator(_not_negative)
]
Limit = Annotated[int, Field(ge=1, le=100), BeforeValidator(_no_bool)]


class Filters(BaseModel):
    """Which films may be found. `matches` is the one definition that every engine is held to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    genres: Genres = ()
    genre_match: GenreMatch = "any"
    year_from: Year | None = None
    year_to: Year | None = None

    @model_validator(mode="after")
    def _years_in_order(self) -> Self:
        if self.year_from and self.year_to and self.year_from > self.year_to:
            problem = f"is after year_to ({self.year_to}): swap them"
            raise InvalidInput(f"year_from {problem}", {"year_from": problem})
        return self

    @cached_property
    def genre_keys(self) -> frozenset[str]:
        """The genres asked for, in the form in which genres are compared."""
        return frozenset(map(genre_key, self.genres))

    @property
    def has_years(self) -> bool:
        """Whether a film needs a year to match."""
        return self.year_from is not None or self.year_to is not None

    def __bool__(self) -> bool:
        """Whether any film may be excluded."""
        return bool(self.genre_keys) or self.has_years

    def matches(self, year: int | None, genres: Collection[str]) -> bool:
        """Whether a film of this year and these genres may be found.

        Genres are compared without regard to case; years are inclusive; a film without a year
        matches no year filter.
        """
        if self.has_years and year is None:
            return False
        if self.year_from is not None and year is not None and year < self.year_from:
            return False
        if self.year_to is not None and year is not None and year > self.year_to:
            return False
        wanted = self.genre_keys
        if not wanted:
            return True
        have = set(map(genre_key, genres))
        return wanted <= have if self.genre_match == "all" else bool(wanted & have)


class Fusion(BaseModel):
    """How the two rankings become one.

    `alpha` is the semantic share, 0 to 1, or "auto": chosen for each query (hybrid/alpha.py).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: FusionMethod = "attainable"
    alpha: AlphaOrAuto = "auto"

    @classmethod
    def of(cls, method: FusionMethod | None, alpha: AlphaOrAuto | None) -> Self:
        """Return a fusion that was told no more than what is not None."""
        told = {"method": method, "alpha": alpha}
        return cls.model_validate({k: value for k, value in told.items() if value is not None})

    def over(self, default: "Fusion") -> "Fusion":
        """Return this fusion with what it was not told taken from `default`."""
        return default.model_copy(update=self.model_dump(exclude_unset=True))


class SearchQuery(BaseModel):
    """A whole query. Raises pydantic's ValidationError or InvalidInput, naming the field."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: QueryText
    filters: Filters = Filters()
    mode: Mode = "hybrid"
    fusion: Fusion = Fusion()
    limit: Limit = 10
    highlight: bool = False
    explain: Explain = "none"
