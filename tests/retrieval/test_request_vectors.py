"""Long requests: sixty that people might write, and how they become vectors."""

from pathlib import Path

import numpy as np

from hybrid.evaluation.formats import read_judgements
from hybrid.retrieval.request_vectors import LONG_REQUEST, request_vectors
from tests.fakes import HashingEncoder

REQUESTS = Path(__file__).parents[1] / "evaluation" / "long-requests.jsonl"

FIRST = "I saw it as a kid on television late at night and it scared me and my sister a lot."
SECOND = "There was a lighthouse, a machine that dreams of whales, and a captain without a boat."


def test_sentences_of_a_long_request_count() -> None:
    """Its vector is between that of the whole and the mean of those of its sentences; a short one,
    or one of a single sentence, has the vector of the model, to the bit."""
    encoder = HashingEncoder()
    whole, first, second = encoder.encode([f"{FIRST} {SECOND}", FIRST, SECOND])
    long = f"{FIRST} {SECOND}"
    one_sentence = "a lighthouse and a whale " * 10
    assert len(long.split()) >= LONG_REQUEST
    found = request_vectors(encoder, [SECOND, long, one_sentence])
    expected = whole + (first + second) / 2
    assert found.dtype == np.float32
    assert np.allclose(found[1], expected / np.linalg.norm(expected), atol=1e-6)
    assert np.array_equal(found[[0, 2]], encoder.encode([SECOND, one_sentence]))
    assert np.array_equal(request_vectors(encoder, [SECOND]), encoder.encode([SECOND]))


def test_shared_sentences_are_encoded_once() -> None:
    """Requests that differ by a word in one sentence share the other."""
    encoder = HashingEncoder()
    without = SECOND.replace("lighthouse, ", "")
    request_vectors(encoder, [f"{FIRST} {SECOND}", f"{FIRST} {without}"])
    assert sorted(encoder.encoded) == sorted(
        [f"{FIRST} {SECOND}", f"{FIRST} {without}", FIRST, SECOND, without]
    )


def test_the_requests_are_long_and_name_nothing() -> None:
    """Sixty of 60 to 200 words, each about one film, none of which says its title."""
    judged = read_judgements(REQUESTS)
    assert (len(judged.queries), judged.notes) == (60, ())
    for query in judged.queries:
        assert 60 <= len(query.text.split()) <= 200
        assert len(query.text) <= 1000
        assert len(query.relevant) == 1
