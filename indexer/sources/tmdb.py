"""TMDB's "tmdb_5000_movies.csv": lists are JSON in a cell, and 0 stands for what is unknown."""

import json

import pandas as pd

from indexer.sources.format import CSV, Format, as_objects

_LISTS = "genres keywords companies countries languages".split()


def parse(frame: pd.DataFrame) -> pd.DataFrame:
    """Take names out of JSON, the year out of the date, and millions out of dollars."""
    return frame.assign(
        id=as_objects([_id(value) for value in frame["id"]]),
        year=as_objects([str(value or "").partition("-")[0] for value in frame["released"]]),
        budget=as_objects([_dollars(value) for value in frame["budget"]]),
        duration_minutes=as_objects([_known(value) for value in frame["duration_minutes"]]),
        revenue_millions=as_objects([_millions(value) for value in frame["revenue_millions"]]),
        **{field: as_objects([_names(value) for value in frame[field]]) for field in _LISTS},
    )


def _names(value: object) -> object:
    """Return the names in '[{"id": 28, "name": "Action"}]'; what is no such JSON as it is."""
    try:
        return [entry["name"] for entry in json.loads(str(value or "[]"))]
    except (ValueError, TypeError, KeyError, RecursionError):
        return value


def _id(value: object) -> object:
    text = str(value).strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else value


def _known(value: object) -> object:
    return None if str(value).strip() in ("0", "0.0") else value


def _dollars(value: object) -> object:
    known = _known(value)
    return f"$ {known}" if known else None


def _millions(value: object) -> object:
    try:
        return float(str(_known(value))) / 1e6
    except ValueError:
        return _known(value)


FORMAT = Format(
    name="TMDB movies CSV",
    container=CSV,
    required={
        "id": "id",
        "title": "title",
        "overview": "description",
        "release_date": "released",
        "genres": "genres",
    },
    optional={
        "original_title": "original_title",
        "keywords": "keywords",
        "production_companies": "companies",
        "production_countries": "countries",
        "spoken_languages": "languages",
        "runtime": "duration_minutes",
        "vote_average": "rating",
        "vote_count": "votes",
        "budget": "budget",
        "revenue": "revenue_millions",
    },
    parse=parse,
)
