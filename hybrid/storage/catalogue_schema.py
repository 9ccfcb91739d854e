"""The tables of the catalogue, and how they represent a film.

A catalogue is two files: the base, and the delta of what changed since the base was written.
"""

import json
import sqlite3
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from hybrid.movie import Movie, hash_number
from hybrid.storage.filter_columns import FilterValues

SearchColumns = tuple[int | None, str, str, str | None]
"""Year, genres as a JSON list, title and original title."""

Spans = Sequence[tuple[int, int]]

SCHEMA = """
CREATE TABLE movies (           -- what is read of all films when a base is written
    id INTEGER PRIMARY KEY,
    year INTEGER,
    rating REAL,
    votes INTEGER,
    duration_minutes INTEGER,
    genres TEXT NOT NULL,       -- JSON list, and so are the other names
    countries TEXT NOT NULL,
    languages TEXT NOT NULL,
    directors TEXT NOT NULL,
    actors TEXT NOT NULL,
    title TEXT NOT NULL,
    original_title TEXT,
    content TEXT NOT NULL,      -- SHA-256 of the whole film
    sentences INTEGER NOT NULL  -- of the description; one vector each, side by side
);
CREATE TABLE documents (        -- what is read of a few
    id INTEGER PRIMARY KEY,
    film TEXT NOT NULL,         -- JSON object, the whole film
    spans TEXT NOT NULL         -- JSON list: [start, end) of each sentence of the description
);
CREATE TABLE names (
    name TEXT PRIMARY KEY,      -- of a person, plain, of two words or more
    films INTEGER NOT NULL      -- that name this person; in the delta how many more or fewer
) WITHOUT ROWID;
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE hand_changes (     -- films changed by hand since the last source
    id INTEGER PRIMARY KEY,
    source TEXT,                -- JSON object, the film as that source has it; NULL: it has none
    settled INTEGER NOT NULL    -- in the delta 1 if the film no longer counts as changed by hand
);
"""

DELTA_SCHEMA = f"""{SCHEMA}
CREATE TABLE outdated (         -- films of the base that do not count: gone, or in the delta
    id INTEGER PRIMARY KEY
);
"""

VIEWS = """
CREATE TEMP VIEW movies AS
    SELECT * FROM base.movies WHERE id NOT IN (SELECT id FROM delta.outdated)
    UNION ALL SELECT * FROM delta.movies;
CREATE TEMP VIEW documents AS
    SELECT * FROM base.documents WHERE id NOT IN (SELECT id FROM delta.outdated)
    UNION ALL SELECT * FROM delta.documents;
CREATE TEMP VIEW hand_changes AS
    SELECT id, source FROM base.hand_changes
        WHERE id NOT IN (SELECT id FROM delta.hand_changes)
    UNION ALL SELECT id, source FROM delta.hand_changes WHERE NOT settled;
CREATE TEMP VIEW names AS
    SELECT * FROM base.names UNION ALL SELECT * FROM delta.names;
"""
"""The films of both files as one; a name may be there twice, and `films` are to be added up."""

WRITE_CACHE = 65_536
"""KiB of a file that is written which SQLite keeps: films come in any order."""

HIGHEST_ID = "highest_id"
"""Name in `meta` of the highest id that any film has ever had: ids are never reused."""


def document(movie: Movie) -> str:
    """Return the film as the catalogue stores it: JSON, equal for equal films."""
    return movie.model_dump_json(exclude_defaults=True)


def under_id(film: int, text: str) -> str:
    """Return the document of a film as it is under this id, which stands first."""
    return f'{{"id":{film}{text[text.index(",") :]}'


def number_of_document(text: str) -> int:
    """Return the `content_number` of the film of a document."""
    return hash_number(sha256(text.encode()).hexdigest())


def film_columns(movie: Movie) -> tuple[str | float | None, ...]:
    """Return what filters compare, and the titles, as the catalogue stores them."""
    values = FilterValues.of(movie)
    return *values.numbers, *map(json.dumps, values.names), movie.title, movie.original_title


def connect(base: Path, delta: Path, written: Path | None = None) -> sqlite3.Connection:
    """Open both files of a catalogue, with the views of both; one of them may be `written`.

    No journal and no sync: nobody reads a file that is written until the generation is published,
    which syncs all files, and after a failure the whole file is discarded.
    """
    connection = sqlite3.connect(":memory:", uri=True, check_same_thread=False)
    for name, file in (("base", base), ("delta", delta)):
        mode = "mode=rw" if file == written else "mode=ro&immutable=1"
        connection.execute(f"ATTACH ? AS {name}", (f"{file.absolute().as_uri()}?{mode}",))
    connection.execute("PRAGMA temp_store=MEMORY")
    connection.executescript(VIEWS)
    if written:
        name = "base" if written == base else "delta"
        connection.execute(f"PRAGMA {name}.journal_mode=OFF")
        connection.execute(f"PRAGMA {name}.synchronous=OFF")
        connection.execute(f"PRAGMA {name}.cache_size=-{WRITE_CACHE}")
    return connection
