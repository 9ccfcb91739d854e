"""The app factory. It opens no files: the caller passes the search."""

from importlib.metadata import version
from typing import Any

from apiflask import APIFlask
from flask import Request
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import BadRequest

from hybrid.access.access import Access
from hybrid.errors import InvalidInput
from hybrid.search import HybridSearch
from hybrid.serving.live_search import LiveSearch
from hybrid.serving.writes import Writes
from hybrid.web import caching, compression, errors, openapi, request_access, request_log
from hybrid.web import security_headers as headers
from hybrid.web.api.health import health
from hybrid.web.api.movies import films
from hybrid.web.api.search import api
from hybrid.web.pages.views import pages
from hybrid.web.request_log import LogOptions
from hybrid.web.request_search import release

DEFAULT_LOG = LogOptions()

MAX_BODY = 64 * 1024
"""Maximum size of a request body in bytes, with a Content-Length or in chunks."""


class _Parameters(ImmutableMultiDict[str, Any]):
    """URL parameters, of which repeated ones are lists: the framework keeps only the first."""

    def to_dict(self, *_: Any, **__: Any) -> dict[str, Any]:
        lists = super().to_dict(flat=False)
        return {name: values if len(values) > 1 else values[0] for name, values in lists.items()}


class _Request(Request):
    parameter_storage_class = _Parameters

    def on_json_loading_failed(self, error: ValueError | None) -> Any:
        """Raise InvalidInput where Python cannot read a number of whole JSON, BadRequest else."""
        if type(error) is ValueError:  # JSONDecodeError and UnicodeDecodeError are kinds of it
            problem = "has a number of more than 4,300 digits"
            raise InvalidInput(f"the body {problem}", {"body": problem})
        return super().on_json_loading_failed(error)

    def get_json(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().get_json(*args, **kwargs)
        except RecursionError:  # nested too deeply for Python's stack
            raise BadRequest from None


def create_app(
    search: HybridSearch | LiveSearch,
    poster_host: str | None = None,
    writes: Writes | None = None,
    access: Access | None = None,
    log: LogOptions = DEFAULT_LOG,
) -> APIFlask:
    """Return the service over one search, or over one that can be replaced.

    Pages show posters from `poster_host` only. Without `writes` the service changes no film.
    Without `access` it answers this machine, where reading needs no key and no key exists.
    """
    app = APIFlask(
        __name__,
        title="Hybrid film search",
        version=version("hybrid-film-search"),
        spec_path="/openapi.json",
        docs_path=None,
    )
    app.request_class = _Request
    app.url_map.merge_slashes = False  # otherwise // redirects to the Host header
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.config["POSTER_HOST"] = poster_host
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    request_log.register(app, log)  # first, so that its response handler runs last
    compression.register(app)
    caching.register(app)
    errors.register(app)
    openapi.register(app)
    headers.register(app, poster_host)
    request_access.register(app, access or Access())
    app.register_blueprint(api)
    app.register_blueprint(films)
    app.register_blueprint(health)
    app.register_blueprint(pages)
    app.extensions["live"] = search if isinstance(search, LiveSearch) else LiveSearch(search)
    app.extensions["writes"] = writes
    app.teardown_appcontext(release)
    return app
