"""How an error is told to a person, and the exit code it becomes."""

import click

from holdfast.model.errors import HoldfastError, PolicyError
from holdfast.report.text import printable

COULD_NOT_RUN, USAGE, INCOMPLETE, FOUND, CLEAN = 4, 2, 3, 1, 0


def say(error: Exception) -> int:
    """Print what was wrong on standard error and return the exit code. What is not one of ours is raised again."""
    if isinstance(error, HoldfastError):
        where = f"{printable(error.where)}: " if error.where else ""
        click.echo(f"holdfast: {where}{printable(error.what)}", err=True)
        if error.remedy:
            click.echo(f"  → {printable(error.remedy)}", err=True)
        return USAGE if isinstance(error, PolicyError) else COULD_NOT_RUN
    if isinstance(error, OSError):
        where = f"{printable(str(error.filename))}: " if error.filename else ""
        click.echo(f"holdfast: {where}{error.strerror or error}", err=True)
        return COULD_NOT_RUN
    raise error
