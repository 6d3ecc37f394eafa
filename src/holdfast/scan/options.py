"""How a scan is to be done, and what it is handed by whoever composes it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from holdfast.model.advisory import DatabaseInfo
from holdfast.model.artifact import Platform
from holdfast.model.finding import Finding
from holdfast.model.package import Distribution, Package
from holdfast.model.status import Problem
from holdfast.oci.open import open_image
from holdfast.oci.source import Source
from holdfast.scan.boundary import RegisteredBase
from holdfast.scan.engines import ENGINES
from holdfast.scan.layers import Progress
from holdfast.scan.plan import Plan

if TYPE_CHECKING:
    from holdfast.secret.engine import SecretEngine


class Checked(Struct, frozen=True):
    """What holding an inventory against the advisories gave; `end_of_life` is a past day: the distribution's."""

    findings: tuple[Finding, ...] = ()
    problems: tuple[Problem, ...] = ()
    checked: tuple[str, ...] = ()
    not_checked: tuple[str, ...] = ()
    database: DatabaseInfo | None = None
    end_of_life: str = ""


class Check(Protocol):
    """Holds packages against the advisories: handed in by whoever composes the scan."""

    def __call__(
        self, packages: Sequence[Package], distribution: Distribution | None, sources: dict[str, bytes]
    ) -> Checked:
        """Findings for these packages; `sources` are the image's own apt source files by path."""


Issuers = Callable[["SecretEngine"], tuple[dict[tuple[str, str], str], list[Problem]]]
"""Asks the issuers of the secrets that an engine kept: what they said by rule and key id, and what went wrong."""

Open = Callable[[Plan, Platform | None], Source]
"""Opens the image of a plan, for a platform."""


def open_stored(plan: Plan, platform: Platform | None) -> Source:
    """The image of a plan that is on disk."""
    return open_image(plan.kind, plan.path, plan.tag, platform)


class Wanted(Struct, frozen=True):
    """What to look for, by the names of engines, and the user's own rules for it.

    `malware_rules` are folders of YARA files; `known_bad` and `known_good` files of digests. With `verify` the issuers
    of secrets are asked whether these are alive.
    """

    engines: frozenset[str] = frozenset(ENGINES)
    malware_rules: tuple[Path, ...] = ()
    known_bad: tuple[Path, ...] = ()
    known_good: tuple[Path, ...] = ()
    verify: bool = False


class Options(Struct, frozen=True):
    """How to scan: the platform asked for, the base named, and what checks the packages (None: packages only).

    `wanted` is what to look for.
    `open` is given for what is not on disk; `attested`: where a bill of materials is attached to an image, it is used
    instead of pulling the layers. `statements` are documents of exploitability (VEX) by their names, and with
    `attached_statements` those that are attached to the image count too. `issuers` asks whether secrets live.
    """

    platform: Platform | None = None
    base: RegisteredBase | None = None
    check: Check | None = None
    on_progress: Progress | None = None
    open: Open = open_stored
    attested: bool = False
    wanted: Wanted = Wanted()
    statements: tuple[tuple[str, bytes], ...] = ()
    attached_statements: bool = False
    issuers: Issuers | None = None
