"""Where the rooms meet: a target is opened, scanned, and its packages held against whatever advisories can be had."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec.structs import replace

from holdfast.cli.environment import home, settings
from holdfast.cli.progress import Meter
from holdfast.model.artifact import Platform
from holdfast.model.errors import InputError, NotFound
from holdfast.model.report import Report
from holdfast.oci.reference import Reference
from holdfast.scan.boundary import RegisteredBase, load_bases
from holdfast.scan.engines import VULNERABILITIES
from holdfast.scan.opener import Opener
from holdfast.scan.options import Check, Options, Wanted
from holdfast.scan.plan import plan
from holdfast.scan.scanner import registered, scan
from holdfast.scan.sightings import Sightings
from holdfast.settings import Settings


def settings_for(target: str, *, offline: bool, plain_http: bool) -> Settings:
    """The settings for a target; with `plain_http` its registry may be had unencrypted."""
    if not plain_http:
        return settings(offline=offline)
    chosen = plan(target)
    if chosen.kind != "registry":
        raise InputError("--plain-http is for images in registries", where=target)
    return settings(offline=offline, plain_http=Reference.parse(chosen.reference).registry)


@contextmanager
def opener_of(settings: Settings) -> Iterator[Opener]:
    """What opens images for this process, with this user's credentials and engines."""
    sightings = Sightings(settings.data / "tags")
    with Opener(settings, os.environ, home(), last_digest=sightings.last_digest) as opener:
        yield opener


def scan_target(
    target: str,
    settings: Settings,
    *,
    platform: Platform | None = None,
    base: RegisteredBase | None = None,
    wanted: Wanted = Wanted(),
    quiet: bool = False,
    attested: bool = False,
    keep: bool = False,
    opener: Opener | None = None,
) -> Report:
    """Scan a target as typed, for what is wanted; with `keep` the report is kept in the store."""
    chosen = plan(target)
    if opener is None:
        with opener_of(settings) as own:
            return scan_target(
                target, settings, platform=platform, base=base, wanted=wanted, quiet=quiet, attested=attested,
                keep=keep, opener=own,
            )  # fmt: skip
    with Meter(quiet=quiet) as meter:
        check: Check | None = None
        if VULNERABILITIES in wanted.engines:
            from holdfast.cli.check import AdvisoryCheck

            host = chosen.kind == "dir" and chosen.path.resolve() == Path("/")
            check = AdvisoryCheck(settings, meter, host=host)
        layers = lambda done, total: meter("layers", done, total)  # noqa: E731
        report = scan(chosen, settings, Options(platform, base, check, layers, opener, attested, wanted))
        return replace(report, problems=(*report.problems, *opener.problems))


def image_platform(text: str | None) -> Platform | None:
    """The platform that --platform names."""
    return Platform.parse(text) if text else None


def known_base(text: str | None, settings: Settings) -> RegisteredBase | None:
    """The base that --base names: one registered under that name or digest, else an image to look at."""
    if not text:
        return None
    bases, _ = load_bases(settings.data)
    for base in bases:
        if text in (base.name, base.digest, base.index_digest):
            return base
    try:
        with opener_of(settings) as opener:
            return registered(plan(text), opener=opener)
    except NotFound as error:
        raise NotFound(
            "neither a registered base nor an image", where=text, remedy="holdfast base list shows the registered ones"
        ) from error
