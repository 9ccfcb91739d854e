"""The query: a flat, validated model, with its filters and its fusion."""

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
"""The gain of a film of this grade is 2^10-1 = 1,023 times that of a film of grade 1."""

MAX_CHARACTERS = 1000
"""A query of this length has fewer words than Elasticsearch's limit of 1,024 clauses."""

MAX_CURSOR = 50_000
"""Characters of a cursor: 3,000 ids of 63 bits take 40,000."""

Mode = Literal["keyword", "semantic", "hybrid"]
FusionMethod = Literal["attainable", "min_max", "z_score", "dbsf", "rrf"]
GenreMatch = Literal["any", "all"]
Require = Literal["any", "both"]
Explain = Literal["none", "summary", "full"]


def _text(text: str) -> str:
    text = normalise(text).strip()
    if not text:
        raise ValueError("is empty: type what the film is about, who is in it, or its title")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("is not text: it contains half of a surrogate pair")
    return text


def _searchable(text: str) -> str:
    text = _text(text)
    # Normalised text, which is searched for, may be longer than the text as typed.
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"has {len(text):,} characters: at most {MAX_CHARACTERS:,} are searched")
    return text


def _genre(name: str) -> str:
    if not name.strip():
        raise ValueError("is blank: name a genre, or omit the field")
    return name


def as_list(value: object) -> object:
    """Return a single string as a list: a URL with one genre has no list, a body needs none."""
    return [value] if isinstance(value, str) else value


def _words(text: str) -> str:
    if not any(character.isalnum() for character in text):
        raise ValueError("has no word: name a word or a phrase, or omit the field")
    return normalise(text).strip()


def _no_bool(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("is true or false: expected a number")  # noqa: TRY004, pydantic wants it so
    return value


def _not_negative(grade: int) -> int:
    """Return the grade as trec_eval counts it: one below 0, such as spam, is not relevant."""
    return max(grade, 0)


def _cursor(text: str) -> str:
    if len(text) > MAX_CURSOR:
        raise ValueError(f"has {len(text):,} characters: no cursor has more than {MAX_CURSOR:,}")
    return text


def _number_or_auto(value: object, validate: ValidatorFunctionWrapHandler) -> object:
    try:
        return validate(value)
    except ValidationError:
        raise ValueError("is neither a number from 0 to 1 nor auto") from None


QueryText = Annotated[
    str,
    AfterValidator(_searchable),
    # Described only: what is searched is counted, normalised and without outer blanks.
    Field(json_schema_extra={"minLength": 1, "maxLength": MAX_CHARACTERS, "pattern": r"\S"}),
]
Genre = Annotated[
    str, Field(max_length=100, json_schema_extra={"pattern": r"\S"}), AfterValidator(_genre)
]
Genres = Annotated[tuple[Genre, ...], Field(max_length=50)]
Words = Annotated[
    str, Field(max_length=100, json_schema_extra={"pattern": r"\S"}), AfterValidator(_words)
]
"""A word or several, that are compared with those of a film."""

WordsList = Annotated[tuple[Words, ...], Field(max_length=20)]
AllOf = Annotated[WordsList, BeforeValidator(as_list, json_schema_input_type=Words | WordsList)]

Year = Annotated[int, Field(ge=1, le=9999), BeforeValidator(_no_bool)]
Alpha = Annotated[float, Field(ge=0, le=1), BeforeValidator(_no_bool)]
AlphaOrAuto = Annotated[Alpha | Literal["auto"], WrapValidator(_number_or_auto)]

FilmId = Annotated[int, Field(ge=0, le=MAX_ID), BeforeValidator(_no_bool)]
Grade = Annotated[
    int, Field(le=MAX_GRADE), BeforeValidator(_no_bool), AfterValidator(_not_negative)
]
Limit = Annotated[int, Field(ge=1, le=100), BeforeValidator(_no_bool)]
Cursor = Annotated[str, Field(json_schema_extra={"maxLength": MAX_CURSOR}), AfterValidator(_cursor)]


class Filters(BaseModel):
    """Which films a search may return. `matches` is the definition that every engine must meet."""

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
        """The genres as they are compared, see `genre_key`."""
        return frozenset(map(genre_key, self.genres))

    @property
    def has_years(self) -> bool:
        """Whether only films with a year can match."""
        return self.year_from is not None or self.year_to is not None

    def __bool__(self) -> bool:
        """Whether the filters can exclude a film."""
        return bool(self.genre_keys) or self.has_years

    def matches(self, year: int | None, genres: Collection[str]) -> bool:
        """Return whether a film of this year and these genres passes.

        Genres are compared without regard to case; years are inclusive; a film without a year does
        not pass a filter by year.
        """
        if self.has_years and year is None:
            return False
        if self.year_from is not None and year is not None and year < self.year_from:
            return False
        if self.year_to is not None and year is not None and year > self.year_to:
            return False
        if not self.genre_keys:
            return True
        keys = set(map(genre_key, genres))
        if self.genre_match == "all":
            return self.genre_keys <= keys
        return bool(self.genre_keys & keys)


class Fusion(BaseModel):
    """How the two rankings are fused.

    `alpha` is the semantic share, 0 to 1, or "auto": computed for each query
    (hybrid/fusion/alpha.py).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: FusionMethod = "attainable"
    alpha: AlphaOrAuto = "auto"

    @classmethod
    def of(cls, method: FusionMethod | None, alpha: AlphaOrAuto | None) -> Self:
        """Return a fusion in which only the arguments other than None are set."""
        values = {"method": method, "alpha": alpha}
        return cls.model_validate({k: value for k, value in values.items() if value is not None})

    def over(self, default: "Fusion") -> "Fusion":
        """Return this fusion, with fields that are not set taken from `default`."""
        return default.model_copy(update=self.model_dump(exclude_unset=True))


TEXT = (
    'what to search for, up to 1,000 characters; "a phrase", -word and title:, person:, genre: or '
    "year: with a value limit the films"
)


class _Typed(BaseModel):
    text: QueryText = Field(alias="query", description=TEXT)


class Selection(BaseModel):
    """The fields of every request for films, apart from what the films are found by.

    URL, JSON body, command line and response have the fields of this model: add a field here, and
    it appears in each. Raises pydantic's ValidationError, or InvalidInput, which name the field.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)

    genre: Annotated[Genres, BeforeValidator(as_list, json_schema_input_type=Genre | Genres)] = (
        Field((), description="films of this genre, without regard to case; may be repeated")
    )
    genre_match: GenreMatch = Field("any", description="any of the genres, or all of them")
    year_from: Year | None = Field(None, description="first year, inclusive")
    year_to: Year | None = Field(None, description="last year, inclusive")
    phrase: AllOf = Field(
        (), description="words that must stand together in a film; like quotation marks in the text"
    )
    exclude: AllOf = Field(
        (),
        description="no film with this word or phrase, or that FIELD:VALUE describes; like a minus "
        "sign in the text",
    )
    title: AllOf = Field((), description="words that must stand together in the title")
    person: AllOf = Field(
        (), description="words that must stand together in the name of a person of the film"
    )
    limit: Limit = Field(10, description="number of films to return, 1 to 100")
    highlight: bool = Field(False, description="show where words of the query occur in each film")
    explain: Explain = Field(
        "none", description="explain why each film ranks where it does; full: which words carry it"
    )
    require: Require = Field(
        "any",
        description="any: without an engine that does not answer, films are found by the other one "
        "and the response says so; both: it is an error",
    )

    @cached_property
    def filters(self) -> Filters:
        """The filters by genre and year."""
        return Filters(
            genres=self.genre,
            genre_match=self.genre_match,
            year_from=self.year_from,
            year_to=self.year_to,
        )

    @model_validator(mode="after")
    def _valid_filters(self) -> Self:
        _ = self.filters
        return self


class Query(Selection, _Typed):
    """A request for the films that a text finds."""

    def in_mode(self, mode: Mode) -> "SearchQuery":
        """Return a search in `mode` with the fields of this query."""
        fields = {name: getattr(self, name) for name in Query.model_fields}
        return SearchQuery.model_validate(fields | {"mode": mode}, by_name=True, by_alias=False)


class RankedQuery(Selection):
    """The fields of a request for one ranking."""

    mode: Mode = Field("hybrid", description="which engines rank")
    fusion: FusionMethod | None = Field(
        None, description="how the two rankings become one; attainable, unless tuned otherwise"
    )
    alpha: AlphaOrAuto | None = Field(
        None,
        description="semantic share of the score, 0 to 1, or auto, which chooses it for the query; "
        "auto, unless tuned otherwise",
    )

    @property
    def fusion_spec(self) -> Fusion:
        """The fusion, in which only the given fields are set."""
        return Fusion.of(self.fusion, self.alpha)

    def resolved(self, default: Fusion) -> Self:
        """Return this query, with the fusion and alpha of `default` if it has none."""
        fusion = self.fusion_spec.over(default)
        return self.model_copy(update={"fusion": fusion.method, "alpha": fusion.alpha})


class ExplainQuery(RankedQuery, Query):
    """A query for one ranking, in which a film is explained."""


class SearchQuery(ExplainQuery):
    """A query for one ranking, and which part of it is shown."""

    cursor: Cursor | None = Field(
        None, description="`next_cursor` of a response: go on where it ended, with the same query"
    )

    @classmethod
    def filtered(cls, text: str, filters: Filters, mode: Mode = "hybrid") -> Self:
        """Return the search for `text` among the films that pass `filters`."""
        return cls(
            query=text,
            genre=filters.genres,
            genre_match=filters.genre_match,
            year_from=filters.year_from,
            year_to=filters.year_to,
            mode=mode,
        )


MAX_PLOT_CHARACTERS = 5000
"""Of a text that films should be like: some forty sentences, each of which is embedded."""

SIMILAR_TO = "what the films should be like, such as a plot in a few sentences"


def _plot(text: str) -> str:
    text = _text(text)
    if len(text) > MAX_PLOT_CHARACTERS:
        raise ValueError(f"has {len(text):,} characters: at most {MAX_PLOT_CHARACTERS:,} are read")
    return text


Plot = Annotated[
    str,
    AfterValidator(_plot),
    Field(json_schema_extra={"minLength": 1, "maxLength": MAX_PLOT_CHARACTERS, "pattern": r"\S"}),
]


class _Liked(BaseModel):
    id: FilmId | None = Field(None, description="the film that others should be like; or `query`")
    text: Plot | None = Field(None, alias="query", description=f"{SIMILAR_TO}; or `id`")


class SimilarQuery(RankedQuery, _Liked):
    """A request for the films that are like one of the catalogue, or like a text."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.id is None) == (self.text is None):
            problem = "is missing" if self.id is None else "is beside `id`"
            raise InvalidInput(f"query {problem}: send either `id` or `query`", {"query": problem})
        return self

    @classmethod
    def of_film(cls, film: int, ranked: RankedQuery) -> Self:
        """Return the request for films like this one, with the other fields of `ranked`."""
        fields = {name: getattr(ranked, name) for name in RankedQuery.model_fields}
        return cls.model_validate(fields | {"id": film}, by_name=True, by_alias=False)


class SuggestQuery(BaseModel):
    """A request for suggestions while a query is typed."""

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)

    text: QueryText = Field(alias="q", description="the beginning of a title, a name or a genre")
    limit: Annotated[int, Field(ge=1, le=20), BeforeValidator(_no_bool)] = Field(
        8, description="number of suggestions to return, 1 to 20"
    )
