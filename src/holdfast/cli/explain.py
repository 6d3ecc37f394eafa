"""`holdfast explain`: what a rule or an advisory means, why it matters and what to do about it."""

import sys

import click

from holdfast.cli.environment import colour, settings, width
from holdfast.compliance.explain import explain
from holdfast.model.errors import NotFound
from holdfast.report.text import one_line, wrap
from holdfast.scan.rules import RULES


@click.command(name="explain")
@click.argument("rule")
def command(rule: str) -> None:
    """Explain RULE: the id of a finding, such as image.diff-id-mismatch or CVE-2021-44228."""
    found = explain(rule, RULES)
    facts = _advisory(rule)
    if found is None and not facts:
        raise NotFound(
            "no rule and no advisory has this id", where=rule, remedy="the ids are those of a report's findings"
        )
    heading = click.style(one_line(rule), bold=True) if colour(sys.stdout) else one_line(rule)
    click.echo(heading)
    for line in facts:
        _paragraph(line)
    if found is not None:
        _paragraph(found.title)
        _paragraph(f"Why: {found.why}")
        _paragraph(f"Fix: {found.fix}")
        if found.controls:
            _paragraph(f"Controls: {', '.join(found.controls)}")
        if found.techniques:
            _paragraph(f"ATT&CK: {', '.join(found.techniques)}")
        for reference in found.references:
            click.echo(f"  {reference}")


def _paragraph(text: str) -> None:
    for line in wrap(one_line(text), width() - 2):
        click.echo(f"  {line}")
