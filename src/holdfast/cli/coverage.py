"""`holdfast coverage`: which countermeasures of NIST SP 800-190 this version serves, and which it does not."""

import sys

import click

from holdfast.cli.environment import colour, width
from holdfast.compliance.coverage import coverage
from holdfast.compliance.every import every_rule
from holdfast.compliance.text import as_json, as_text


@click.command(name="coverage")
@click.option("-f", "--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True)
def command(form: str) -> None:
    """Show all 23 countermeasures of NIST SP 800-190, with what checks each, or that nothing does yet."""
    items = coverage(*every_rule())
    if form == "json":
        click.echo(as_json(items).decode(), nl=False)
    else:
        click.echo(as_text(items, width=width(), colour=colour(sys.stdout)), nl=False, color=True)
