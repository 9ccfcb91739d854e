"""Changes that another process publishes: what it answers, and what if it ends."""

import socket
from collections.abc import Mapping
from pathlib import Path
from threading import Event, Thread

import pytest

from hybrid.errors import InvalidInput, NotDurable, PreconditionFailed
from hybrid.schemas.changes import ChangeResponse
from hybrid.serving.remote_writes import RemoteWrites, listen, serve_writes
from hybrid.serving.writes import NO_TERMS, Condition, Terms

ANSWER = ChangeResponse(id=7, change="added", generation="2-x", etag=None)

TERMS = Terms(Condition(frozenset({"a"})), "key")


class Recorder:
    """Notes what it is asked for, and answers or fails as it is told."""

    def __init__(self) -> None:
        self.asked: list[object] = []
        self.error: Exception | None = None

    def put(
        self, film: int, values: Mapping[str, object], terms: Terms = NO_TERMS
    ) -> ChangeResponse:
        """Note a film that is put."""
        return self._note("put", film, values, terms)

    def delete(self, film: int, terms: Terms = NO_TERMS) -> ChangeResponse:
        """Note a film that is deleted."""
        return self._note("delete", film, terms)

    def close(self) -> None:
        """Do nothing."""

    def _note(self, *asked: object) -> ChangeResponse:
        self.asked.append(asked)
        if self.error:
            raise self.error
        return ANSWER


@pytest.fixture
def recorder() -> Recorder:
    """Give what makes the changes."""
    return Recorder()


@pytest.fixture
def writes(recorder: Recorder, tmp_path: Path) -> RemoteWrites:
    """Give what sends it changes."""
    listener = listen(tmp_path / "changes")
    Thread(target=serve_writes, args=(recorder, listener), daemon=True).start()
    return RemoteWrites(tmp_path / "changes")


def test_a_change_is_passed_on_whole(writes: RemoteWrites, recorder: Recorder) -> None:
    """With its values and terms; the answer comes back."""
    assert writes.put(7, {"title": "The Lighthouse Machine"}, TERMS) == ANSWER
    assert writes.delete(7) == ANSWER
    assert recorder.asked == [
        ("put", 7, {"title": "The Lighthouse Machine"}, TERMS),
        ("delete", 7, NO_TERMS),
    ]


def test_an_error_is_raised_as_it_was(writes: RemoteWrites, recorder: Recorder) -> None:
    """Of the same class, with the same message and fields; any other one says where to look."""
    recorder.error = InvalidInput("title: is empty", {"title": "is empty"})
    with pytest.raises(InvalidInput, match=r"^title: is empty$") as raised:
        writes.put(7, {})
    assert raised.value.fields == {"title": "is empty"}
    recorder.error = PreconditionFailed("film 7 has changed")
    with pytest.raises(PreconditionFailed, match="film 7 has changed"):
        writes.delete(7)
    recorder.error = ZeroDivisionError("x")
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        writes.delete(7)


def test_a_change_is_not_acknowledged_by_a_process_that_ends(tmp_path: Path) -> None:
    """It may be published or not, which the error says; without a process nothing is sent."""
    listener = listen(tmp_path / "changes")
    taken = Event()

    def take() -> None:
        connection, _ = listener.accept()
        connection.recv(1)
        connection.close()
        taken.set()

    Thread(target=take, daemon=True).start()
    with pytest.raises(NotDurable, match="may be published or not"):
        RemoteWrites(tmp_path / "changes").delete(7)
    assert taken.wait(60)
    listener.close()


def test_changes_wait_for_a_process_that_starts_again(tmp_path: Path, recorder: Recorder) -> None:
    """They are sent as soon as there is a socket, whoever accepts them later."""
    listener = listen(tmp_path / "changes")
    answers: list[ChangeResponse] = []
    writes = RemoteWrites(tmp_path / "changes")
    change = Thread(target=lambda: answers.append(writes.delete(7)))
    change.start()
    heir = socket.fromfd(listener.fileno(), listener.family, listener.type)
    listener.close()
    Thread(target=serve_writes, args=(recorder, heir), daemon=True).start()
    change.join(60)
    assert answers == [ANSWER]
