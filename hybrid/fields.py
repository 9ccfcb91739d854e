"""The flat fields of a search: in an address, a body, a command, and echoed in the answer."""

from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from hybrid.query import (
    AlphaOrAuto,
    Filters,
    Fusion,
    FusionMethod,
    GenreMatch,
    Genres,
    Limit,
    Mode,
    QueryText,
    SearchQuery,
    Year,
)


def _as_list(value: object) -> object:
    """One value is a list of one: an address that names a genre once looks no other."""
    return [value] if isinstance(value, str) else value


class SearchBody(BaseModel):
    """A search as a JSON body asks for it, and as the answer echoes it, defaults filled in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    query: QueryText = Field(description="what to search for, up to 1,000 characters")
    genre: Annotated[Genres, BeforeValidator(_as_list)] = Field(
        (), description="films of this genre, without regard to case; may be repeated"
    )
    genre_match: GenreMatch = Field("any", description="any of the genres, or all of them")
    year_from: Year | None = Field(None, description="first year, inclusive")
    year_to: Year | None = Field(None, description="last year, inclusive")
    mode: Mode = Field("hybrid", description="which engines rank")
    fusion: FusionMethod | None = Field(
        None, description="how the two rankings become one; attainable, unless tuned otherwise"
    )
    alpha: AlphaOrAuto | None = Field(
        None,
        description="semantic share of the score, 0 to 1, or auto, which chooses it for the query; "
        "auto, unless tuned otherwise",
    )
    limit: Limit = Field(10, description="number of films to return, 1 to 100")

    def as_query(self, default: Fusion) -> SearchQuery:
        """Return the query that was asked, its fusion as in `default` where it says nothing.

        Raises InvalidInput.
        """
        return SearchQuery(
            text=self.query,
            filters=Filters(
                genres=self.genre,
                genre_match=self.genre_match,
                year_from=self.year_from,
                year_to=self.year_to,
            ),
            mode=self.mode,
            fusion=default.overruled(self.fusion, self.alpha),
            limit=self.limit,
        )

    @classmethod
    def of(cls, query: SearchQuery) -> Self:
        """Return the fields that make `query`."""
        return cls(
            query=query.text,
            genre=query.filters.genres,
            genre_match=query.filters.genre_match,
            year_from=query.filters.year_from,
            year_to=query.filters.year_to,
            mode=query.mode,
            fusion=query.fusion.method,
            alpha=query.fusion.alpha,
            limit=query.limit,
        )


class SearchAddress(SearchBody):
    """A search as an address asks for it: the text is `q`."""

    query: QueryText = Field(alias="q", description="what to search for, up to 1,000 characters")
