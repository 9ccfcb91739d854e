"""The preferences of a data folder: defaults for fusion, written by `tune` and read by searches."""

import tomllib
from pathlib import Path
from typing import Annotated, Self

import tomlkit
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hybrid.errors import InvalidInput
from hybrid.query import AlphaOrAuto, Fusion, FusionMethod
from hybrid.storage.durable import replace
from hybrid.validation import one_line, problems

FILE = "ranking.toml"
"""Name of the file in the data folder. A new build does not change it."""


class Preferences(BaseModel):
    """The defaults of a ranking. docs/ranking.md gives the measured gain of each."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fusion: FusionMethod = Field("attainable", description="how the two rankings become one")
    alpha: AlphaOrAuto = Field("auto", description="semantic share, 0 to 1, or auto")
    text_weight: Annotated[float, Field(ge=0, le=1)] = Field(
        0.85, description="weight of a film's text where its title weighs 1"
    )

    prior: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.0, description="share of the score that comes from how well known a film is"
    )

    @property
    def default(self) -> Fusion:
        """The fusion of a query that names none."""
        return Fusion(method=self.fusion, alpha=self.alpha)

    @classmethod
    def load(cls, data: Path) -> Self:
        """Return the preferences in the data folder's file, the built-in ones if there is none.

        Raises InvalidInput, which names the file and the line or field.
        """
        file = data / FILE
        try:
            if file.exists() and not file.is_file():  # to read a pipe may take for ever
                raise InvalidInput(f"{file} is not a regular file", {FILE: "is not a regular file"})
            return cls.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return cls()
        except ValidationError as error:
            by_field = problems(error)
            raise InvalidInput(f"{file}: {one_line(by_field)}", by_field) from None
        except OSError as error:
            problem = f"cannot be read: {error.strerror}"
            raise InvalidInput(f"{file} {problem}", {FILE: problem}) from error
        except (ValueError, RecursionError) as error:  # not TOML, not UTF-8, or beyond Python
            raise InvalidInput(f"{file} is not a TOML file: {error}", {FILE: str(error)}) from None

    def save(self, data: Path) -> Path:
        """Write the preferences to the data folder's file and return its path. Raises OSError."""
        file = data / FILE
        replace(file, tomlkit.dumps(self.model_dump()))
        return file
