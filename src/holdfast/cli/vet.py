"""`holdfast vet`: whether something may be built or run, why, and how it would pass."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from msgspec.structs import replace

from holdfast.cli.compose import Scanned, image_platform, kept, known_base, scan_target, settings_for
from holdfast.cli.delivery import deliver, parse_outputs
from holdfast.cli.environment import colour, settings, width
from holdfast.cli.failure import CLEAN, FOUND
from holdfast.cli.wanted import wanted, wanted_options
from holdfast.model.errors import HoldfastError, InputError, LimitError
from holdfast.model.policy import Policy, Waiver
from holdfast.model.report import NamedBase, Report
from holdfast.model.status import Gravity, Problem
from holdfast.model.verdict import Decision, Verdict
from holdfast.policy.facts import BaseFact, Facts

DEFAULT_POLICIES = ("holdfast-policy.toml", "holdfast-policy.yaml", "holdfast-policy.yml")
"""Looked for in the current folder where no policy is named; else the built-in `balanced` counts."""
IGNORE_FILES = (".trivyignore", ".trivyignore.yaml", ".grype.yaml")
_MOST_BYTES = 1 << 20


@click.command(name="vet")
@click.argument("target")
@click.option("--policy", "policy_name", metavar="NAME|FILE", help="developer, balanced, strict, or a file.")
@click.option("--ignore-file", "ignore_files", multiple=True, metavar="FILE", help="A .trivyignore or .grype.yaml.")
@click.option("--vex", multiple=True, metavar="FILE", help="OpenVEX or CycloneDX; or: attached.")
@click.option("-f", "--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True)
@click.option("-o", "--output", "outputs", multiple=True, metavar="FORMAT=FILE", help="Write the report to a file too.")
@click.option("--waivers", is_flag=True, help="Show the waivers to paste where somebody accepts what is found.")
@wanted_options
@click.option("--platform", metavar="OS/ARCH", help="Which image of a multi-platform index.")
@click.option("--base", metavar="TARGET", help="The image this one was built on: a target, or a registered name.")
@click.option("--plain-http", is_flag=True, help="Let its registry be had, and sent credentials, unencrypted.")
@click.option("--offline", is_flag=True, help="Open no internet connection.")
@click.option("-q", "--quiet", is_flag=True, help="No progress on standard error.")
def command(
    target: str,
    policy_name: str | None,
    ignore_files: tuple[str, ...],
    vex: tuple[str, ...],
    form: str,
    outputs: tuple[str, ...],
    waivers: bool,
    platform: str | None,
    base: str | None,
    plain_http: bool,
    offline: bool,
    quiet: bool,
    **chosen_engines: Any,
) -> None:
    """Decide whether TARGET may be built or run: allow, warn or deny, and say what it takes to pass.

    TARGET is a Dockerfile, a folder that is given to a build, or whatever `holdfast scan` takes. Exit code 1: denied.
    What the scan did not see counts as the policy says (`incomplete`), so that there is no exit code 3.
    """
    choices = parse_outputs("table", outputs)[1:]
    policy = load_policy(policy_name)
    ignored, doubts = read_ignore_files(ignore_files)
    chosen = settings_for(target, offline=offline, plain_http=plain_http)
    scanned = scan_target(
        target, chosen, platform=image_platform(platform), base=known_base(base, chosen),
        wanted=wanted(offline=offline, **chosen_engines), quiet=quiet, vex=vex,
    )  # fmt: skip
    verdict = judge(policy, scanned.report, ignored, doubts)
    report = kept(Scanned(replace(scanned.report, verdict=verdict), scanned.sources), chosen)
    deliver(report, choices)
    click.echo(_told(verdict, form, waivers=waivers), nl=False)
    sys.exit(FOUND if verdict.decision is Decision.DENY else CLEAN)


def load_policy(name: str | None) -> Policy:
    """The policy of that name or file; without one that of the current folder, else `balanced`."""
    from holdfast.policy.parse import BUILTIN, builtin, parse

    name = name or next((one for one in DEFAULT_POLICIES if Path(one).is_file()), "balanced")
    if name in BUILTIN:
        return builtin(name)
    return parse(_read(name, f"a policy is a file, or one of {', '.join(BUILTIN)}"), name)


def read_ignore_files(names: tuple[str, ...]) -> tuple[list[Waiver], list[Problem]]:
    """The waivers of other tools' ignore files: those named, else those of the current folder."""
    from holdfast.policy.ignore import read_ignore

    waivers: list[Waiver] = []
    problems: list[Problem] = []
    for name in names or [one for one in IGNORE_FILES if Path(one).is_file()]:
        ignored = read_ignore(_read(name), name)
        waivers += ignored.waivers
        problems += ignored.problems
    return waivers, problems


def judge(policy: Policy, report: Report, ignored: list[Waiver], doubts: list[Problem]) -> Verdict:
    """The verdict on a report, with what the store knows: accepted findings, and the bases that were scanned before."""
    from holdfast.policy.evaluate import evaluate

    warnings = [*doubts]
    accepted, facts = _remembered(report, warnings)
    today = datetime.now(UTC).date()
    return evaluate(policy, report, today=today, facts=facts, waivers=(*ignored, *accepted), warnings=warnings)


def _remembered(report: Report, problems: list[Problem]) -> tuple[list[Waiver], Facts]:
    """What the store knows of this target and its bases; nothing where it cannot be read, which is said."""
    for base in report.bases:
        if not base.resolved:
            message = "a build argument decides which base this is: it was not looked up"
            problems.append(Problem("policy.base-unknown", message, Gravity.NOTE, f"{base.path}:{base.line}"))
    from holdfast.store.identity import identity
    from holdfast.store.open import accepted, open_store

    chosen = settings()
    try:
        same = identity(report.target.name, report.target.kind)
        waivers = [
            Waiver(one.reason, one.owner, one.expires, fingerprint=one.fingerprint, origin="accepted finding")
            for one in accepted(chosen.store, chosen.data, same.target)
        ]
        bases: tuple[BaseFact, ...] = ()
        if named := [base for base in report.bases if base.resolved]:
            with open_store(chosen.store, chosen.data) as store:
                bases = tuple(_base_fact(base, store) for base in named)
    except HoldfastError as error:
        problems.append(Problem.of("store.unreadable", error, gravity=Gravity.NOTE))
        waivers, bases = [], tuple(BaseFact(base.reference, where=f"{base.path}:{base.line}") for base in report.bases)
    return waivers, Facts(bases=bases)


def _base_fact(base: NamedBase, store: Any) -> BaseFact:
    """When a base was last scanned, under this very name or by its digest, and what was decided of it."""
    from holdfast.store.identity import identity

    where = f"{base.path}:{base.line}"
    same = identity(base.reference, "registry")
    digest = same.reference.partition("@")[2]
    for prefix in ("", "docker:", "podman:", "containerd:"):
        for scan in store.scans(f"{prefix}{same.target}"):
            named = identity(scan.name, scan.kind).reference.removeprefix(prefix)
            report = store.report(scan.id)
            digests = (scan.digest, report.target.index_digest if report else "", named.partition("@")[2])
            # A digest is that image and no other, whatever it was called when it was scanned.
            if (digest in digests) if digest else (named == same.reference):
                decided = report.verdict.decision if report is not None and report.verdict is not None else None
                return BaseFact(base.reference, scan.digest, scan.created[:10], decided, where)
    return BaseFact(base.reference, where=where)


def _told(verdict: Verdict, form: str, *, waivers: bool) -> str:
    from holdfast.report.verdict import to_json, write

    if form == "json":
        return to_json(verdict).decode()
    return write(verdict, width=width(), colour=colour(sys.stdout), waivers=waivers)


def _read(name: str, remedy: str = "") -> bytes:
    try:
        with Path(name).open("rb") as stream:
            data = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=name, remedy=remedy) from error
    if len(data) > _MOST_BYTES:
        raise LimitError(f"more than {_MOST_BYTES >> 20} MiB", where=name)
    return data
