"""The tables of the catalogue, and how they represent a film."""

import json
from collections.abc import Sequence

from hybrid.movie import Movie

SearchColumns = tuple[int | None, str, str, str | None]
"""Year, genres as a JSON list, title and original title."""

Spans = Sequence[tuple[int, int]]

SCHEMA = """
CREATE TABLE movies (           -- what is read of all films whenever a generation is opened
    id INTEGER PRIMARY KEY,
    year INTEGER,
    genres TEXT NOT NULL,       -- JSON list
    title TEXT NOT NULL,
    original_title TEXT,
    content TEXT NOT NULL,      -- SHA-256 of the whole film
    sentences INTEGER NOT NULL, -- of the description; one vector each, side by side
    piece INTEGER NOT NULL,     -- number of the file that holds these vectors
    row INTEGER NOT NULL        -- the first of them in that file
);
CREATE TABLE documents (        -- what is read of a few
    id INTEGER PRIMARY KEY,
    film TEXT NOT NULL,         -- JSON object, the whole film
    spans TEXT NOT NULL         -- JSON list: [start, end) of each sentence of the description
);
CREATE TABLE names (
    name TEXT PRIMARY KEY,      -- of a person, plain, of two words or more
    films INTEGER NOT NULL      -- that name this person
) WITHOUT ROWID;
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
"""

HAND_CHANGES = """
CREATE TABLE IF NOT EXISTS hand_changes ( -- films changed by hand since the last source
    id INTEGER PRIMARY KEY,
    source TEXT                 -- JSON object, the film as that source has it; NULL: it has none
);
"""
"""Catalogues of earlier versions lack this table; a change adds it."""

HIGHEST_ID = "highest_id"
"""Name in `meta` of the highest id that any film has ever had: ids are never reused."""


def document(movie: Movie) -> str:
    """Return the film as the catalogue stores it: JSON, equal for equal films."""
    return movie.model_dump_json(exclude_defaults=True)


def search_columns(movie: Movie) -> SearchColumns:
    """Return year, genres and titles of a film as the catalogue stores them."""
    return movie.year, json.dumps(movie.genres), movie.title, movie.original_title
