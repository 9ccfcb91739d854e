"""The films that come with the project: whole, plausible, and worth a first search."""

import csv
from collections import Counter

from indexer.cli import SAMPLE
from indexer.films.clean import clean
from indexer.sources import read_source
from tests.indexer.film_files import KAGGLE_COLUMNS

with SAMPLE.open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file))

GENRES = (
    "Action Adventure Animation Biography Comedy Crime Documentary Drama Family Fantasy Film-Noir "
    "History Horror Music Musical Mystery Romance Sci-Fi Sport Thriller War Western"
).split()


def test_columns_are_kaggle_s_with_ids_of_our_own() -> None:
    """The file is read like Kaggle's; what we do not know (votes, sums) is empty."""
    assert list(ROWS[0]) == ["id", *KAGGLE_COLUMNS[1:]]
    for row in ROWS:
        assert not any(row[name] for name in KAGGLE_COLUMNS[KAGGLE_COLUMNS.index("avg_vote") :])


def test_every_film_is_kept() -> None:
    """Nothing is rejected, doubled or emptied."""
    cleaned = clean(read_source(SAMPLE))
    assert len(cleaned.movies) == len(ROWS) >= 400
    assert cleaned.rejects == ()
    assert cleaned.duplicates == cleaned.without_description == cleaned.without_year == 0
    assert cleaned.emptied == {}


def test_ids_and_titles_are_unique() -> None:
    """No id, and no title of a year, stands twice."""
    assert len({row["id"] for row in ROWS}) == len(ROWS)
    assert len({(row["title"].casefold(), row["year"]) for row in ROWS}) == len(ROWS)


def test_facts_are_there_and_plausible() -> None:
    """Years, durations, genres, countries and directors are of the right kind."""
    for row in ROWS:
        assert 1895 <= int(row["year"]) <= 2023, row["title"]
        assert (
            not row["date_published"] or abs(int(row["date_published"][:4]) - int(row["year"])) <= 1
        )
        assert 1 <= int(row["duration"]) <= 600, row["title"]
        assert row["director"], row["title"]
        assert row["country"], row["title"]
        assert set(row["genre"].split(", ")) <= set(GENRES), row["title"]


def test_descriptions_tell_a_plot() -> None:
    """35 to 70 words each, none of them twice."""
    for row in ROWS:
        assert 35 <= len(row["description"].split()) <= 70, row["title"]
    assert len({row["description"] for row in ROWS}) == len(ROWS)


def test_there_is_something_for_everyone() -> None:
    """All decades since 1900, every genre and many countries are there."""
    decades = Counter(int(row["year"]) // 10 for row in ROWS)
    assert min(decades[decade] for decade in range(191, 203)) >= 3
    genres = Counter(genre for row in ROWS for genre in row["genre"].split(", "))
    assert min(genres[genre] for genre in GENRES) >= 3
    countries = {country for row in ROWS for country in row["country"].split(", ")}
    assert len(countries) >= 40
