"""`holdfast sbom`: what a target is made of, for other tools and for later."""

import sys
from pathlib import Path

import click

from holdfast.cli.compose import image_platform, known_base, scan_target, settings_for
from holdfast.cli.delivery import deliver, parse_outputs
from holdfast.cli.scan import exit_code
from holdfast.scan.engines import PACKAGES
from holdfast.scan.options import Wanted

_FORMATS = ("cyclonedx", "cyclonedx-1.6", "cyclonedx-1.7", "spdx", "json")


@click.command(name="sbom")
@click.argument("target")
@click.option("-f", "--format", "form", type=click.Choice(_FORMATS), default="cyclonedx", show_default=True)
@click.option("-o", "--output", "file", type=click.Path(path_type=Path), help="Write to a file.")
@click.option("--platform", metavar="OS/ARCH", help="Which image of a multi-platform index.")
@click.option("--base", metavar="TARGET", help="The image this one was built on: a target, or a registered name.")
@click.option("--plain-http", is_flag=True, help="Let its registry be had, and sent credentials, unencrypted.")
@click.option("--offline", is_flag=True, help="Open no internet connection.")
@click.option("-q", "--quiet", is_flag=True, help="No progress on standard error.")
def command(
    target: str,
    form: str,
    file: Path | None,
    platform: str | None,
    base: str | None,
    plain_http: bool,
    offline: bool,
    quiet: bool,
) -> None:
    """Write the software bill of materials of TARGET. Nothing is looked up; only a registry needs the network."""
    choices = parse_outputs(form, (f"{form}={file}",) if file else ())
    chosen = settings_for(target, offline=offline, plain_http=plain_http)
    scanned = scan_target(
        target, chosen, platform=image_platform(platform), base=known_base(base, chosen),
        wanted=Wanted(frozenset({PACKAGES})), quiet=quiet,
    )  # fmt: skip
    deliver(scanned.report, choices[1:] or choices)
    sys.exit(exit_code(scanned.report, None))
