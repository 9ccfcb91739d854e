"""Where the words of a query occur in a film."""

from pydantic import Field

from hybrid.schemas.base import ResponseModel

Ranges = tuple[tuple[int, int], ...]


class Highlight(ResponseModel):
    """Ranges [start, end) of characters (Unicode code points) with a word of the query.

    In fields with several entries, characters are counted in the entries joined by ", ".
    """

    title: Ranges
    original_title: Ranges
    description: Ranges = Field(description="of the whole description, sentence after sentence")
    cast: Ranges
    directors: Ranges
    writers: Ranges
    genres: Ranges
    keywords: Ranges
