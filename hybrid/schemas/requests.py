"""Requests for films: a query as a URL has it, and comparisons."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BeforeValidator, Field

from hybrid.errors import InvalidInput
from hybrid.query import (
    OPTIONAL_TEXT,
    TEXT,
    ExplainQuery,
    FilmId,
    Grade,
    OptionalText,
    Query,
    QueryText,
    SearchQuery,
    as_list,
)
from hybrid.schemas.runs import NamedRuns, Run, TypedRuns, parse_runs


class SearchURL(SearchQuery):
    """A search in a URL, where the text is `q`."""

    text: OptionalText = Field("", alias="q", description=OPTIONAL_TEXT)


class ExplainURL(ExplainQuery):
    """A search in a URL in which a film is explained."""

    text: QueryText = Field(alias="q", description=TEXT)


class CompareRequest(Query):
    """A comparison in a JSON body."""

    runs: NamedRuns | None = Field(
        None, description="name -> mode, fusion, alpha; 2 to 8; keyword, semantic, hybrid"
    )
    judgments: dict[FilmId, Grade] | None = Field(
        None, description="id of a film -> grade, 0 to 10, to measure the runs by"
    )

    def as_runs(self) -> Sequence[Run]:
        """Return the runs of the request, or the default ones."""
        return [run.as_run(name) for name, run in (self.runs or {}).items()] or parse_runs(())


class CompareURL(Query):
    """A comparison in a URL, where the text is `q`."""

    text: QueryText = Field(alias="q", description=TEXT)
    run: Annotated[TypedRuns, BeforeValidator(as_list)] | None = Field(
        None,
        description="NAME:MODE[,FUSION[,ALPHA]], such as a:hybrid,rrf,0.4; repeated, 2 to 8; "
        "keyword, semantic, hybrid",
    )

    def as_runs(self) -> Sequence[Run]:
        """Return the runs of the request, or the default ones. Raises InvalidInput."""
        runs = parse_runs(self.run or ())
        for run in runs:
            if run.understand != "prefer":
                problem = f"run '{run.name}' cannot understand the query in a way of its own"
                raise InvalidInput(f"{problem}: send understand={run.understand}", {"run": problem})
        return runs
