"""`holdfast explain`: what a rule or an advisory means, why it matters and what to do about it."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack

import click

from holdfast.advisory import rules, starter
from holdfast.advisory.database import Database
from holdfast.advisory.places import archive_path, database_path
from holdfast.cli.environment import colour, settings, width
from holdfast.compliance.every import every_rule
from holdfast.compliance.explain import explain
from holdfast.model.advisory import Advisory, Affected
from holdfast.model.errors import NotFound, StoreError
from holdfast.report.text import counted, one_line, printable, wrap

_MOST = 12


@click.command(name="explain")
@click.argument("rule")
def command(rule: str) -> None:
    """Explain RULE: the id of a finding, such as image.diff-id-mismatch or CVE-2021-44228."""
    known = every_rule()
    found = explain(rule, known)
    facts = list(_facts(rule))
    if found is None and not facts:
        raise NotFound("no rule and no advisory has this id", where=rule, remedy="ids are those of a report's findings")
    click.echo(click.style(printable(rule), bold=colour(sys.stdout)))
    for line in facts:
        _paragraph(line)
    if found is None:
        return
    if not facts and rule not in {one.id for one in known}:
        _paragraph("The advisory data at hand does not name it. `holdfast db update` fetches more.")
    _paragraph(found.title)
    _paragraph(f"Why: {found.why}")
    _paragraph(f"Fix: {found.fix}")
    for name, values in (("Controls", found.controls), ("ATT&CK", found.techniques), ("See", found.references)):
        if values:
            _paragraph(f"{name}: {', '.join(values)}")


def _facts(rule: str) -> Iterator[str]:
    """What the databases at hand say of an advisory."""
    with ExitStack() as stack:
        known = rules.explain([stack.enter_context(database) for database in _databases()], rule)
    if known is None:
        return
    for advisory in known.advisories:
        yield from _advisory(advisory)
    yield f"Severity: {known.severity}"
    for score in known.scores:
        yield f"{score.system} {score.vector}".strip()
    if known.known_exploited:
        yield f"Known to be exploited since {known.known_exploited.added} (CISA KEV)."
    if known.epss:
        epss = known.epss
        yield f"EPSS {epss.probability:.1%}, percentile {epss.percentile:.0%} (model {epss.model})."


def _databases() -> Iterator[Database]:
    try:
        yield Database.open(database_path(settings()))
    except StoreError:
        yield starter.database()
    if archive_path(settings()).exists():
        try:
            yield Database.open(archive_path(settings()), immutable=False)
        except StoreError:
            return


def _advisory(advisory: Advisory) -> Iterator[str]:
    names = f"{advisory.id} ({', '.join(advisory.aliases)})" if advisory.aliases else advisory.id
    summary = f": {advisory.summary}" if advisory.summary else ""
    yield f"{names}, from {advisory.source}{summary}"
    for affected in advisory.affected[:_MOST]:
        yield f"  {_range(affected)}"
    if len(advisory.affected) > _MOST:
        yield f"  and {counted(len(advisory.affected) - _MOST, 'more range')}"
    for reference in advisory.references[:_MOST]:
        yield f"  {reference}"


def _range(affected: Affected) -> str:
    bounds = [
        f"from {affected.introduced}" if affected.introduced not in ("", "0") else "",
        f"fixed in {affected.fixed}" if affected.fixed else "",
        f"to {affected.last_affected}" if affected.last_affected else "",
    ]
    words = ", ".join(bound for bound in bounds if bound) or affected.state.value
    return f"{affected.ecosystem} {affected.name}: {words}"


def _paragraph(text: str) -> None:
    indent = "  " + " " * (len(text) - len(text.lstrip()))
    for line in wrap(one_line(text), width() - len(indent)):
        click.echo(f"{indent}{line}")
