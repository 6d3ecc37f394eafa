"""`holdfast db`: the advisory database is updated, looked at, and carried by hand."""

import sys
from pathlib import Path

import click
import msgspec

from holdfast.advisory import carry
from holdfast.advisory.database import Database
from holdfast.advisory.places import archive_path, database_path
from holdfast.advisory.update import addresses, update
from holdfast.cli.check import client_of
from holdfast.cli.environment import settings
from holdfast.cli.failure import CLEAN, INCOMPLETE
from holdfast.cli.progress import Meter
from holdfast.model.advisory import DatabaseInfo
from holdfast.model.errors import InputError
from holdfast.model.status import Problem, Status, status_of
from holdfast.report.text import printable
from holdfast.transport.deadline import Deadline


@click.group(name="db")
def command() -> None:
    """Update, inspect and carry the advisory database."""


@command.command(name="update")
@click.option("--from", "folder", type=click.Path(path_type=Path), help="Read a folder laid out like the feeds.")
@click.option("--only", metavar="NAMES", help="Only these feeds or sources: debian,osv/PyPI …")
@click.option("--timeout", type=click.FloatRange(min=1), default=1800.0, show_default=True, help="Seconds in all.")
@click.option("-q", "--quiet", is_flag=True, help="No progress on standard error.")
def update_(folder: Path | None, only: str | None, timeout: float, quiet: bool) -> None:
    """Fetch the feeds and build the database anew. A feed that fails leaves its old data in place, and is said."""
    if folder is not None and not folder.is_dir():
        raise InputError("there is no such folder", where=str(folder))
    chosen = settings(offline=folder is not None)
    names = tuple(name.strip() for name in (only or "").split(",") if name.strip())
    say = (lambda _line: None) if quiet else (lambda line: click.echo(f"db: {line}", err=True))
    with Meter(quiet=quiet) as meter, client_of(chosen, meter) as client:
        result = update(chosen, client, folder=folder, only=names, deadline=Deadline.after(timeout), say=say)
    if result.info is not None:
        click.echo("updated" if result.changed else "nothing new")
        _show(result.info)
    _tell(result.problems)
    sys.exit(CLEAN if status_of(result.problems) is Status.COMPLETE else INCOMPLETE)


@command.command(name="status")
@click.option("-f", "--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True)
def status(form: str) -> None:
    """Say which feeds the database holds, of which date, and what failed when it was last updated."""
    path = database_path(settings())
    with Database.open(path) as database:
        info = database.info()
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(info)).decode())
        return
    click.echo(f"{path}")
    _show(info)
    if archive_path(settings()).exists():
        click.echo(f"{archive_path(settings())}: what archives' changelogs said of images scanned here")


@command.command(name="sources")
def sources() -> None:
    """List the feeds and the addresses they are fetched from."""
    for feed in addresses(settings()):
        click.echo(f"{feed.name:10}  {feed.resources:3} files  {feed.address}")


@command.command(name="export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export(file: Path) -> None:
    """Copy the database to FILE, with its SHA-256 beside it, to be carried where no feed can be reached."""
    digest = carry.export(database_path(settings()), file)
    click.echo(f"{file}  sha256:{digest}")


@command.command(name="import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--sha256", default="", help="What its SHA-256 has to be; otherwise FILE.sha256 is asked if it is there.")
def import_(file: Path, sha256: str) -> None:
    """Put an exported database in the place of the one that is there, after checking it."""
    _show(carry.import_(file, database_path(settings()), sha256=sha256))


def _show(info: DatabaseInfo) -> None:
    for source in info.sources:
        failed = f"  failed: {printable(source.failure)}" if source.failure else ""
        click.echo(f"  {source.name:20} {source.date[:10] or '-':10} {source.records:9,}{failed}")
    click.echo(f"  sha256:{info.sha256}")


def _tell(problems: tuple[Problem, ...]) -> None:
    for problem in problems:
        where = f"{printable(problem.where)}: " if problem.where else ""
        click.echo(f"holdfast: {where}{printable(problem.message)}", err=True)
        if problem.remedy:
            click.echo(f"  → {printable(problem.remedy)}", err=True)
