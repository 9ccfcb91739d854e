"""A writer killed at any step: what is published is whole, and what was acknowledged is there.

FAULTS_KILLS is the number of kills, FAULTS_SEED the seed that draws them.
"""

import os
import random
import sys
from collections import Counter
from pathlib import Path

from indexer.generations.cleanup import MERGE
from indexer.update import change, upsert
from indexer.verify import verify
from tests.elasticsearch_deployment import Deployment
from tests.faults.work import (
    AFTER,
    BEFORE,
    FILMS,
    State,
    counting,
    fresh,
    killed,
    published_state,
    state,
)
from tests.readers import reading
from tests.stores import follow_stores, put, tools

KILLS = int(os.environ.get("FAULTS_KILLS", "40"))
SEED = int(os.environ["FAULTS_SEED"])

ACKNOWLEDGED = "acknowledged"
"""The kind of the step after all others: the work was acknowledged."""

Step = tuple[str, int, str]
"""A piece of work, the number of a step of it, and its kind."""


def drawn(steps: list[Step], kills: int) -> list[Step]:
    """Return one step of every kind of every work, and others uniformly up to so many."""
    choose = random.Random(SEED)
    shuffled = choose.sample(steps, len(steps))
    first = list({(work, kind): (work, n, kind) for work, n, kind in shuffled}.values())
    return first + choose.sample(steps, min(max(kills - len(first), 0), len(steps)))


def test_killed_at_any_step(built: Path, tmp_path: Path) -> None:
    """Old state or new, ids equal in all stores, `verify` clean, acknowledged changes present, a
    service that answers throughout, and a next change that works and leaves no litter."""
    steps: list[Step] = []
    for work in AFTER:
        kinds = counting(work, fresh(built, tmp_path / "count"), None)
        steps += [(work, n, kind) for n, kind in enumerate([*kinds, ACKNOWLEDGED], start=1)]
    chosen = drawn(steps, KILLS)
    outcomes: Counter[str] = Counter()
    for work, step, kind in chosen:
        case = f"{work} killed at step {step} ({kind}), seed {SEED}"
        data = fresh(built, tmp_path / "work")
        follower = follow_stores(data)
        with reading(follower.live, 1) as problems:
            acknowledged = killed(work, data, None, step)
            follower.refresh()
        assert problems == [], case
        found = published_state(data)
        assert acknowledged == (kind == ACKNOWLEDGED), case
        assert found in ((AFTER[work],) if acknowledged else (BEFORE, AFTER[work])), case
        assert verify(data, tools()).clean, case
        put(data, FILMS[50].model_copy(update={"title": "The next change"}))
        follower.refresh()
        assert follower.live.publication_problem is None, case
        follower.close()
        assert len(list((data / "generations").iterdir())) == 2, case
        assert not (data / MERGE).exists(), case
        outcomes["new" if found == AFTER[work] else "old"] += 1
    hit = Counter(kind for _, _, kind in chosen)
    print(f"seed {SEED}: {len(chosen)} kills of {len(steps)} steps, {dict(hit)}, {dict(outcomes)}")
    assert set(hit) >= {
        *("write", "sync", "rename", "replace", "link", "remove", "commit", "catalogue"),
        ACKNOWLEDGED,
    }
    assert outcomes["old"]
    assert outcomes["new"]


def test_killed_with_elasticsearch(deployment: Deployment, elasticsearch_url: str) -> None:
    """Likewise where the keyword side is shared by all generations: after a kill at any step, every
    second one around a bulk request, the next change makes index and catalogue agree, and no index
    is left over."""
    choose = random.Random(SEED)
    kinds = {}
    for work in ("update", "build"):
        kinds[work] = counting(work, deployment.data, elasticsearch_url)
        assert "bulk" in kinds[work]
        next_change(deployment, work)
    for number in range(max(4, KILLS // 10)):
        work = choose.choice(("update", "build"))
        steps = [n for n, kind in enumerate(kinds[work], 1) if number % 2 or kind == "bulk"]
        # The works begin where others left the index: they may have more steps or fewer than when
        # these were counted. So the first is killed at none of them, and another may be done.
        step = sys.maxsize if number == 0 else choose.choice(steps)
        acknowledged = killed(work, deployment.data, elasticsearch_url, step)
        case = f"{work} killed at step {step}, seed {SEED}"
        assert acknowledged or number > 0, case
        if acknowledged:
            assert deployment.agrees(), case
            assert films(deployment) == AFTER[work], case
        next_change(deployment, f"{number}")
        assert deployment.agrees(), case
        assert verify(deployment.data, deployment.tools).clean, case
        held = deployment.client.indices.get(index=f"{deployment.prefix}-*")
        assert len(held) <= 2, case


def films(deployment: Deployment) -> State:
    """Return the films that are published."""
    search = deployment.search()
    found = state(search.catalogue.all_films())
    search.close()
    return found


def next_change(deployment: Deployment, name: str) -> None:
    """Change a film that no other work changes."""
    renamed = FILMS[50].model_copy(update={"title": f"The next change {name}"})
    change(deployment.data, upsert([renamed]), deployment.tools)
