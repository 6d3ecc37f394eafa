"""`holdfast base`: the images that others are built on, by name, so that findings can say which side has to move."""

import hashlib
import sys

import click

from holdfast.cli.compose import opener_of, settings_for
from holdfast.cli.environment import settings
from holdfast.fs.whole import write_whole
from holdfast.model.artifact import Platform
from holdfast.model.errors import NotFound
from holdfast.report.text import printable
from holdfast.report.writer import encode
from holdfast.scan.boundary import load_bases
from holdfast.scan.plan import plan
from holdfast.scan.scanner import registered


@click.group(name="base")
def command() -> None:
    """Register the images that yours are built on."""


@command.command(name="add")
@click.argument("target")
@click.option("--name", default="", help="What to call it; otherwise the target's own name.")
@click.option("--platform", metavar="OS/ARCH", help="Which image of a multi-platform index.")
@click.option("--plain-http", is_flag=True, help="Let its registry be had, and sent credentials, unencrypted.")
@click.option("--offline", is_flag=True, help="Open no internet connection.")
def add(target: str, name: str, platform: str | None, plain_http: bool, offline: bool) -> None:
    """Register the image TARGET as a base."""
    with opener_of(settings_for(target, offline=offline, plain_http=plain_http)) as opener:
        base = registered(plan(target), Platform.parse(platform) if platform else None, name, opener)
    folder = settings().data / "bases"
    folder.mkdir(parents=True, exist_ok=True)
    identity = hashlib.sha256("\n".join(base.diff_ids).encode()).hexdigest()[:32]
    write_whole(folder / f"{identity}.json", encode(base))
    click.echo(f"{printable(base.name)}: {len(base.diff_ids)} layers registered as a base")


@command.command(name="list")
def show() -> None:
    """List the registered bases."""
    bases, problems = load_bases(settings().data)
    for base in bases:
        click.echo(f"{printable(base.name)}  {len(base.diff_ids)} layers  {base.digest or '-'}")
    for problem in problems:
        click.echo(f"holdfast: {problem.message}: {printable(problem.where)}", err=True)
    sys.exit(3 if problems else 0)


@command.command(name="remove")
@click.argument("name")
def remove(name: str) -> None:
    """Forget the registered base NAME."""
    folder = settings().data / "bases"
    bases, _ = load_bases(settings().data)
    gone = [base for base in bases if base.name == name]
    if not gone:
        raise NotFound("no base of that name is registered", where=name, remedy="holdfast base list")
    for base in gone:
        identity = hashlib.sha256("\n".join(base.diff_ids).encode()).hexdigest()[:32]
        (folder / f"{identity}.json").unlink(missing_ok=True)
