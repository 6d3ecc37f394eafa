"""Where the rooms meet: a target is opened, scanned, and its packages held against whatever advisories can be had."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from holdfast.cli.environment import home, settings
from holdfast.cli.progress import Meter
from holdfast.model.artifact import Platform
from holdfast.model.errors import InputError, NotFound
from holdfast.model.report import Report
from holdfast.model.status import Problem
from holdfast.oci.reference import Reference
from holdfast.scan.boundary import RegisteredBase, load_bases
from holdfast.scan.engines import VULNERABILITIES
from holdfast.scan.opener import Opener
from holdfast.scan.options import Issuers, Options, Wanted
from holdfast.scan.plan import plan
from holdfast.scan.scanner import registered, scan
from holdfast.scan.sightings import Sightings
from holdfast.settings import Settings

if TYPE_CHECKING:
    from holdfast.cli.check import AdvisoryCheck as Advisories
    from holdfast.secret.engine import SecretEngine


ATTACHED = "attached"
"""What --vex is given for the statements that are attached to the image itself."""
_DOCUMENT_BYTES = 64 << 20


class Scanned(Struct, frozen=True):
    """A report, and the apt source files of its target, which matching its packages again needs."""

    report: Report
    sources: dict[str, bytes]


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
    vex: tuple[str, ...] = (),
    opener: Opener | None = None,
) -> Scanned:
    """Scan a target as typed, for what is wanted. `vex` are files of statements, or `attached` for its own."""
    chosen = plan(target)
    if opener is None:
        with opener_of(settings) as own:
            return scan_target(
                target, settings, platform=platform, base=base, wanted=wanted, quiet=quiet, attested=attested,
                vex=vex, opener=own,
            )  # fmt: skip
    with Meter(quiet=quiet) as meter:
        check: Advisories | None = None
        if VULNERABILITIES in wanted.engines:
            from holdfast.cli.check import AdvisoryCheck

            host = chosen.kind == "dir" and chosen.path.resolve() == Path("/")
            check = AdvisoryCheck(settings, meter, host=host)
        layers = lambda done, total: meter("layers", done, total)  # noqa: E731
        statements = tuple((name, _document(name)) for name in vex if name != ATTACHED)
        options = Options(
            platform, base, check, layers, opener, attested, wanted, statements, attached_statements=ATTACHED in vex,
            issuers=_issuers(opener, settings) if wanted.verify else None,
        )  # fmt: skip
        report = scan(chosen, settings, options)
        return Scanned(replace(report, problems=(*report.problems, *opener.problems)), check.sources if check else {})


def kept(scanned: Scanned, settings: Settings) -> Report:
    """The report, after it was put into the store; where that could not be done, it says so."""
    from holdfast.store.open import keep

    problems = keep(settings.store, settings.data, scanned.report, scanned.sources)
    return replace(scanned.report, problems=(*scanned.report.problems, *problems)) if problems else scanned.report


def _issuers(opener: Opener, settings: Settings) -> Issuers:
    """Who asks the issuers of secrets, over this process's own connections."""

    def ask(engine: "SecretEngine") -> tuple[dict[tuple[str, str], str], list[Problem]]:
        from holdfast.secret.verify import verify

        return verify(engine.kept.values(), engine.secret_rules, opener.wire, hosts=settings.issuers)

    return ask


def _document(name: str) -> bytes:
    """A document of statements that the user names; it is small."""
    try:
        with Path(name).open("rb") as stream:
            data = stream.read(_DOCUMENT_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=name) from error
    if len(data) > _DOCUMENT_BYTES:
        raise InputError(f"a VEX document of more than {_DOCUMENT_BYTES >> 20} MiB", where=name)
    return data


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
