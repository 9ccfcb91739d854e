"""What an address of a page asks for: the fields as they were typed, and the query they make."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError
from werkzeug.datastructures import MultiDict

from hybrid.errors import InvalidInput
from hybrid.query import Fusion, SearchQuery
from hybrid.schemas.requests import SearchURL
from hybrid.validation import listed, problems

SHOWN = 20
"""Films on a page that is not told how many."""


class PageForm(NamedTuple):
    """The fields of an address by name; a form sends its empty ones too, and those are left out."""

    fields: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, address: MultiDict[str, str]) -> "PageForm":
        """Return what the parameters of an address say."""
        given = {name: [v for v in values if v.strip()] for name, values in address.lists()}
        return cls({name: values for name, values in given.items() if values})

    def one(self, name: str, default: str = "") -> str:
        """Return the field as it was typed."""
        return self.fields[name][0] if name in self.fields else default

    def all(self, name: str) -> Sequence[str]:
        """Return all values of the field."""
        return self.fields.get(name, ())

    def without(self, *names: str) -> "PageForm":
        """Return the rest."""
        return PageForm({name: given for name, given in self.fields.items() if name not in names})

    def but(self, **changes: str | int) -> dict[str, Any]:
        """Return the fields with some changed, to make a query string of."""
        return dict(self.fields) | changes

    def query(self, default: Fusion) -> SearchQuery:
        """Return the query. Raises InvalidInput that names the fields."""
        # What else an address holds, such as a tracker's mark, is nothing to people.
        fields = {
            name: given if name == "genre" or len(given) > 1 else given[0]
            for name, given in self.fields.items()
            if name == "q" or name in SearchURL.model_fields
        }
        try:
            return SearchURL.model_validate(
                {"limit": SHOWN} | fields | {"highlight": True, "explain": "summary"}
            ).as_query(default)
        except ValidationError as error:
            found = problems(error)
            raise InvalidInput(listed(found), found) from None
