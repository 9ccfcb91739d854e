"""The words of a query that are told without Elasticsearch are those that it tells."""

from collections.abc import Iterator

import pytest
from elasticsearch import Elasticsearch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hybrid.engines.lexical.elasticsearch import connect
from hybrid.engines.lexical.elasticsearch_writer import ElasticsearchWriter
from hybrid.engines.lexical.query_words import is_plain, query_words
from tests import corpus
from tests.command import PREFIX


@pytest.fixture(scope="module")
def analyzer(elasticsearch_url: str) -> Iterator[tuple[Elasticsearch, str]]:
    """Give a client, and an index with the analyzer of films."""
    client = connect(elasticsearch_url, None, 10)
    writer = ElasticsearchWriter(client, PREFIX, "1-words", "words", 1)
    writer.prepare(None)
    yield client, writer.name
    writer.discard()
    client.close()


PIECES = [
    "The",
    "it's",
    "film",
    "noir",
    "O'Neil",
    "1984",
    "é",
    "Ж",
    "七",
    "ไทย",
    "\u0301",
    "\u200d",
]

TEXTS = st.lists(
    st.sampled_from(PIECES) | st.sampled_from(list(" '.,:;_-\"#*@/&\x00\t")) | st.text(max_size=3),
    max_size=12,
).map("".join)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
@example(
    "U.S.A. 3.5 12:30 c_b __ _b b_ b,c 1,2 x;y rock'n'roll 1'2 b'1 1'b b''c 'tis dogs' b.c b:c"
)
@example("film-noir amélie's \U0001f3ac 1\ufe0f\u20e3 #1 *2 soft\u00adhyphen z\u200dwj a\u0301b")
@example("a" * 255 + " " + "b" * 256 + " " + "c" * 600)
def test_words_are_analysed_alone_as_in_the_text(
    analyzer: tuple[Elasticsearch, str], text: str
) -> None:
    """The terms of the words are the terms of the text in their order, of a plain word one."""
    client, index = analyzer

    def terms(part: str) -> list[str]:
        answer = client.indices.analyze(index=index, analyzer="film", text=part)
        return [token["token"] for token in answer["tokens"]]

    by_word = [(word, terms(word)) for word in query_words(text)]
    assert [term for _, found in by_word for term in found] == terms(text)
    assert all(len(found) == 1 for word, found in by_word if is_plain(word))


def test_english_needs_no_analysis() -> None:
    """Words of letters, digits and apostrophes are plain, whatever stands around them."""
    assert query_words("The (Heist's) crew, AND 1984!") == ["heist's", "crew", "1984"]
    for word in (word for word in corpus.WORDS if word.isascii()):
        assert all(map(is_plain, query_words(f'"{word}", or-{word}?')))
