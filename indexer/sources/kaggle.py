"""Kaggle's "IMDb movies.csv": 22 columns, an IMDb id for each film."""

import re
from functools import partial

import pandas as pd

from indexer.sources.format import CSV, NUMBER, Format, as_objects, film_id, split_at_commas

_IMDB_ID = re.compile(r"\s*tt([0-9]{1,20})\s*", re.IGNORECASE)
_WORDS_BEFORE_YEAR = re.compile(r"\s*(?:[A-Za-z]+\s+)+([0-9]{4})\s*")  # as in "TV Movie 2019"
_LEGAL_FORM = r"(?:Inc|Ltd|LLC|L\.L\.C|L\.P|S\.A|Co)\b"  # "Warner Bros., Inc." is one company


def parse(frame: pd.DataFrame, ids: re.Pattern[str]) -> pd.DataFrame:
    """Take ids and years out of their texts and split the lists."""
    lists = "genres cast directors writers countries languages".split()
    return frame.assign(
        id=as_objects([film_id(value, ids) for value in frame["id"]]),
        year=as_objects([_year(value) for value in frame["year"]]),
        companies=split_at_commas(frame["companies"], but=_LEGAL_FORM),
        **{field: split_at_commas(frame[field]) for field in lists},
    )


def _year(value: object) -> object:
    match = _WORDS_BEFORE_YEAR.fullmatch(str(value))
    return match[1] if match else value


_COLUMNS = {
    "original_title": "original_title",
    "released": "date_published",
    "duration_minutes": "duration",
    "countries": "country",
    "languages": "language",
    "directors": "director",
    "writers": "writer",
    "companies": "production_company",
    "cast": "actors",
    "rating": "avg_vote",
    "votes": "votes",
    "budget": "budget",
    "usa_gross_income": "usa_gross_income",
    "worldwide_gross_income": "worlwide_gross_income",  # misspelt so in the file
    "metascore": "metascore",
    "reviews_from_users": "reviews_from_users",
    "reviews_from_critics": "reviews_from_critics",
}


def _format(name: str, id_column: str, ids: re.Pattern[str]) -> Format:
    required = {
        "id": id_column,
        "title": "title",
        "year": "year",
        "genres": "genre",
        "description": "description",
    }
    return Format(name, CSV, required, _COLUMNS, partial(parse, ids=ids))


FORMAT = _format("Kaggle IMDb movies CSV", "imdb_title_id", _IMDB_ID)

NUMBERED = _format("CSV with Kaggle's columns and ids of its own", "id", NUMBER)
"""What the films that come with this project are written in."""
