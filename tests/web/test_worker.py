"""A process that serves, apart from what it answers."""

import gc
import socket
from collections.abc import Callable
from contextlib import nullcontext
from unittest.mock import Mock

import pytest

from hybrid.serving.workers import Worker
from hybrid.settings import Settings
from hybrid.web import worker


@pytest.mark.parametrize(
    "serve",
    [
        lambda settings, listener: worker.serve_alone(settings, listener, {}, Mock()),
        lambda settings, listener: worker.serve_among_others(settings, listener, Worker(), Mock()),
    ],
    ids=["alone", "among others"],
)
def test_modules_are_not_visited_again(
    serve: Callable[[Settings, socket.socket], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was loaded before the index is opened takes no part in garbage collection; what comes
    later, as every generation does, does."""
    frozen: list[int] = []

    def opened(*_: object) -> nullcontext[Mock]:
        frozen.append(gc.get_freeze_count())
        return nullcontext(Mock())

    monkeypatch.setattr(worker, "application", opened)
    monkeypatch.setattr(worker, "_run", lambda *_: frozen.append(gc.get_freeze_count()))
    try:
        with socket.socket() as listener:
            serve(Settings(), listener)
    finally:
        gc.unfreeze()
    before, after = frozen
    assert before > 50_000
    assert after <= before  # what nobody refers to any longer goes all the same
