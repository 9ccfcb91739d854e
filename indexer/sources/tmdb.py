"""TMDB's "tmdb_5000_movies.csv": lists are JSON in a cell, and 0 stands for what is unknown."""

import re

import pandas as pd

from indexer.sources.format import CSV, Format, as_objects, film_id, names_of, year_of

_LISTS = {
    "genres": "genres",
    "keywords": "keywords",
    "companies": "production_companies",
    "countries": "production_countries",
    "languages": "spoken_languages",
}
_DOLLARS = re.compile(r"\s*([0-9]{1,15})(?:\.0*)?\s*")


def parse(frame: pd.DataFrame) -> pd.DataFrame:
    """Take names out of JSON, the year out of the date, and millions out of dollars."""
    lists = {
        field: as_objects([names_of(column, value) for value in frame[field]])
        for field, column in _LISTS.items()
    }
    return frame.assign(
        id=as_objects([film_id(value) for value in frame["id"]]),
        year=as_objects([year_of(value) for value in frame["year"]]),
        duration_minutes=as_objects([_known(value) for value in frame["duration_minutes"]]),
        budget=as_objects([_dollars(value) for value in frame["budget"]]),
        revenue_millions=as_objects([_millions(value) for value in frame["revenue_millions"]]),
        **lists,
    )


def _known(value: object) -> object:
    match = _DOLLARS.fullmatch(str(value))
    return None if match and not int(match[1]) else value


def _dollars(value: object) -> object:
    """Return an amount with its currency, as Kaggle's file has it; anything else as it is."""
    match = _DOLLARS.fullmatch(str(_known(value)))
    return f"$ {int(match[1])}" if match else _known(value)


def _millions(value: object) -> object:
    match = _DOLLARS.fullmatch(str(_known(value)))
    return int(match[1]) / 1e6 if match else _known(value)


FORMAT = Format(
    name="TMDB movies CSV",
    container=CSV,
    required={
        "id": "id",
        "title": "title",
        "description": "overview",
        "year": "release_date",
        "genres": "genres",
    },
    optional={
        "original_title": "original_title",
        "released": "release_date",
        "keywords": "keywords",
        "companies": "production_companies",
        "countries": "production_countries",
        "languages": "spoken_languages",
        "duration_minutes": "runtime",
        "rating": "vote_average",
        "votes": "vote_count",
        "budget": "budget",
        "revenue_millions": "revenue",
    },
    parse=parse,
)
