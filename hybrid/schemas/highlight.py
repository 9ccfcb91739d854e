"""Where the words of a query stand in a film."""

from pydantic import Field

from hybrid.schemas.base import ResponseModel

Ranges = tuple[tuple[int, int], ...]


class Highlight(ResponseModel):
    """Ranges [start, end) of characters (Unicode code points) that hold a word of the query.

    Those of a field of several entries are counted over the entries joined by a comma and a blank.
    """

    title: Ranges
    original_title: Ranges
    description: Ranges = Field(description="of the whole description, sentence after sentence")
    cast: Ranges
    directors: Ranges
    writers: Ranges
    genres: Ranges
    keywords: Ranges
