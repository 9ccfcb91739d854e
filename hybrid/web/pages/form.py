"""The parameters of a page's URL as they were typed, and the query they make."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError
from werkzeug.datastructures import MultiDict

from hybrid.errors import InvalidInput
from hybrid.query import RankedQuery, SearchQuery
from hybrid.schemas.requests import SearchURL
from hybrid.schemas.understood import UnderstoodPart
from hybrid.validation import one_line, problems
from hybrid.web.pages.counts import COUNTED

Parsed = TypeVar("Parsed", bound=RankedQuery)

SHOWN = 20
"""Number of films on a page whose URL has no `limit`."""

FIXED: Mapping[str, object] = {"highlight": True, "explain": "summary"}
"""The fields of the query that a page sets itself."""

QUERY_FIELDS = [field.alias or name for name, field in SearchURL.model_fields.items()]
"""The parameters of the query, by their names in a URL."""


LIMITS: Mapping[str, str] = {
    "genre": "",
    "exclude_genre": "without",
    "country": "of",
    "language": "in",
    "director": "directed by",
    "actor": "with",
    "year_from": "from",
    "year_to": "to",
    "rating_from": "rated from",
    "rating_to": "rated to",
    "votes_from": "votes from",
    "votes_to": "votes to",
    "duration_from": "minutes from",
    "duration_to": "minutes to",
    "phrase": "with",
    "exclude": "without",
    "title": "titled",
    "person": "of",
}
"""The fields of a URL that limit the films, and what a page says before their values."""

RANKING = frozenset({"mode", "fusion", "alpha", "limit", "highlight", "explain", "require"})
"""Parameters that say how films rank and are shown, but not which."""


class PageForm(NamedTuple):
    """The parameters of a URL by name, without the empty ones, which a form sends too."""

    fields: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, parameters: MultiDict[str, str]) -> "PageForm":
        """Return the form of these parameters."""
        fields = {name: [v for v in values if v.strip()] for name, values in parameters.lists()}
        return cls({name: values for name, values in fields.items() if values})

    @property
    def is_blank(self) -> bool:
        """Whether nothing says which films are wanted."""
        return not any(name in self.fields for name in QUERY_FIELDS if name not in RANKING)

    def one(self, name: str, default: str = "") -> str:
        """Return the field as it was typed."""
        return self.fields[name][0] if name in self.fields else default

    def all(self, name: str) -> Sequence[str]:
        """Return all values of the field."""
        return self.fields.get(name, ())

    def without(self, *names: str) -> "PageForm":
        """Return the form without these fields."""
        return PageForm({name: v for name, v in self.fields.items() if name not in names})

    def but(self, **changes: str | int | Sequence[str]) -> dict[str, Any]:
        """Return the fields with these changes, for a query string of the first page."""
        return dict(self.without("cursor").fields) | changes

    def without_part(self, part: UnderstoodPart) -> dict[str, Any]:
        """Return the fields for a query string that lacks this part of the query."""
        fields = dict(self.without("limit", "cursor").fields)
        if part.without is not None:
            return fields | {"q": part.without}
        name = "exclude" if part.excluded else {"text": "phrase"}.get(part.field, part.field)
        kept = [text for text in self.all(name) if not text.strip().endswith(part.value)]
        return fields | {name: kept}

    def in_force(self) -> list[tuple[str, dict[str, Any]]]:
        """Return what limits the films beside the text, and the fields without each."""
        first = self.without("limit", "cursor")
        return [
            (f"{says} {value}".strip(), first.but(**{name: [v for v in values if v != value]}))
            for name, says in LIMITS.items()
            for values in [self.all(name)]
            for value in dict.fromkeys(values)
        ]

    def passed_on(self, *controls: str) -> list[tuple[str, str]]:
        """Return name and value of each parameter of the query that is not among `controls`."""
        names = [name for name in QUERY_FIELDS if name not in {*controls, *FIXED, "cursor"}]
        return [(name, value) for name in names for value in self.all(name)]

    def query(self) -> SearchQuery:
        """Return the query. Raises InvalidInput that names the fields."""
        return self._parse(SearchURL, QUERY_FIELDS, facets=COUNTED)

    def ranked(self) -> RankedQuery:
        """Return the fields of the query other than its text. Raises InvalidInput like `query`."""
        return self._parse(RankedQuery, tuple(RankedQuery.model_fields))

    def _parse(self, model: type[Parsed], names: Sequence[str], **more: object) -> Parsed:
        # Other parameters of a URL, such as a tracker's, are ignored.
        fields = {
            name: values if len(values) > 1 else values[0]
            for name, values in self.fields.items()
            if name in names
        }
        try:
            return model.model_validate({"limit": SHOWN, **fields, **FIXED, **more})
        except ValidationError as error:
            by_field = problems(error)
            raise InvalidInput(one_line(by_field), by_field) from None
