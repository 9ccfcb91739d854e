"""Films made by a seed, for tests that want many and do not care which."""

import random
from collections.abc import Sequence
from typing import Any

from hybrid.movie import Movie
from hybrid.query import Filters

GENRES = ("Drama", "Comedy", "Film-Noir", "Sci-Fi", "Horror", "Komödie", "ΔΡΆΜΑ", "Straße")
WORDS = (
    "captain river winter mirror stranger letter island garden thief orchestra desert lighthouse "
    "boxer widow train carnival detective robot empire violin Amélie Şehir naïve Zürich café"
).split()

COUNTRIES = ("France", "Côte d'Ivoire", "Türkiye", "USA")
LANGUAGES = ("French", "Türkçe", "English", "Straßendeutsch")

PEOPLE = ("Ana Ruiz", "Ruiz Costa", "Bo Ek", "Jean-Luc Bo", "Zoë O'Dell", "周迅")


def films(count: int, seed: int = 7) -> list[Movie]:
    """Return `count` films with gaps between their ids; many share words, years and genres."""
    choose, cast, others = random.Random(seed), random.Random(seed), random.Random(seed)
    made = []
    for number in range(count):
        sentences = [
            " ".join(choose.choices(WORDS, k=choose.randint(3, 9))).capitalize() + "."
            for _ in range(choose.randint(1, 4))
        ]
        made.append(
            Movie(
                id=number * 3 + 1,
                title=" ".join(choose.choices(WORDS, k=choose.randint(1, 3))).title(),
                year=choose.choice([None, *range(1950, 1970)]),
                genres=tuple(choose.sample(GENRES, choose.randint(0, 3))),
                description=" ".join(sentences) if choose.random() < 0.9 else None,
                cast=tuple(cast.sample(PEOPLE, cast.choice([0, 0, 1, 2]))),
                countries=_some(COUNTRIES, others),
                languages=_some(LANGUAGES, others),
                directors=_some(PEOPLE, others),
                rating=others.choice([None, *(tenths / 10 for tenths in range(10, 100, 7))]),
                votes=others.choice([None, 0, 1, 50, 999, 1000, 250_000, 2**31 - 1]),
                duration_minutes=others.choice([None, *range(0, 240, 13)]),
            )
        )
    return made


def _some(names: Sequence[str], choose: random.Random) -> tuple[str, ...]:
    return tuple(choose.sample(names, choose.choice([0, 1, 1, 2])))


def filters(count: int, seed: int = 11) -> list[Filters]:
    """Return `count` filters of every kind, some of which allow no film."""
    choose, others = random.Random(seed), random.Random(seed)
    made = []
    for _ in range(count):
        named = choose.sample([*GENRES, "Western"], choose.randint(0, 3))
        first, last = sorted(choose.choices(range(1945, 1975), k=2))
        made.append(
            Filters(
                genres=tuple(choose.choice([name.upper(), name.lower(), name]) for name in named),
                genre_match=choose.choice(["any", "all"]),
                year_from=choose.choice([None, first]),
                year_to=choose.choice([None, last]),
                **_other_filters(others),
            )
        )
    return made


def _other_filters(choose: random.Random) -> dict[str, Any]:
    """Return filters by other values than genre and year, most often by none or one of them."""
    fields: dict[str, Any] = {}
    for name, names in (
        ("exclude_genres", GENRES),
        ("countries", (*COUNTRIES, "Atlantis")),
        ("languages", (*LANGUAGES, "Klingon")),
        ("directors", (*PEOPLE, "Nobody")),
        ("actors", (*PEOPLE, "Nobody")),
    ):
        if choose.random() < 0.15:
            some = choose.sample(names, choose.randint(1, 2))
            fields[name] = tuple(choose.choice([one.upper(), f" {one}", one]) for one in some)
    for name, numbers in (
        ("rating", [tenths / 10 for tenths in range(0, 101)]),
        ("votes", [0, 1, 2, 50, 999, 1000, 1001, 2**31 - 1]),
        ("duration", [*range(0, 250)]),
    ):
        if choose.random() < 0.15:
            first, last = sorted(choose.choices(numbers, k=2))
            fields[f"{name}_from"] = choose.choice([None, first])
            fields[f"{name}_to"] = choose.choice([None, last])
    return fields


def queries(count: int, seed: int = 13) -> list[str]:
    """Return `count` queries; some hold words that no film has, or a word twice."""
    choose = random.Random(seed)
    pool = [*WORDS, "unheard", "the", "captain captain"]
    return [" ".join(choose.choices(pool, k=choose.randint(1, 8))) for _ in range(count)]


def limited_queries(count: int, seed: int = 17) -> list[str]:
    """Return `count` queries in the language of queries, of one to three parts beside a word."""
    choose = random.Random(seed)

    def words() -> str:
        return " ".join(choose.choices(WORDS, k=choose.choice([1, 2, 2, 3])))

    def part() -> str:
        years = sorted(choose.choices(range(1945, 1975), k=2))
        people = " ".join(choose.choice(PEOPLE).split()[-choose.choice([1, 2]) :])
        return choose.choice(
            [
                f'"{words()}"',
                choose.choice(WORDS),
                f'title:"{words()}"',
                f"title:{choose.choice(WORDS).upper()}",
                f'person:"{people}"',
                f'genre:"{choose.choice([*GENRES, "Western"]).lower()}"',
                f"year:{years[0]}..{years[1]}",
                f"year:{choose.choice(['..1960', '1955..', '1950s', '1961'])}",
            ]
        )

    made = []
    for _ in range(count):
        parts = [choose.choice(["", "-", "-"]) + part() for _ in range(choose.randint(1, 3))]
        made.append(" ".join([choose.choice(WORDS), *parts]))
    return made
