"""What the two command lines share: errors in one line, and options for settings."""

from collections.abc import Callable
from typing import Any, TypeVar

import click
from pydantic import ValidationError

from hybrid.errors import HybridError
from hybrid.settings import Settings
from hybrid.validation import one_line, problems


class Commands(click.Group):
    """A group whose commands report an error in one line, without a stack trace."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except HybridError as error:
            raise click.ClickException(error.message) from error
        except ValidationError as error:
            raise click.ClickException(one_line(problems(error))) from error
        except OSError as error:
            file = error.filename2 or error.filename  # filename2 is the one being written
            where = f": {file}" if file else ""
            raise click.ClickException(f"{error.strerror or error}{where}") from error


Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def setting(field: str) -> Callable[[Decorated], Decorated]:
    """Return the option of a setting. Help, default and variable come from `Settings`."""
    described = Settings.model_fields[field]
    return click.option(
        f"--{field.replace('_', '-')}",
        metavar=field.rpartition("_")[-1].upper(),
        help=f"{described.description}  [default: {described.default}; HYBRID_{field.upper()}]",
    )
