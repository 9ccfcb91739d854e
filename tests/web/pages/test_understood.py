"""The chips of the search page: how a query was read, and links that remove a part of it."""

from urllib.parse import parse_qs, urlsplit

from werkzeug.datastructures import MultiDict

from hybrid.query_language.language import field_parts
from hybrid.retrieval.query_parser import parse_query
from hybrid.retrieval.understood import understood
from hybrid.web.pages.form import PageForm
from tests import corpus
from tests.web.http import Service

MOVIES = corpus.films(200)


def test_a_part_is_removed_from_the_url() -> None:
    """A part of the text, or one value of a field, is left out; all else stays but the page's
    length."""
    excluded = [("exclude", "sea"), ("exclude", "genre:horror")]
    others = [("title", "alien"), ("genre", "Drama"), ("limit", "40")]
    form = PageForm.of(MultiDict([("q", "river -mirror"), *excluded, *others]))
    query = form.query()
    parts = understood(parse_query(query.text, field_parts(query))).parts
    rest = {"genre": ["Drama"]}
    of_title, of_exclude = {"title": ["alien"]}, {"exclude": ["sea", "genre:horror"]}
    text = {"q": ["river -mirror"]}
    assert [form.without_part(part) for part in parts] == [
        rest | of_title | of_exclude | {"q": "river"},
        rest | text | of_exclude | {"title": []},
        rest | text | of_title | {"exclude": ["genre:horror"]},
        rest | text | of_title | {"exclude": ["sea"]},
    ]


def test_chips_tell_how_the_query_was_read(site: Service) -> None:
    """Each part has a chip, whose link is the same search without it."""
    status, text, _ = site.page("/", q='captain -"mirror river" title:winter', mode="keyword")
    assert status == 200
    assert "without films with <b>mirror river</b>" in text
    assert "only titles with <b>winter</b>" in text
    start = text.index('href="', text.index('class="part excluded"')) + len('href="')
    link = urlsplit(text[start : text.index('"', start)].replace("&amp;", "&"))
    assert parse_qs(link.query) == {"q": ["captain title:winter"], "mode": ["keyword"]}
    assert 'class="understood"' not in site.page("/", q="captain")[1]
