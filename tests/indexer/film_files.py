"""Files of films for tests, written as their sources write them."""

import csv
import gzip
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

Row = Mapping[str, str]

KAGGLE_COLUMNS = (
    "imdb_title_id title original_title year date_published genre duration country language "
    "director writer production_company actors description avg_vote votes budget usa_gross_income "
    "worlwide_gross_income metascore reviews_from_users reviews_from_critics"
).split()

IMDB_1000_COLUMNS = (
    "Rank,Title,Genre,Description,Director,Actors,Year,Runtime (Minutes),Rating,Votes,"
    "Revenue (Millions),Metascore"
).split(",")

SHAWSHANK = {
    "imdb_title_id": "tt0111161",
    "title": "The Shawshank Redemption",
    "original_title": "The Shawshank Redemption",
    "year": "1994",
    "date_published": "1994-10-14",
    "genre": "Drama",
    "duration": "142",
    "country": "USA",
    "language": "English",
    "director": "Frank Darabont",
    "writer": "Stephen King, Frank Darabont",
    "production_company": "Castle Rock Entertainment",
    "actors": "Tim Robbins, Morgan Freeman, Bob Gunton",
    "description": "A banker locked up for life befriends a smuggler and never gives up on hope.",
    "avg_vote": "9.3",
    "votes": "2278845",
    "budget": "$ 25000000",
    "metascore": "80.0",
}

KAGGLE_ROWS: tuple[Row, ...] = (
    SHAWSHANK,
    {  # commas and quotes inside quotes
        "imdb_title_id": "tt0068646",
        "title": "The Godfather",
        "original_title": "The Godfather",
        "year": "1972",
        "genre": "Crime, Drama",
        "duration": "175",
        "country": "USA",
        "language": "English, Italian, Latin",
        "director": "Francis Ford Coppola",
        "writer": "Mario Puzo, Francis Ford Coppola",
        "production_company": "Paramount Pictures",
        "actors": "Marlon Brando, Al Pacino, James Caan",
        "description": 'The "Don" is shot, and his youngest, the one kept out of it, takes over.',
        "avg_vote": "9.2",
        "budget": "$ 6000000",
        "metascore": "100.0",
    },
    {  # accents as letter and mark, to be composed
        "imdb_title_id": "tt0211915",
        "title": "Ame\u0301lie",
        "original_title": "Le fabuleux destin d'Amélie Poulain",
        "year": "2001",
        "genre": "Comedy, Romance",
        "duration": "122",
        "country": "France, Germany",
        "language": "French",
        "director": "Jean-Pierre Jeunet",
        "actors": "Audrey Tautou, Mathieu Kassovitz",
        "description": "A shy waitress on Montmartre secretly mends the lives of her neighbours.",
    },
    {
        "imdb_title_id": "tt8206668",
        "title": "Bad Education",
        "year": "TV Movie 2019",
        "genre": "Biography, Comedy, Crime",
        "duration": "108",
        "director": "Cory Finley",
        "actors": "Hugh Jackman, Allison Janney",
        "description": "A beloved superintendent's schools shine while their money trickles away.",
    },
    {  # no description
        "imdb_title_id": "tt0002101",
        "title": "Cleopatra",
        "year": "1912",
        "genre": "Drama, History",
        "director": "Charles L. Gaskill",
        "actors": "Helen Gardner",
    },
    {  # no year
        "imdb_title_id": "tt0017136",
        "title": "Metropolis",
        "year": "",
        "genre": "Drama, Sci-Fi",
        "country": "Germany",
        "director": "Fritz Lang",
        "writer": "Thea von Harbou",
        "actors": "Alfred Abel, Gustav Fröhlich, Brigitte Helm",
        "description": "The heir of a towering city goes down to those who keep it running.",
    },
    {  # a description of two lines
        "imdb_title_id": "tt0047478",
        "title": "Seven Samurai",
        "original_title": "Shichinin no samurai",
        "year": "1954",
        "genre": "Action, , Drama, Action",
        "duration": "207",
        "country": "Japan",
        "language": "Japanese",
        "director": "Akira Kurosawa",
        "actors": "Toshirô Mifune, Takashi Shimura",
        "description": "Farmers hire masterless swordsmen.\nBandits come after the harvest.",
    },
    {  # numbers in other dress, and one that is none
        "imdb_title_id": "tt0133093",
        "title": "The Matrix",
        "year": "1999",
        "genre": "Action, Sci-Fi",
        "duration": "136.0",
        "director": "Lana Wachowski, Lilly Wachowski",
        "production_company": "Warner Bros., Inc.",
        "actors": "Keanu Reeves, Laurence Fishburne, Carrie-Anne Moss",
        "description": "A hacker learns that the world he knows is run by machines.",
        "votes": "1,632,315",
        "metascore": "n/a",
    },
    SHAWSHANK,  # once more, exactly
    {"imdb_title_id": "tt0050083", "title": " ", "year": "1957", "director": "Sidney Lumet"},
    {"imdb_title_id": "tt0062622", "title": "2001: A Space Odyssey", "year": "9168"},
    {  # the id of its director
        "imdb_title_id": "nm0000229",
        "title": "Jaws",
        "year": "1975",
    },
    {"imdb_title_id": "tt0068646", "title": "Il padrino", "year": "1972"},  # an id once more
)
"""Rows with every wrinkle that a film or a reject can have in Kaggle's file."""

KAGGLE_FILMS = (2101, 17136, 47478, 68646, 111161, 133093, 211915, 8206668)
"""The ids of the films in `KAGGLE_ROWS`: the rest are a duplicate and four rejects."""


def write(path: Path, text: str) -> Path:
    """Write `text` to `path` in UTF-8, gzipped if it is called so."""
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def csv_file(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> Path:
    """Write rows under `columns`; what a row does not name is empty."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return write(path, text.getvalue())


def kaggle_csv(path: Path, rows: Iterable[Row] = KAGGLE_ROWS) -> Path:
    """Write a file like Kaggle's "IMDb movies.csv"."""
    return csv_file(path, KAGGLE_COLUMNS, rows)


def imdb_1000_csv(path: Path, rows: Iterable[Row]) -> Path:
    """Write a file like the IMDB-1000 CSV."""
    return csv_file(path, IMDB_1000_COLUMNS, rows)


def json_lines(path: Path, films: Iterable[object]) -> Path:
    """Write one JSON value a line."""
    return write(path, "".join(json.dumps(film, ensure_ascii=False) + "\n" for film in films))
