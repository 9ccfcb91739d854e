"""The query: a flat, validated model, with its filters and its fusion."""

from collections.abc import Mapping, Sequence
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

from hybrid.bounds import INT32
from hybrid.errors import InvalidInput
from hybrid.limits import NameField, NameSet, NumberField, Range
from hybrid.movie import MAX_ID, Movie, name_key, normalise

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
Sort = Literal["relevance", "year", "title", "rating", "votes"]
Order = Literal["asc", "desc"]
Understand = Literal["prefer", "filter", "off"]
Facet = Literal["genre", "decade", "year", "country", "language", "director", "actor"]


def _text(text: str) -> str:
    text = _any_text(text)
    if not text:
        raise ValueError("is empty: type what the film is about, who is in it, or its title")
    return text


def _any_text(text: str) -> str:
    text = normalise(text).strip()
    if _has_surrogate(text):
        raise ValueError("is not text: it contains half of a surrogate pair")
    return text


def _searchable(text: str) -> str:
    return _short(_text(text))


def _short(text: str) -> str:
    # Normalised text, which is searched for, may be longer than the text as typed.
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"has {len(text):,} characters: at most {MAX_CHARACTERS:,} are searched")
    return text


def _name(name: str) -> str:
    if not name.strip():
        raise ValueError("is blank: type a name, or omit the field")
    if _has_surrogate(name):
        raise ValueError("is not text: it contains half of a surrogate pair")
    return name


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def as_list(value: object) -> object:
    """Return a single string as a list: a URL with one value has no list, a body needs none."""
    return [value] if isinstance(value, str) else value


def _split(value: object) -> object:
    """Return the values of a list of which one may be several, separated by commas."""
    values = as_list(value)
    if not isinstance(values, list | tuple):
        return values
    parts = (one.split(",") if isinstance(one, str) else [one] for one in values)
    return [part.strip() if isinstance(part, str) else part for some in parts for part in some]


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
FilmName = Annotated[
    str, Field(max_length=200, json_schema_extra={"pattern": r"\S"}), AfterValidator(_name)
]
"""Name of a genre, a country, a language or a person."""

FilmNames = Annotated[tuple[FilmName, ...], Field(max_length=50)]
NamesOrName = Annotated[
    FilmNames, BeforeValidator(as_list, json_schema_input_type=FilmName | FilmNames)
]
OptionalText = Annotated[
    str,
    AfterValidator(lambda text: _short(_any_text(text))),
    Field(json_schema_extra={"maxLength": MAX_CHARACTERS}),
]
Words = Annotated[
    str, Field(max_length=100, json_schema_extra={"pattern": r"\S"}), AfterValidator(_words)
]
"""A word or several, that are compared with those of a film."""

FacetList = Annotated[tuple[Facet, ...], Field(max_length=20)]
Facets = Annotated[
    FacetList,
    BeforeValidator(_split, json_schema_input_type=Facet | FacetList),
    AfterValidator(lambda facets: tuple(dict.fromkeys(facets))),
]

WordsList = Annotated[tuple[Words, ...], Field(max_length=20)]
AllOf = Annotated[WordsList, BeforeValidator(as_list, json_schema_input_type=Words | WordsList)]

Year = Annotated[int, Field(ge=1, le=9999), BeforeValidator(_no_bool)]
Rating = Annotated[float, Field(ge=0, le=10), BeforeValidator(_no_bool)]
Count = Annotated[int, Field(ge=0, le=INT32), BeforeValidator(_no_bool)]
Alpha = Annotated[float, Field(ge=0, le=1), BeforeValidator(_no_bool)]
AlphaOrAuto = Annotated[Alpha | Literal["auto"], WrapValidator(_number_or_auto)]

FilmId = Annotated[int, Field(ge=0, le=MAX_ID), BeforeValidator(_no_bool)]
Grade = Annotated[
    int, Field(le=MAX_GRADE), BeforeValidator(_no_bool), AfterValidator(_not_negative)
]
Limit = Annotated[int, Field(ge=1, le=100), BeforeValidator(_no_bool)]
Cursor = Annotated[str, AfterValidator(_cursor)]  # its bound is beyond what a URL may have


RANGES: Mapping[str, NumberField] = {
    "year": "year",
    "rating": "rating",
    "votes": "votes",
    "duration": "duration_minutes",
}
"""The fields of a film that are compared by a filter NAME_from and a filter NAME_to."""

NAMES: Mapping[str, NameField] = {
    "genres": "genres",
    "countries": "countries",
    "languages": "languages",
    "directors": "directors",
    "actors": "cast",
}
"""The fields of a film of which a filter names any."""


class Filters(BaseModel):
    """Which films a search may return. `matches` is the definition that every engine must meet."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    genres: FilmNames = ()
    genre_match: GenreMatch = "any"
    exclude_genres: FilmNames = ()
    countries: FilmNames = ()
    languages: FilmNames = ()
    directors: FilmNames = ()
    actors: FilmNames = ()
    year_from: Year | None = None
    year_to: Year | None = None
    rating_from: Rating | None = None
    rating_to: Rating | None = None
    votes_from: Count | None = None
    votes_to: Count | None = None
    duration_from: Count | None = None
    duration_to: Count | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for name in RANGES:
            first, last = getattr(self, f"{name}_from"), getattr(self, f"{name}_to")
            if first is not None and last is not None and first > last:
                after = "after" if name == "year" else "above"
                problem = f"is {after} {name}_to ({last}): swap them"
                raise InvalidInput(f"{name}_from {problem}", {f"{name}_from": problem})
        return self

    @cached_property
    def ranges(self) -> Sequence[Range]:
        """What the filters ask of numbers."""
        ranges = [
            Range(field, getattr(self, f"{name}_from"), getattr(self, f"{name}_to"))
            for name, field in RANGES.items()
        ]
        return tuple(one for one in ranges if (one.first, one.last) != (None, None))

    @cached_property
    def name_sets(self) -> Sequence[NameSet]:
        """What the filters ask of names."""
        sets = [
            NameSet(
                field, _keys(getattr(self, name)), self.genre_match if name == "genres" else "any"
            )
            for name, field in NAMES.items()
        ]
        sets.append(NameSet("genres", _keys(self.exclude_genres), "none"))
        return tuple(one for one in sets if one.keys)

    def __bool__(self) -> bool:
        """Whether the filters can exclude a film."""
        return bool(self.ranges or self.name_sets)

    def matches(self, movie: Movie) -> bool:
        """Return whether a film passes.

        Names are compared as `name_key` has them; bounds are inclusive; a film without a number
        does not pass a filter by it, nor a film without a name one that names any.
        """
        return all(one.holds(getattr(movie, one.field)) for one in self.ranges) and all(
            one.holds(getattr(movie, one.field)) for one in self.name_sets
        )


def _keys(names: Sequence[str]) -> frozenset[str]:
    return frozenset(map(name_key, names))


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


FIELDS: Mapping[str, str] = {
    "genres": "genre",
    "exclude_genres": "exclude_genre",
    "countries": "country",
    "languages": "language",
    "directors": "director",
    "actors": "actor",
}
"""The fields of a request that have another name than the filter: one value each in a URL."""

FILTER_FIELDS = tuple(FIELDS.get(name, name) for name in Filters.model_fields)
"""The fields of a request that filter, in its order."""


class Selection(BaseModel):
    """The fields of every request for films, apart from what the films are found by.

    URL, JSON body, command line and response have the fields of this model: add a field here, and
    it appears in each. Raises pydantic's ValidationError, or InvalidInput, which name the field.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)

    genre: NamesOrName = Field(
        (), description="films of this genre, without regard to case; may be repeated"
    )
    genre_match: GenreMatch = Field("any", description="any of the genres, or all of them")
    exclude_genre: NamesOrName = Field((), description="no film of this genre; may be repeated")
    country: NamesOrName = Field((), description="films of this country, or of any if repeated")
    language: NamesOrName = Field((), description="films in this language, or in any if repeated")
    director: NamesOrName = Field(
        (), description="films that this person directed, or any if repeated; the whole name"
    )
    actor: NamesOrName = Field(
        (), description="films with this person in the cast, or any if repeated; the whole name"
    )
    year_from: Year | None = Field(None, description="first year, inclusive")
    year_to: Year | None = Field(None, description="last year, inclusive")
    rating_from: Rating | None = Field(None, description="lowest rating, 0 to 10, inclusive")
    rating_to: Rating | None = Field(None, description="highest rating, 0 to 10, inclusive")
    votes_from: Count | None = Field(None, description="lowest number of votes, inclusive")
    votes_to: Count | None = Field(None, description="highest number of votes, inclusive")
    duration_from: Count | None = Field(None, description="shortest duration, minutes, inclusive")
    duration_to: Count | None = Field(None, description="longest duration, minutes, inclusive")
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
        """The filters among the fields."""
        fields = {name: getattr(self, FIELDS.get(name, name)) for name in Filters.model_fields}
        return Filters.model_validate(fields)

    @model_validator(mode="after")
    def _valid_filters(self) -> Self:
        _ = self.filters
        return self


class Query(Selection, _Typed):
    """A request for the films that a text finds."""

    understand: Understand = Field(
        "prefer",
        description="years, genres and people that plain text mentions: films that have them gain; "
        "filter: no other film is found; off: nothing is understood, nor is 'movies like' a film",
    )

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
        method = default.method if self.fusion is None else self.fusion
        alpha = default.alpha if self.alpha is None else self.alpha
        return self.model_copy(update={"fusion": method, "alpha": alpha})


class ExplainQuery(RankedQuery, Query):
    """A query for one ranking, in which a film is explained."""


OPTIONAL_TEXT = f"{TEXT}; without it films are listed"


class SearchQuery(ExplainQuery):
    """A query for the films that a text finds or, without one, for all that the filters allow; in
    which order, and which part of it is shown."""

    text: OptionalText = Field("", alias="query", description=OPTIONAL_TEXT)
    sort: Sort = Field(
        "relevance",
        description="the order of the films: by relevance, or without a text by how well known "
        "they are; films without the value come last",
    )
    order: Order | None = Field(
        None, description="ascending or descending; titles ascending, unless asked, others not"
    )
    cursor: Cursor | None = Field(
        None, description="`next_cursor` of a response: go on where it ended, with the same query"
    )

    facets: Facets = Field(
        (),
        description="count the films of each value: genre, decade, year, country, language, "
        "director, actor; separated by commas, or repeated",
    )

    @property
    def direction(self) -> Order:
        """The order, asked or not."""
        return self.order or ("asc" if self.sort == "title" else "desc")

    def resolved(self, default: Fusion) -> Self:
        """Return this query with its order and, where it has none, fusion and alpha of `default`"""
        query = super().resolved(default)
        return query.model_copy(update={"order": self.direction})

    def without_filter_by(self, facet: Facet) -> "SearchQuery":
        """Return this query without the filter by a facet.

        Genres of which a film must have all stay: one more would narrow the list further.
        """
        own = {"year_from", "year_to"} if facet in ("year", "decade") else {facet}
        if self.genre_match == "all":
            own -= {"genre"}
        fields = {name: getattr(self, name) for name in SearchQuery.model_fields if name not in own}
        return SearchQuery.model_validate(fields, by_name=True, by_alias=False)

    @classmethod
    def filtered(cls, text: str, filters: Filters, mode: Mode = "hybrid") -> Self:
        """Return the search for `text` among the films that pass `filters`."""
        fields = {FIELDS.get(name, name): getattr(filters, name) for name in Filters.model_fields}
        return cls.model_validate({"query": text, "mode": mode} | fields)


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
