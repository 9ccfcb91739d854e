"""Films made by a seed, for tests that want many and do not care which."""

import random

from hybrid.movie import Movie
from hybrid.query import Filters

GENRES = ("Drama", "Comedy", "Film-Noir", "Sci-Fi", "Horror", "Komödie", "ΔΡΆΜΑ", "Straße")
WORDS = (
    "captain river winter mirror stranger letter island garden thief orchestra desert lighthouse "
    "boxer widow train carnival detective robot empire violin Amélie Şehir naïve Zürich café"
).split()


def films(count: int, seed: int = 7) -> list[Movie]:
    """Return `count` films with gaps between their ids; many share words, years and genres."""
    choose = random.Random(seed)
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
            )
        )
    return made


def filters(count: int, seed: int = 11) -> list[Filters]:
    """Return `count` filters of every kind, some of which allow no film."""
    choose = random.Random(seed)
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
            )
        )
    return made


def queries(count: int, seed: int = 13) -> list[str]:
    """Return `count` queries; some hold words that no film has, or a word twice."""
    choose = random.Random(seed)
    pool = [*WORDS, "unheard", "the", "captain captain"]
    return [" ".join(choose.choices(pool, k=choose.randint(1, 8))) for _ in range(count)]
