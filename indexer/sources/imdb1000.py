"""The IMDB-1000 CSV: twelve columns. Its rank is a place in a list, no id."""

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
        "genre": "genres",
        "description": "description",
        "year": "year",
    },
    optional={
        "director": "directors",
        "actors": "cast",
        "runtime (minutes)": "duration_minutes",
        "rating": "rating",
        "votes": "votes",
        "revenue (millions)": "revenue_millions",
        "metascore": "metascore",
    },
    parse=parse,
)
