"""Wikipedia's films as JSON lines: lists are lists there and years are numbers."""

import pandas as pd

from indexer.sources.format import JSON_LINES, Format


def parse(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame: its values have their form already."""
    return frame


FORMAT = Format(
    name="Wikipedia JSON lines",
    container=JSON_LINES,
    # A line leaves out what its article does not tell: no more can be asked of the first ones.
    required={"title": "title", "year": "year"},
    optional={
        "cast": "cast",
        "genres": "genres",
        "href": "href",
        "description": "extract",
        "thumbnail": "thumbnail",
    },
    parse=parse,
)
