"""The flat fields of a search: in an address, a body, a command, and echoed in the answer."""

from collections.abc import Sequence
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from hybrid.query import (
    AlphaOrAuto,
    Explain,
    FilmId,
    Filters,
    Fusion,
    FusionMethod,
    GenreMatch,
    Genres,
    Grade,
    Limit,
    Mode,
    QueryText,
    SearchQuery,
    Year,
)
from hybrid.schemas.runs import NamedRuns, Run, TypedRuns, parse_runs

TEXT = "what to search for, up to 1,000 characters"


def as_list(value: object) -> object:
    """One value is a list of one: an address that names a genre once looks no other."""
    return [value] if isinstance(value, str) else value


class QueryFields(BaseModel):
    """What every request for films says, and what its answer echoes, defaults filled in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    query: QueryText = Field(description=TEXT)
    genre: Annotated[Genres, BeforeValidator(as_list)] = Field(
        (), description="films of this genre, without regard to case; may be repeated"
    )
    genre_match: GenreMatch = Field("any", description="any of the genres, or all of them")
    year_from: Year | None = Field(None, description="first year, inclusive")
    year_to: Year | None = Field(None, description="last year, inclusive")
    limit: Limit = Field(10, description="number of films to return, 1 to 100")
    highlight: bool = Field(False, description="tell where words of the query stand in each film")
    explain: Explain = Field(
        "none", description="tell why each film ranks where it does; full: which words carry it"
    )

    @property
    def filters(self) -> Filters:
        """Which films may be found. Raises InvalidInput."""
        return Filters(
            genres=self.genre,
            genre_match=self.genre_match,
            year_from=self.year_from,
            year_to=self.year_to,
        )

    @classmethod
    def of(cls, query: SearchQuery) -> Self:
        """Return the fields that make `query`."""
        return cls.model_validate(cls._said(query))

    @classmethod
    def _said(cls, query: SearchQuery) -> dict[str, Any]:
        return {
            "query": query.text,
            "genre": query.filters.genres,
            "genre_match": query.filters.genre_match,
            "year_from": query.filters.year_from,
            "year_to": query.filters.year_to,
            "limit": query.limit,
            "highlight": query.highlight,
            "explain": query.explain,
        }


class SearchRequest(QueryFields):
    """A search as a JSON body asks for it, and as the answer echoes it, defaults filled in."""

    mode: Mode = Field("hybrid", description="which engines rank")
    fusion: FusionMethod | None = Field(
        None, description="how the two rankings become one; attainable, unless tuned otherwise"
    )
    alpha: AlphaOrAuto | None = Field(
        None,
        description="semantic share of the score, 0 to 1, or auto, which chooses it for the query; "
        "auto, unless tuned otherwise",
    )

    def as_query(self, default: Fusion) -> SearchQuery:
        """Return the query that was asked, its fusion as in `default` where it says nothing.

        Raises InvalidInput.
        """
        return SearchQuery(
            text=self.query,
            filters=self.filters,
            mode=self.mode,
            fusion=Fusion.of(self.fusion, self.alpha).over(default),
            limit=self.limit,
            highlight=self.highlight,
            explain=self.explain,
        )

    @classmethod
    def _said(cls, query: SearchQuery) -> dict[str, Any]:
        fusion = {"fusion": query.fusion.method, "alpha": query.fusion.alpha}
        return super()._said(query) | {"mode": query.mode} | fusion


class SearchURL(SearchRequest):
    """A search as an address asks for it: the text is `q`."""

    query: QueryText = Field(alias="q", description=TEXT)


class _Compared(QueryFields):
    def as_query(self) -> SearchQuery:
        """Return the query that all runs answer. Raises InvalidInput."""
        return SearchQuery(
            text=self.query,
            filters=self.filters,
            limit=self.limit,
            highlight=self.highlight,
            explain=self.explain,
        )


class CompareRequest(_Compared):
    """A comparison as a JSON body asks for it."""

    runs: NamedRuns | None = Field(
        None, description="name -> mode, fusion, alpha; 2 to 8; keyword, semantic, hybrid"
    )
    judgments: dict[FilmId, Grade] | None = Field(
        None, description="id of a film -> grade, 0 to 10, to measure the runs by"
    )

    def as_runs(self) -> Sequence[Run]:
        """Return the runs asked for, or the default ones."""
        return [run.as_run(name) for name, run in (self.runs or {}).items()] or parse_runs(())


class CompareURL(_Compared):
    """A comparison as an address asks for it."""

    query: QueryText = Field(alias="q", description=TEXT)
    run: Annotated[TypedRuns, BeforeValidator(as_list)] | None = Field(
        None,
        description="NAME:MODE[,FUSION[,ALPHA]], such as a:hybrid,rrf,0.4; repeated, 2 to 8; "
        "keyword, semantic, hybrid",
    )

    def as_runs(self) -> Sequence[Run]:
        """Return the runs asked for, or the default ones. Raises InvalidInput."""
        return parse_runs(self.run or ())
