"""The IMDB-1000 CSV: twelve columns. Its rank is not an id."""

import pandas as pd

from indexer.sources.format import CSV, Format, split_at_commas


def parse(frame: pd.DataFrame) -> pd.DataFrame:
    """Split the lists."""
    lists = ("genres", "directors", "cast")
    return frame.assign(**{field: split_at_commas(frame[field]) for field in lists})


FORMAT = Format(
    name="IMDB-1000 CSV",
    container=CSV,
    required={
        "title": "title",
        "genres": "genre",
        "description": "description",
        "year": "year",
    },
    optional={
        "directors": "director",
        "cast": "actors",
        "duration_minutes": "runtime (minutes)",
        "rating": "rating",
        "votes": "votes",
        "revenue_millions": "revenue (millions)",
        "metascore": "metascore",
    },
    parse=parse,
)
