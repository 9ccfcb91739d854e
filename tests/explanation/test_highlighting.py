"""Where the words of a query stand in a film."""

from hybrid.explanation.highlighting import highlight
from hybrid.movie import Movie
from hybrid.schemas.highlight import Highlight

FILM = Movie(
    id=1,
    title="Amélie runs",
    original_title="Le fabuleux destin",
    description="A café 🎬. She ran; the runner was running to the CAFES.",
    cast=("Audrey Tautou", "Yolande Moreau", "Audrey Fleurot"),
    genres=("Comedy",),
)


def marked(text: str, ranges: tuple[tuple[int, int], ...]) -> list[str]:
    """Return what the ranges hold."""
    return [text[start:end] for start, end in ranges]


def test_words_are_found_by_their_stems_and_without_accents() -> None:
    """As the keyword engine finds them: not "ran", nor "runner", which it does not find either."""
    found = highlight(FILM, "the RUNNING cafe amelie")
    assert marked(FILM.title, found.title) == ["Amélie", "runs"]
    assert marked(FILM.description or "", found.description) == ["café", "running", "CAFES"]
    assert found.original_title == found.cast == found.genres == found.writers == ()


def test_ranges_of_names_are_over_the_joined_list() -> None:
    """One text has the ranges: the entries with a comma and a blank between them."""
    found = highlight(FILM, "Audrey Moreau")
    assert marked(", ".join(FILM.cast), found.cast) == ["Audrey", "Moreau", "Audrey"]


def test_nothing_is_marked_for_stop_words() -> None:
    """Every field is there and empty."""
    empty: tuple[tuple[int, int], ...] = ()
    assert highlight(FILM, "the of and") == Highlight.model_validate(
        dict.fromkeys(Highlight.model_fields, empty)
    )
