"""`holdfast inspect`: what an image is made of, without a look into its layers."""

import sys

import click

from holdfast.cli.compose import image_platform, opener_of, settings_for
from holdfast.cli.environment import colour, width
from holdfast.cli.failure import CLEAN, INCOMPLETE
from holdfast.model.errors import InputError
from holdfast.report.inspection import write
from holdfast.report.writer import encode
from holdfast.scan.engines import open_secrets
from holdfast.scan.inspection import inspect
from holdfast.scan.plan import plan


@click.command(name="inspect")
@click.argument("target")
@click.option("-f", "--format", "form", type=click.Choice(("table", "json")), default="table", show_default=True)
@click.option("--platform", metavar="OS/ARCH", help="Which image of a multi-platform index.")
@click.option("--plain-http", is_flag=True, help="Let its registry be had, and sent credentials, unencrypted.")
@click.option("--offline", is_flag=True, help="Open no internet connection.")
def command(target: str, form: str, platform: str | None, plain_http: bool, offline: bool) -> None:
    """Show the manifest, layers, history, sizes and attachments of the image TARGET."""
    chosen = plan(target)
    if chosen.kind in ("dir", "dockerfile", "sbom"):
        raise InputError("not an image", where=target, remedy=f"scan it: holdfast scan {chosen.kind}:{chosen.path}")
    settings = settings_for(target, offline=offline, plain_http=plain_http)
    with opener_of(settings) as opener, opener(chosen, image_platform(platform)) as source:
        inspection = inspect(source, target, settings.cache, open_secrets(settings)[0])
    if form == "json":
        click.echo(encode(inspection), nl=False)
    else:
        click.echo(write(inspection, width=width(), colour=colour(sys.stdout)), nl=False)
    sys.exit(INCOMPLETE if any(problem.gravity != "note" for problem in inspection.problems) else CLEAN)
