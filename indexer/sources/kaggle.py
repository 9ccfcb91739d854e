"""Kaggle's "IMDb movies.csv": 22 columns, an IMDb id for each film."""

import re

import pandas as pd

from indexer.sources.format import CSV, Format, as_objects, split_at_commas

_ID = re.compile(r"\s*tt([0-9]{1,20})\s*", re.IGNORECASE)
_WORDS_BEFORE_YEAR = r"^\s*(?:[A-Za-z]+\s+)+(?=[0-9]{4}\s*$)"  # one year there is "TV Movie 2019"
_LEGAL_FORM = r"(?:Inc|Ltd|LLC|L\.L\.C|L\.P|S\.A|Co)\b"  # "Warner Bros., Inc." is one company


def imdb_id(value: object) -> object:
    """Return "tt0111161" as 111161, anything else as it is."""
    match = _ID.fullmatch(str(value))
    return int(match[1]) if match else value


def parse(frame: pd.DataFrame) -> pd.DataFrame:
    """Take ids and years out of their texts and split the lists."""
    lists = "genres cast directors writers countries languages".split()
    return frame.assign(
        id=as_objects([imdb_id(value) for value in frame["id"]]),
        year=frame["year"].str.replace(_WORDS_BEFORE_YEAR, "", regex=True),
        companies=split_at_commas(frame["companies"], but=_LEGAL_FORM),
        **{field: split_at_commas(frame[field]) for field in lists},
    )


FORMAT = Format(
    name="Kaggle IMDb movies CSV",
    container=CSV,
    required={
        "imdb_title_id": "id",
        "title": "title",
        "year": "year",
        "genre": "genres",
        "description": "description",
    },
    optional={
        "original_title": "original_title",
        "date_published": "released",
        "duration": "duration_minutes",
        "country": "countries",
        "language": "languages",
        "director": "directors",
        "writer": "writers",
        "production_company": "companies",
        "actors": "cast",
        "avg_vote": "rating",
        "votes": "votes",
        "budget": "budget",
        "usa_gross_income": "usa_gross_income",
        "worlwide_gross_income": "worldwide_gross_income",  # misspelt so in the file
        "metascore": "metascore",
        "reviews_from_users": "reviews_from_users",
        "reviews_from_critics": "reviews_from_critics",
    },
    parse=parse,
)
