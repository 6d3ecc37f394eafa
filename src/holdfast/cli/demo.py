"""`holdfast demo`: a small vulnerable image, built from real packages and scanned."""

from pathlib import Path

import click

from holdfast.cli.archives import host_mirror
from holdfast.cli.compose import scan_target
from holdfast.cli.delivery import deliver, parse_outputs
from holdfast.cli.environment import settings
from holdfast.cli.scan import exit_code
from holdfast.range.shop import build


@click.command(name="demo")
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), default=Path("demo"), show_default=True)
@click.option("--build-only", is_flag=True, help="Build the image and stop.")
def command(into: Path, build_only: bool) -> None:
    """Build an image from an unpatched base and old libraries, scan it, and leave the reports beside it."""
    into.mkdir(parents=True, exist_ok=True)
    mirror, suite = host_mirror()
    left_out = build(into / "image", mirror, suite, lambda line: click.echo(f"demo: {line}", err=True))
    for line in left_out:
        click.echo(f"demo: left out {line}", err=True)
    if build_only:
        return
    target = f"oci:{into / 'image'}"
    click.echo(f"demo: holdfast scan {target}", err=True)
    report = scan_target(target, settings()).report
    files = {"html": "report.html", "json": "report.json", "sarif": "report.sarif", "cyclonedx": "sbom.cdx.json"}
    deliver(report, parse_outputs("table", tuple(f"{form}={into / name}" for form, name in files.items())))
    click.echo(f"demo: {', '.join(files.values())} are in {into}/", err=True)
    raise SystemExit(exit_code(report, None))
