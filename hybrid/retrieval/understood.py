"""What a response says about how its query was read."""

from hybrid.query_language.language import Part, Reading
from hybrid.retrieval.query_parser import ParsedQuery
from hybrid.schemas.understood import Span, Understood, UnderstoodPart


def understood(parsed: ParsedQuery) -> Understood:
    """Return how a query was read."""
    return Understood(
        text=parsed.text,
        parts=tuple(_part(parsed.reading, part) for part in parsed.parts),
    )


def _part(reading: Reading, part: Part) -> UnderstoodPart:
    return UnderstoodPart(
        field=part.field,
        value=part.value,
        excluded=part.excluded,
        preferred=part.preferred,
        span=Span(start=part.span[0], end=part.span[1]) if part.span else None,
        without=reading.without(part.span) if part.span else None,
    )
