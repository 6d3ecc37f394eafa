"""What every scanner returns and every writer takes."""

from msgspec import Struct, field

from holdfast.model.advisory import DatabaseInfo
from holdfast.model.artifact import Attachment, Layer, Platform
from holdfast.model.finding import Finding
from holdfast.model.package import Distribution, Package
from holdfast.model.status import Problem, Status
from holdfast.model.verdict import Verdict

SCHEMA = "holdfast.report/1"


class Target(Struct, frozen=True, omit_defaults=True):
    """What was scanned: how it was named, what kind of thing it is, and the digests that pin it."""

    name: str
    kind: str
    digest: str = ""
    config_digest: str = ""
    index_digest: str = ""
    platform: Platform | None = None


class Base(Struct, frozen=True, omit_defaults=True):
    """Where the base image ends: the number of layers that are its, how that is known, and its name where it has one.

    `decided_by` is one of `option`, `label`, `registered`, `history`, or empty: the boundary is unknown.
    """

    layers: int = 0
    decided_by: str = ""
    name: str = ""
    digest: str = ""


class NamedBase(Struct, frozen=True, omit_defaults=True):
    """An image that a Dockerfile builds on or copies from: where it is named, and for which stage.

    `resolved` is false where a variable in the reference has no value in the file.
    """

    reference: str
    path: str
    line: int
    stage: str = ""
    resolved: bool = True


class Configuration(Struct, frozen=True, omit_defaults=True):
    """How containers made from the image run, with every secret masked: what policies ask of an image.

    `created` is when the image was built (RFC 3339), as it says; `exposed_ports` read `80/tcp`.
    """

    user: str = ""
    labels: dict[str, str] = {}
    created: str = ""
    exposed_ports: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    has_health_check: bool = False


class Statistics(Struct, frozen=True, omit_defaults=True):
    """What the scan did: seconds of wall and processor time, bytes and entries read, layers answered by the cache."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    bytes_read: int = 0
    bytes_inflated: int = 0
    entries: int = 0
    layers_cached: int = 0


class Report(Struct, frozen=True):
    """One scan of one target. Findings are ordered by risk, packages by name.

    `engines` names what was looked for: `packages`, `vulnerabilities`, `secrets`, `malware`, `configuration`. An
    empty `configuration` means that the target has none: a folder, or a bill of materials. `bases` are the images that
    a Dockerfile names; `verdict` is what a policy decided, where one was asked.
    """

    target: Target
    status: Status
    tool: str
    schema: str = SCHEMA
    created: str = ""
    problems: tuple[Problem, ...] = ()
    distribution: Distribution | None = None
    base: Base = Base()
    bases: tuple[NamedBase, ...] = ()
    configuration: Configuration | None = None
    engines: tuple[str, ...] = ()
    layers: tuple[Layer, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    packages: tuple[Package, ...] = ()
    findings: tuple[Finding, ...] = ()
    checked: tuple[str, ...] = ()
    not_checked: tuple[str, ...] = ()
    database: DatabaseInfo | None = None
    verdict: Verdict | None = None
    statistics: Statistics = field(default_factory=Statistics)
