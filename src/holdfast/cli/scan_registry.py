"""`holdfast scan-registry`: every image of a registry or a list, each once, ranked together."""

import hashlib
import os
import sys
from pathlib import Path
from typing import Any

import click
from msgspec.structs import replace

from holdfast.cli.compose import image_platform, opener_of
from holdfast.cli.environment import settings
from holdfast.cli.progress import Meter
from holdfast.cli.surveys import (
    Advisories,
    ImageScanner,
    advisories,
    deliver,
    exit_code,
    outputs_of,
    say_interrupted,
)
from holdfast.cli.wanted import wanted, wanted_options
from holdfast.model.errors import InputError, LimitError
from holdfast.model.finding import Severity
from holdfast.oci.reference import registry_named
from holdfast.scan.engines import VULNERABILITIES
from holdfast.survey.candidate import Candidates
from holdfast.survey.examiner import Examiner
from holdfast.survey.journal import Header, Journal
from holdfast.survey.listing import Catalogue
from holdfast.survey.names import Names
from holdfast.survey.selection import Selection
from holdfast.survey.surveyor import TOOL, Interrupted, Manner, survey

_LIST_BYTES = 128 << 20
_SEVERITIES = [severity.value for severity in Severity]


@click.command(name="scan-registry")
@click.argument("host", default="")
@click.option(
    "--filter", "chosen", multiple=True, metavar="GLOB", help="Only these: team/*, or team/app:1.*; several: any."
)
@click.option("--exclude", "excluded", multiple=True, metavar="GLOB", help="Not these.")
@click.option("--list", "file", metavar="FILE", help="Instead of a HOST: a file of names, one a line; - for input.")
@click.option("--most", type=click.IntRange(min=1), metavar="N", help="No more than N images.")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes that scan; default: one a processor, 4 at most.")
@click.option("--platform", metavar="OS/ARCH", help="Which image of a multi-platform index.")
@click.option("--fail-on", type=click.Choice(_SEVERITIES), help="Exit 1 for a finding this severe or worse.")
@click.option("-f", "--format", "form", default="table", metavar="FORMAT", help="table or json, on standard output.")
@click.option("-o", "--output", "outputs", multiple=True, metavar="FORMAT=FILE", help="Write this format to a file.")
@click.option(
    "--reports", type=click.Path(path_type=Path, file_okay=False), help="A folder for the whole report of each image."
)
@click.option("--fresh", is_flag=True, help="Begin anew, though an earlier run was interrupted.")
@wanted_options
@click.option("--plain-http", is_flag=True, help="Let HOST be had, and sent credentials, unencrypted.")
@click.option("--offline", is_flag=True, help="Open no internet connection.")
@click.option("-q", "--quiet", is_flag=True, help="No progress on standard error.")
def command(
    host: str,
    chosen: tuple[str, ...],
    excluded: tuple[str, ...],
    file: str | None,
    most: int | None,
    workers: int | None,
    platform: str | None,
    fail_on: str | None,
    form: str,
    outputs: tuple[str, ...],
    reports: Path | None,
    fresh: bool,
    plain_http: bool,
    offline: bool,
    quiet: bool,
    **chosen_engines: Any,
) -> None:
    """Scan every image of the registry HOST, each once whatever it is called, and rank them.

    An interrupted run goes on where it stopped when the same command is given again. Names in a --list are written as
    for `docker pull`; HOST/NAME:* stands for all tags, and what follows a # for nothing.
    """
    if bool(host) == bool(file):
        raise click.UsageError("give one HOST, or --list FILE")
    places = outputs_of(form, outputs)
    look_for = wanted(offline=offline, **chosen_engines)
    if look_for.verify:
        raise click.UsageError("--verify is for one target at a time: scan, vet")
    registry = registry_named(host) if host else ""
    if plain_http and not registry:
        raise click.UsageError("--plain-http is for a HOST; a list has plain_http in the settings of each registry")
    told = settings(offline=offline, plain_http=registry if plain_http else "")
    lines = _read(file) if file else []
    request = (registry, *(("list", _digest(lines)) if file else ()), *sorted(f"+{one}" for one in chosen))
    request = (*request, *sorted(f"-{one}" for one in excluded), str(platform or ""), repr(look_for))
    if reports is not None:
        reports.mkdir(parents=True, exist_ok=True)
        reports = reports.resolve()
    with Meter(quiet=quiet) as meter, opener_of(told) as opener:
        known = advisories(told, meter) if VULNERABILITIES in look_for.engines else Advisories()
        selection = Selection.of(chosen, excluded)
        candidates: Candidates = Catalogue(registry, opener.registry, selection)
        if file:
            candidates = Names(lines, opener.registry, selection, where="standard input" if file == "-" else file)
        scanner = ImageScanner(told, image_platform(platform), wanted=look_for)
        header = Header(request, TOOL, known.database.sha256 if known.database else "")
        manner = Manner(
            workers=workers or min(os.cpu_count() or 1, 4), most=most, progress=meter, database=known.database,
            problems=known.problems,
        )  # fmt: skip
        try:
            with Journal(told.cache / "surveys", header, fresh=fresh) as journal:
                kind = "list" if file else "registry"
                result = survey(registry or file or "", kind, candidates, Examiner(scanner, reports), manner, journal)
        except Interrupted as error:
            sys.exit(say_interrupted(error))
        result = replace(result, problems=(*result.problems, *opener.problems))
    deliver(result, places)
    sys.exit(exit_code(result, fail_on))


def _read(file: str) -> list[bytes]:
    """The lines of a list."""
    try:
        if file == "-":
            data = sys.stdin.buffer.read(_LIST_BYTES + 1)
        else:
            with Path(file).open("rb") as stream:
                data = stream.read(_LIST_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", where=file) from error
    if len(data) > _LIST_BYTES:
        raise LimitError(f"a list of more than {_LIST_BYTES >> 20} MiB", where=file)
    return data.splitlines()


def _digest(lines: list[bytes]) -> str:
    return hashlib.sha256(b"\n".join(lines)).hexdigest()
