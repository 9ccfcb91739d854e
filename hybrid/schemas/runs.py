"""Runs: named rankings, to be measured and compared."""

import re
from collections.abc import Iterable, Sequence, Sized
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from hybrid.errors import InvalidInput
from hybrid.query import AlphaOrAuto, Fusion, FusionMethod, Mode, Understand
from hybrid.validation import one_line, problems

DEFAULT_RUNS = ("keyword", "semantic", "hybrid")

MIN_RUNS, MAX_RUNS = 2, 8
"""Bounds of the number of runs in a comparison."""


def _name(text: str) -> str:
    if not re.fullmatch(r"\w[\w.,+-]{0,39}", text):
        raise ValueError("must consist of at most 40 letters, digits and _ . , + -, without blanks")
    return text


Several = TypeVar("Several", bound=Sized)

RunName = Annotated[str, AfterValidator(_name)]


class Run(BaseModel):
    """A ranking with a name, by which TREC run files are named and tagged.

    `understand` counts in evaluations; runs of a comparison have that of its query.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: RunName
    mode: Mode
    fusion: Fusion = Fusion()
    understand: Understand = "prefer"

    @classmethod
    def parse(cls, text: str) -> "Run":
        """Return the run of NAME:MODE,FUSION,ALPHA,UNDERSTAND, or of NAME=MODE and so on.

        Without a name, the rest is its name. Raises InvalidInput.
        """
        # Names have neither : nor =. A URL may have : instead of =, which would be escaped.
        name, separator, spec = text.replace(":", "=").rpartition("=")
        mode, *fusion = [part.strip() for part in spec.split(",")]
        if len(fusion) > 3 or (fusion and mode != "hybrid"):
            raise _wrong(
                f"run '{text}': expected keyword, semantic or hybrid, the latter optionally "
                "with a fusion and an alpha, as in mine=hybrid,rrf,0.4"
            )
        values: dict[str, Any] = {
            "name": name.strip() if separator else ",".join([mode, *fusion]),
            "mode": mode,
            "fusion": dict(zip(("method", "alpha"), fusion, strict=False)),
        }
        try:
            return cls.model_validate(values | dict(zip(["understand"], fusion[2:], strict=False)))
        except ValidationError as error:
            raise _wrong(f"run '{text}': {one_line(problems(error))}") from None


class RunFields(BaseModel):
    """A run in a JSON body, where its name is the key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Mode = Field("hybrid", description="which engines rank")
    fusion: FusionMethod | None = Field(None, description="of a hybrid run")
    alpha: AlphaOrAuto | None = Field(None, description="of a hybrid run, 0 to 1, or auto")

    def as_run(self, name: str) -> Run:
        """Return the run of this name, in whose fusion only the given fields are set."""
        return Run(name=name, mode=self.mode, fusion=Fusion.of(self.fusion, self.alpha))


def _enough(runs: Several) -> Several:
    if not MIN_RUNS <= len(runs) <= MAX_RUNS:
        raise ValueError(f"are {len(runs)}: compare {MIN_RUNS} to {MAX_RUNS}")
    return runs


NamedRuns = Annotated[
    dict[RunName, RunFields],
    AfterValidator(_enough),
    Field(json_schema_extra={"minProperties": MIN_RUNS, "maxProperties": MAX_RUNS}),
]

TypedRuns = Annotated[
    tuple[str, ...],
    AfterValidator(_enough),
    Field(json_schema_extra={"minItems": MIN_RUNS, "maxItems": MAX_RUNS}),
]


def parse_runs(texts: Iterable[str], baseline: str | None = None) -> Sequence[Run]:
    """Return the runs, or the default ones where `texts` is empty. Raises InvalidInput."""
    runs = [Run.parse(text) for text in texts or DEFAULT_RUNS]
    names = [run.name for run in runs]
    for name in names:
        if names.count(name) > 1:
            raise _wrong(f"two runs are named '{name}': name one, as in other={name}")
    if baseline is not None and baseline not in names:
        raise InvalidInput(f"baseline '{baseline}' is not a run: choose from {', '.join(names)}")
    return runs


def _wrong(message: str) -> InvalidInput:
    return InvalidInput(message, {"run": message})
