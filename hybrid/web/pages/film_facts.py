"""What the page of a film says beside its description: facts, people, where it comes from."""

import re
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from hybrid.movie import Movie

WIKIPEDIA = "Wikipedia JSON lines"
IMDB = "Kaggle IMDb movies CSV"
TMDB = "TMDB movies CSV"


class Source(NamedTuple):
    """Where more is said of a film."""

    name: str
    url: str


class Credit(NamedTuple):
    """People of a film who did the same."""

    role: str
    names: tuple[str, ...]


def source_of(movie: Movie, source_format: str) -> Source | None:
    """Return the page of a film at the source of the catalogue, None where that is not known."""
    if source_format == WIKIPEDIA and movie.href:
        return Source("Wikipedia", f"https://en.wikipedia.org/wiki/{quote(movie.href)}")
    if source_format == IMDB:
        return Source("IMDb", f"https://www.imdb.com/title/tt{movie.id:07d}/")
    if source_format == TMDB:
        return Source("TMDB", f"https://www.themoviedb.org/movie/{movie.id}")
    return _linked(movie.href)


def _linked(href: str | None) -> Source | None:
    """Return the page that `href` is the whole URL of, if it is one that a page may link to."""
    if not href or not href.isprintable():
        return None
    try:
        parts = urlsplit(href)
    except ValueError:
        return None
    is_web = parts.scheme in ("http", "https") and parts.hostname
    return Source(parts.hostname, href) if is_web and parts.hostname else None


def credits_of(movie: Movie) -> list[Credit]:
    """Return the people of a film by what they did, without what nobody is named for."""
    every = (("Directed by", movie.directors), ("Written by", movie.writers), ("With", movie.cast))
    return [Credit(role, tuple(dict.fromkeys(names))) for role, names in every if names]


def facts_of(movie: Movie) -> list[tuple[str, str]]:
    """Return names and values of what else is known of a film, in the order of a film's page."""
    return [(name, value) for name, value in _facts(movie) if value]


def _facts(movie: Movie) -> Iterable[tuple[str, str]]:
    yield "Released", _day(movie.released or "")
    yield "Running time", f"{movie.duration_minutes} minutes" if movie.duration_minutes else ""
    yield "Country" if len(movie.countries) == 1 else "Countries", ", ".join(movie.countries)
    yield "Language" if len(movie.languages) == 1 else "Languages", ", ".join(movie.languages)
    yield "Rating", _rating(movie)
    yield "Metascore", f"{movie.metascore} of 100" if movie.metascore is not None else ""
    yield "Company" if len(movie.companies) == 1 else "Companies", ", ".join(movie.companies)
    yield "Budget", movie.budget or ""
    yield "Box office", movie.worldwide_gross_income or _millions(movie.revenue_millions)
    yield "Subjects", ", ".join(movie.keywords)


def _day(text: str) -> str:
    """Return an ISO date as it is read, anything else as it is."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return text
    return f"{day.day} {day:%B} {day.year}"


def _rating(movie: Movie) -> str:
    if movie.rating is None:
        return ""
    votes = f" from {movie.votes:,} votes" if movie.votes else ""
    return f"{movie.rating:g} of 10{votes}"


def _millions(revenue: float | None) -> str:
    return f"${revenue:,.1f} million" if revenue else ""


def search_for(field: str, value: str) -> str:
    """Return the query for the films with this value of a field of the language of queries."""
    plain = re.sub(r'["\u201c\u201d\u201e\u00ab\u00bb]+', " ", value)
    return f'{field}:"{" ".join(plain.split())}"'
