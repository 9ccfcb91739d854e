"""The fields of a keyword index that hold names as filters compare them."""

from collections.abc import Mapping

from hybrid.limits import NameField
from hybrid.movie import Movie, name_keys

KEY_FIELDS: Mapping[NameField, str] = {
    "genres": "genre_keys",
    "countries": "country_keys",
    "languages": "language_keys",
    "directors": "director_keys",
    "cast": "actor_keys",
}
"""The field of the index by that of the film."""


def film_keys(movie: Movie) -> dict[str, list[str]]:
    """Return the values of these fields: the film's distinct names as `name_key` has them."""
    return {field: name_keys(getattr(movie, name)) for name, field in KEY_FIELDS.items()}
