"""`holdfast scan`: one target, one report, as many formats as asked for."""

import sys
from typing import Any

import click

from holdfast.cli.compose import image_platform, kept, known_base, scan_target, settings_for
from holdfast.cli.delivery import deliver, parse_outputs
from holdfast.cli.environment import settings
from holdfast.cli.failure import CLEAN, FOUND, INCOMPLETE
from holdfast.cli.wanted import wanted, wanted_options
from holdfast.model.advisory import FixState
from holdfast.model.finding import Confidence, Kind, Severity
from holdfast.model.report import Report
from holdfast.model.status import Status
from holdfast.scan.filter import Filter, apply

_SEVERITIES = [severity.value for severity in Severity]


def _several(_context: click.Context, _parameter: click.Parameter, value: str | None) -> tuple[str, ...]:
    chosen = tuple(part.strip().lower() for part in (value or "").split(",") if part.strip())
    wrong = [part for part in chosen if part not in _SEVERITIES]
    if wrong:
        raise click.BadParameter(f"{wrong[0]!r} is not one of {', '.join(_SEVERITIES)}")
    return chosen


@click.command(name="scan")
@click.argument("target", default="")
@click.option("-f", "--format", "form", default="table", metavar="FORMAT", help="Format on standard output.")
@click.option(
    "-o", "--output", "outputs", multiple=True, metavar="FORMAT=FILE",
    help="Write this format to a file; may be given several times. The table still goes to standard output.",
)  # fmt: skip
@click.option("--fail-on", type=click.Choice(_SEVERITIES), help="Exit 1 for a finding this severe or worse.")
@wanted_options
@click.option(
    "--severity", callback=_several, metavar="LIST", help="Of vulnerabilities and settings only these: critical,high …"
)
@click.option("--ignore-unfixed", is_flag=True, help="Show and judge only what an upgrade mends.")
@click.option("--platform", metavar="OS/ARCH", help="Which image of a multi-platform index.")
@click.option("--base", metavar="TARGET", help="The image this one was built on: a target, or a registered name.")
@click.option("--attested", is_flag=True, help="Use the bill of materials attached to the image instead of its layers.")
@click.option(
    "--vex",
    multiple=True,
    metavar="FILE",
    help="What does not affect you: OpenVEX or CycloneDX; or: attached.",
)
@click.option("--plain-http", is_flag=True, help="Let its registry be had, and sent credentials, unencrypted.")
@click.option("--all-running", is_flag=True, help="Instead of a TARGET: every image that runs on this host.")
@click.option("--offline", is_flag=True, help="Open no internet connection.")
@click.option("-q", "--quiet", is_flag=True, help="No progress on standard error.")
def command(
    target: str,
    form: str,
    outputs: tuple[str, ...],
    fail_on: str | None,
    severity: tuple[str, ...],
    ignore_unfixed: bool,
    platform: str | None,
    base: str | None,
    attested: bool,
    vex: tuple[str, ...],
    plain_http: bool,
    all_running: bool,
    offline: bool,
    quiet: bool,
    **chosen_engines: Any,
) -> None:
    """Find what is vulnerable, secret, malicious or badly set up inside TARGET, where it came from and what to change.

    TARGET is what you call an image (nginx:1.27, ghcr.io/org/app@sha256:…), a path, or one of registry:NAME,
    docker:NAME, podman:NAME, containerd:NAME, oci:DIR[:TAG], oci-archive:FILE, docker-archive:FILE, dir:PATH,
    sbom:FILE.
    """
    look_for = wanted(offline=offline, **chosen_engines)
    if all_running == bool(target):
        raise click.UsageError("give one TARGET, or --all-running")
    if all_running:
        unused = {
            "--severity": severity, "--ignore-unfixed": ignore_unfixed, "--platform": platform, "--base": base,
            "--attested": attested, "--vex": vex, "--verify": look_for.verify, "--plain-http": plain_http,
        }  # fmt: skip
        if given := [name for name, value in unused.items() if value]:
            raise click.UsageError(f"--all-running goes without {', '.join(given)}")
        from holdfast.cli.running import scan_running

        sys.exit(
            scan_running(
                settings(offline=offline), wanted=look_for, fail_on=fail_on, form=form,
                outputs=outputs, quiet=quiet,
            )
        )  # fmt: skip
    choices = parse_outputs(form, outputs)
    chosen = settings_for(target, offline=offline, plain_http=plain_http)
    scanned = scan_target(
        target,
        chosen,
        platform=image_platform(platform),
        base=known_base(base, chosen),
        wanted=look_for,
        quiet=quiet,
        attested=attested,
        vex=vex,
    )
    shown = apply(kept(scanned, chosen), Filter(tuple(Severity(one) for one in severity), ignore_unfixed))
    deliver(shown, choices)
    sys.exit(exit_code(shown, Severity(fail_on) if fail_on else None))


def exit_code(report: Report, fail_on: Severity | None) -> int:
    """DESIGN's order: incomplete before findings, findings before clean. What may well be none stops nobody."""
    if report.status is not Status.COMPLETE:
        return INCOMPLETE
    told = (finding for finding in report.findings if finding.fix.state is not FixState.NOT_AFFECTED)
    doubtful = (Kind.SECRET, Kind.MALWARE)
    sure = (one for one in told if one.kind not in doubtful or one.confidence is not Confidence.LOW)
    if fail_on and any(finding.severity.rank >= fail_on.rank for finding in sure):
        return FOUND
    return CLEAN
