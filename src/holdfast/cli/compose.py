"""Where the rooms meet: a target is scanned, and its packages are held against whatever advisories can be had."""

from pathlib import Path

from holdfast.cli.progress import Meter
from holdfast.model.artifact import Platform
from holdfast.model.errors import NotFound
from holdfast.model.report import Report
from holdfast.scan.boundary import RegisteredBase, load_bases
from holdfast.scan.plan import plan
from holdfast.scan.scanner import Check, Options, registered, scan
from holdfast.settings import Settings


def scan_target(
    target: str,
    settings: Settings,
    *,
    platform: Platform | None,
    base: RegisteredBase | None,
    vulnerabilities: bool,
    quiet: bool,
) -> Report:
    """Scan a target as typed; with `vulnerabilities` its packages are checked against the advisories too."""
    chosen = plan(target)
    with Meter(quiet=quiet) as meter:
        check: Check | None = None
        if vulnerabilities:
            from holdfast.cli.check import AdvisoryCheck

            host = chosen.kind == "dir" and chosen.path.resolve() == Path("/")
            check = AdvisoryCheck(settings, meter, host=host)
        layers = lambda done, total: meter("layers", done, total)  # noqa: E731
        return scan(chosen, settings, Options(platform, base, check, layers))


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
        return registered(plan(text))
    except NotFound as error:
        raise NotFound(
            "neither a registered base nor an image", where=text, remedy="holdfast base list shows the registered ones"
        ) from error
