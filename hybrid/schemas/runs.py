"""Runs: rankings that have a name, so that they can be measured and compared."""

import re
from collections.abc import Iterable, Sequence, Sized
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from hybrid.errors import InvalidInput
from hybrid.query import AlphaOrAuto, Fusion, FusionMethod, Mode
from hybrid.validation import one_line, problems

DEFAULT_RUNS = ("keyword", "semantic", "hybrid")

FEWEST, MOST = 2, 8
"""Runs that are compared on one query."""


def _name(text: str) -> str:
    if not re.fullmatch(r"\w[\w.,+-]{0,39}", text):
        raise ValueError("is to be of letters, digits and _ . , + - without blanks, at most 40")
    return text


Several = TypeVar("Several", bound=Sized)

RunName = Annotated[str, AfterValidator(_name)]


class Run(BaseModel):
    """A ranking with a name, which is its file's and its tag in TREC files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: RunName
    mode: Mode
    fusion: Fusion = Fusion()

    @classmethod
    def parse(cls, text: str) -> "Run":
        """Return the run of NAME:MODE,FUSION,ALPHA or NAME=MODE,FUSION,ALPHA.

        Without a name it is called what it is. Raises InvalidInput.
        """
        # No name holds : or =, and an address would have = escaped.
        name, given, spec = text.replace(":", "=").rpartition("=")
        mode, *fusion = [part.strip() for part in spec.split(",")]
        if len(fusion) > 2 or (fusion and mode != "hybrid"):
            raise _wrong(
                f"run '{text}': expected keyword, semantic or hybrid, and after hybrid a fusion "
                "and an alpha if need be, as in mine=hybrid,rrf,0.4"
            )
        values: dict[str, Any] = dict(zip(("method", "alpha"), fusion, strict=False))
        try:
            called = name.strip() if given else ",".join([mode, *fusion])
            return cls.model_validate({"name": called, "mode": mode, "fusion": values})
        except ValidationError as error:
            raise _wrong(f"run '{text}': {one_line(problems(error))}") from None


class RunFields(BaseModel):
    """A run as a JSON body asks for it, under its name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Mode = Field("hybrid", description="which engines rank")
    fusion: FusionMethod | None = Field(None, description="of a hybrid run")
    alpha: AlphaOrAuto | None = Field(None, description="of a hybrid run, 0 to 1, or auto")

    def as_run(self, name: str) -> Run:
        """Return the run of this name, whose fusion says no more than was asked."""
        return Run(name=name, mode=self.mode, fusion=Fusion.of(self.fusion, self.alpha))


def _enough(runs: Several) -> Several:
    if not FEWEST <= len(runs) <= MOST:
        raise ValueError(f"are {len(runs)}: compare {FEWEST} to {MOST}")
    return runs


NamedRuns = Annotated[dict[RunName, RunFields], AfterValidator(_enough)]

TypedRuns = Annotated[tuple[str, ...], AfterValidator(_enough)]


def parse_runs(texts: Iterable[str], baseline: str | None = None) -> Sequence[Run]:
    """Return the runs, or the default ones where none is given. Raises InvalidInput."""
    runs = [Run.parse(text) for text in texts or DEFAULT_RUNS]
    names = [run.name for run in runs]
    for name in names:
        if names.count(name) > 1:
            raise _wrong(f"two runs are called '{name}': name one, as in other={name}")
    if baseline is not None and baseline not in names:
        raise InvalidInput(f"baseline '{baseline}' is no run: choose from {', '.join(names)}")
    return runs


def _wrong(message: str) -> InvalidInput:
    return InvalidInput(message, {"run": message})
