"""What a writer does to a small index, in a process that may be killed at any step of it.

The processes are forked from one that has everything imported and has used none of it.
"""

import json
import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from unittest.mock import patch

from hybrid.movie import Movie
from hybrid.storage.generation import open_current
from indexer import merge
from indexer.background_merge import merge_delta
from indexer.update import change, delete, match_source, rollback, upsert
from tests import corpus
from tests.elasticsearch_deployment import Deployment
from tests.faults.injection import counted, kill, never
from tests.stores import build_stores, follow_stores, of_source, tools
from tests.stores_agree import assert_holds

SPAWN = multiprocessing.get_context("forkserver")
SPAWN.set_forkserver_preload(["tests.faults.work"])

FILMS = corpus.films(120)
"""Of 290 sentences: enough for an index that is trained."""

NEW = Movie(id=5000, title="The Lighthouse Machine", description="It dreams. Of the sea.")
RENAMED = FILMS[0].model_copy(update={"title": "Renamed", "description": "Else. Entirely."})

State = dict[int, Movie]


def state(movies: Iterable[Movie]) -> State:
    """Return films by id."""
    return {movie.id: movie for movie in movies}


BUILT = [FILMS[0].model_copy(update={"title": "Old", "description": None}), *FILMS[3:], NEW]
"""What is in the base when the work begins; the delta makes it FILMS."""

BEFORE = state(FILMS)

AFTER: Mapping[str, State] = {
    "build": state([*FILMS[10:], NEW]),
    "update": state([RENAMED, *FILMS[3:], NEW]),
    "upsert": BEFORE | state([NEW, RENAMED]),
    "delete": state(FILMS[2:]),
    "rollback": state(BUILT),
    "merge": BEFORE,
    "replace": state([RENAMED, *FILMS[3:]]),
}
"""What the catalogue holds once each piece of work is done."""


def fresh(built: Path, folder: Path) -> Path:
    """Return a copy of the data folder, in place of the last one."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return Path(shutil.copytree(built, folder / "data"))


def published_state(data: Path) -> State:
    """Return the films that are published, which every store holds."""
    generation = open_current(data)
    follower = follow_stores(data)
    search = follower.live.acquire()
    films = {movie.id: movie for movie in search.catalogue.all_films()}
    follower.close()
    assert_holds(generation, films.values())
    return films


def do(work: str, data: Path, url: str | None = None) -> None:
    """Do a piece of work, the keyword side in the Elasticsearch at `url` if there is one."""
    writing = Deployment.at(url, data).tools if url else tools()
    if work == "build" and url:
        Deployment.at(url, data).build(AFTER["build"].values())
    elif work == "build":
        build_stores(data, AFTER["build"].values())
    elif work == "update":
        films = list(AFTER["update"].values())
        change(data, match_source(of_source(films), False, False, "discard"), writing)
    elif work == "replace":
        # So many changes that the base is written anew at once.
        with patch.multiple(merge, LEAST=0, SHARE=0.0):
            films = list(AFTER["replace"].values())
            change(data, match_source(of_source(films), False, False, "discard"), writing)
    elif work == "merge":
        assert merge_delta(data, writing, always=True)
    elif work == "upsert":
        change(data, upsert([NEW, RENAMED]), writing)
    elif work == "delete":
        change(data, delete([FILMS[0].id, FILMS[1].id]), writing)
    else:
        rollback(data, writing)


def counting(work: str, data: Path, url: str | None) -> list[str]:
    """Do a piece of work in a process of its own; return the kinds of its steps."""
    report = data.with_name("kinds.json")
    _run(_count, work, data, url, report)
    kinds: list[str] = json.loads(report.read_text())
    return kinds


def killed(work: str, data: Path, url: str | None, step: int) -> bool:
    """Do a piece of work in a process that is killed before a step, or after the last one once the
    work was acknowledged; return whether it was."""
    report = data.with_name("acknowledged")
    report.unlink(missing_ok=True)
    code = _run(_die, work, data, url, report, step)
    assert code == -9, f"the process ended with {code}"
    return report.exists()


def _run(target: Callable[..., None], *arguments: object) -> int | None:
    process = SPAWN.Process(target=target, args=arguments)
    process.start()
    process.join(60)
    code = process.exitcode
    process.kill()  # nothing happens to one that has ended; else the test run would not end
    assert code is not None, "the process hangs"
    return code


def _count(work: str, data: Path, url: str | None, report: Path) -> None:
    with counted(data, never) as steps:
        do(work, data, url)
    report.write_text(json.dumps(steps.kinds))


def _die(work: str, data: Path, url: str | None, report: Path, step: int) -> None:
    with counted(data, kill(step)):
        do(work, data, url)
    report.touch()
    os.kill(os.getpid(), 9)
