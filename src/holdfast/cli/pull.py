"""`holdfast pull`: an image from a registry into a folder, verified."""

from pathlib import Path

import click

from holdfast.cli.compose import image_platform, opener_of, settings_for
from holdfast.cli.progress import Meter
from holdfast.model.errors import InputError
from holdfast.oci.folder import LayoutFolder
from holdfast.oci.registry.pull import Puller
from holdfast.report.text import printable
from holdfast.scan.plan import plan


@click.command(name="pull")
@click.argument("image")
@click.argument("target", metavar="oci:DIR")
@click.option("--platform", metavar="OS/ARCH", help="Which image of a multi-platform index; otherwise this host's.")
@click.option("--all-platforms", is_flag=True, help="The whole index.")
@click.option("--attachments", is_flag=True, help="Also what is attached: bills of materials, provenance, signatures.")
@click.option("--plain-http", is_flag=True, help="Let its registry be had, and sent credentials, unencrypted.")
@click.option("--offline", is_flag=True, help="Open no internet connection: what would need one fails.")
@click.option("-q", "--quiet", is_flag=True, help="No progress on standard error.")
def command(
    image: str,
    target: str,
    platform: str | None,
    all_platforms: bool,
    attachments: bool,
    plain_http: bool,
    offline: bool,
    quiet: bool,
) -> None:
    """Fetch IMAGE from its registry into the OCI layout DIR, which may hold other images already.

    Every byte is held to its digest. Broken off, the same command goes on from there.
    """
    if all_platforms and platform:
        raise click.UsageError("--platform or --all-platforms, not both")
    kind, _, folder = target.partition(":")
    if kind != "oci" or not folder:
        raise click.UsageError(f"write oci:DIR, not {target!r}")
    chosen = plan(image)
    if chosen.kind != "registry":
        raise InputError("only images of registries are pulled", where=image, remedy="write registry:HOST/NAME:TAG")
    with opener_of(settings_for(image, offline=offline, plain_http=plain_http)) as opener, Meter(quiet=quiet) as meter:
        layout = opener.layout(chosen)
        progress = lambda done, total: meter("bytes", done, total)  # noqa: E731
        pulled = Puller(layout, LayoutFolder(Path(folder)), progress).pull(
            layout.root(), image_platform(platform), every_platform=all_platforms, attached=attachments
        )
    click.echo(f"{printable(str(layout.reference))}: {pulled.digest}")
    had = f", {pulled.had} were there already" if pulled.had else ""
    click.echo(f"{pulled.fetched} blobs fetched, {pulled.fetched_bytes:,} bytes{had}: oci:{printable(folder)}")
    for digest in pulled.left_out:
        click.echo(f"holdfast: left out, the registry does not have this foreign layer: {digest}", err=True)
    for problem in pulled.problems:
        click.echo(f"holdfast: {printable(problem.message)}: {printable(problem.where)}", err=True)
