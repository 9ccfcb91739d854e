"""The text that films are found by."""

from hybrid.movie import Movie, keyword_text

MOVIE = Movie(
    id=7,
    title="title",
    original_title="original",
    genres=("genre",),
    description="description",
    cast=("actor",),
    directors=("director",),
    writers=("writer",),
    keywords=("keyword", "another"),
    companies=("company",),
    countries=("country",),
    languages=("language",),
)


def test_every_text_that_describes_a_film_is_searched() -> None:
    """Titles, plot, people, genres and keywords, and nothing else."""
    assert sorted(keyword_text(MOVIE).split("\n")) == sorted(
        "title original genre description actor director writer keyword another".split()
    )


def test_a_title_counts_once() -> None:
    """An original title that is the title itself is not said twice."""
    same = MOVIE.model_copy(update={"original_title": "title"})
    assert keyword_text(same).split("\n").count("title") == 1
