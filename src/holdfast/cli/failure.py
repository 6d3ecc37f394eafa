"""How an error is told to a person, and the exit code it becomes."""

import os

import click

from holdfast.model.errors import HoldfastError, PolicyError
from holdfast.report.text import printable

COULD_NOT_RUN, USAGE, INCOMPLETE, FOUND, CLEAN = 4, 2, 3, 1, 0


def say(error: Exception) -> int:
    """Print what was wrong on standard error and return the exit code.

    What is not one of ours is a fault in this program: said as such, and shown whole with HOLDFAST_TRACEBACK set.
    """
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
    if os.environ.get("HOLDFAST_TRACEBACK"):
        raise error
    click.echo(f"holdfast: a fault in Holdfast itself: {type(error).__name__}: {printable(str(error))[:300]}", err=True)
    click.echo("  → please report it, with what HOLDFAST_TRACEBACK=1 shows", err=True)
    return COULD_NOT_RUN
