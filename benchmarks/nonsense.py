"""How often "nothing really matches" is wrong: of judged queries, nonsense, and other subjects.

    python -m benchmarks.nonsense QUERIES.jsonl ... --data DIR

An index without thresholds is calibrated first, as a build does it.
"""

import random
from collections import defaultdict
from contextlib import closing
from pathlib import Path

import click

from hybrid.evaluation.formats import read_judgements
from hybrid.evaluation.judgements import ALL
from hybrid.query import SearchQuery
from hybrid.search import HybridSearch
from hybrid.settings import Settings
from hybrid.wiring import open_search
from indexer.match_thresholds import LENGTHS, calibrate, catalogue_words, nonsense

OTHER_SUBJECTS = """how to fix a leaking kitchen tap|python list comprehension syntax error
best pizza near me open now|quarterly revenue growth of cloud providers
vegan chocolate cake recipe without eggs|convert fahrenheit to celsius
cheap flights from berlin to lisbon|symptoms of vitamin d deficiency
kubernetes ingress tls certificate renewal|how many ounces in a pound
iphone battery drains fast after update|mortgage interest rates today
lawn mower spark plug replacement|irregular verbs in german|weather tomorrow
gluten free bread machine settings|excel vlookup returns wrong value
used car insurance quote comparison|bitcoin price in euros|yoga poses for lower back pain
install printer driver on windows 11|knitting pattern for baby socks
photosynthesis light dependent reactions|derivative of arctangent|tax deduction home office
sql join three tables|sourdough starter not rising|lorem ipsum dolor sit amet
gdpr cookie banner template|usb c to hdmi adapter 4k|how to change a bicycle tyre
dishwasher error code e24""".replace("\n", "|").split("|")

SEED = 99
"""Other nonsense than that of the calibration."""


def letters(chance: random.Random) -> str:
    """Return words of random letters."""
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    lengths = [chance.randint(3, 9) for _ in range(chance.randint(1, 6))]
    return " ".join("".join(chance.choices(alphabet, k=length)) for length in lengths)


def unjudged(text: str) -> tuple[SearchQuery, frozenset[int]]:
    """Return the query for a text that no film is relevant for."""
    return SearchQuery(query=text), frozenset()


def confident(
    search: HybridSearch, query: SearchQuery, relevant: frozenset[int]
) -> tuple[bool, bool]:
    """Return whether a film really matches, and whether a relevant one is among the first 10."""
    answer = search.search(query)
    return bool(answer.confident), bool(relevant & {hit.id for hit in answer.hits})


@click.command(help=__doc__)
@click.argument("queries", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--data", required=True)
def main(queries: tuple[Path, ...], data: str) -> None:
    """Print a table of kinds of queries."""
    chance = random.Random(SEED)
    with closing(open_search(Settings.load(data=data, deadline=60.0))) as search:
        search.match = search.match or calibrate(search)
        for threshold in search.match:
            print(threshold.model_dump_json())
        texts: dict[str, list[tuple[SearchQuery, frozenset[int]]]] = defaultdict(list)
        for file in queries:
            for query in read_judgements(file, None).queries:
                one = SearchQuery.filtered(query.text, query.filters)
                texts[file.stem if query.kind == ALL else query.kind].append((one, query.relevant))
        for lengths in LENGTHS:
            some = nonsense(catalogue_words(search), lengths, 100, chance)
            texts[f"shuffled, up to {lengths[-1]} words"] = [unjudged(text) for text in some]
        texts["random letters"] = [unjudged(letters(chance)) for _ in range(100)]
        texts["other subjects"] = [unjudged(text) for text in OTHER_SUBJECTS]
        print(f"{'':26} queries   really match   of those found in the first 10")
        for kind, judged in texts.items():
            both = [confident(search, query, relevant) for query, relevant in judged]
            found = [sure for sure, is_found in both if is_found]
            of_found = f"{sum(found) / len(found):.3f}" if found else ""
            share = sum(sure for sure, _ in both) / len(both)
            print(f"{kind:26} {len(both):7} {share:14.3f}   {of_found}")


if __name__ == "__main__":
    main()
