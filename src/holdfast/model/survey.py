"""What scanning many images gives: one line for each image, and what they share."""

from msgspec import Struct, field

from holdfast.model.advisory import DatabaseInfo
from holdfast.model.artifact import Platform, Side
from holdfast.model.finding import Kind, Severity
from holdfast.model.status import Problem, Status

SCHEMA = "holdfast.survey/1"


class Surveyed(Struct, frozen=True, omit_defaults=True):
    """One image of a survey, in short.

    `name` is what it is called and `names` the first of its other names, `more_names` how many there are besides.
    `counts`, `fixable` and `known_exploited` count vulnerabilities as people do: each once in a source package;
    `malware`, `secrets` and `tampered` are findings of those kinds, which stand in `counts` too (configuration does
    not). `risk` is the highest finding's, 0–100. `problems` counts them by code. Where it could not be read at all,
    `error` says why. `containers` run it, as `engine:name`; `report` is the file with the whole report, where one was
    asked for.
    """

    name: str
    status: Status
    names: tuple[str, ...] = ()
    more_names: int = 0
    digest: str = ""
    config_digest: str = ""
    platform: Platform | None = None
    distribution: str = ""
    packages: int = 0
    counts: dict[Severity, int] = {}
    fixable: int = 0
    known_exploited: int = 0
    malware: int = 0
    secrets: int = 0
    tampered: int = 0
    risk: int = 0
    error: str = ""
    problems: dict[str, int] = {}
    containers: tuple[str, ...] = ()
    report: str = ""


class Shared(Struct, frozen=True, omit_defaults=True):
    """One cause over all images: a rule in a package, which the same version mends on the same side.

    `images` says how many have it and `examples` names the first of them; `type` is the package's purl type. A cause
    that is about no package has no `package`.
    """

    rule: str
    kind: Kind
    severity: Severity
    images: int
    examples: tuple[str, ...] = ()
    title: str = ""
    aliases: tuple[str, ...] = ()
    type: str = ""
    package: str = ""
    fix: str = ""
    side: Side = Side.UNKNOWN
    risk: int = 0
    known_exploited: bool = False


class SharedUpgrade(Struct, frozen=True, omit_defaults=True):
    """One thing to do in many images: move a package to a version. `installed` are the first versions it has now.

    `vulnerabilities` are the different ones that are gone then, `known_exploited` says how many of those are.
    """

    type: str
    package: str
    version: str
    images: int
    vulnerabilities: int
    side: Side = Side.UNKNOWN
    installed: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    known_exploited: int = 0


class SurveyStatistics(Struct, frozen=True, omit_defaults=True):
    """What a survey did: seconds of wall time, names seen, images among them, and how many an interrupted run had done.

    Bytes and layers are those of the images that were scanned now.
    """

    seconds: float = 0.0
    names: int = 0
    images: int = 0
    resumed: int = 0
    bytes_read: int = 0
    bytes_inflated: int = 0
    layers: int = 0
    layers_cached: int = 0


class Survey(Struct, frozen=True):
    """Many images scanned: `kind` is `registry`, `list` or `running`. Everything is ordered by risk."""

    target: str
    kind: str
    status: Status
    tool: str
    schema: str = SCHEMA
    created: str = ""
    problems: tuple[Problem, ...] = ()
    images: tuple[Surveyed, ...] = ()
    upgrades: tuple[SharedUpgrade, ...] = ()
    findings: tuple[Shared, ...] = ()
    database: DatabaseInfo | None = None
    statistics: SurveyStatistics = field(default_factory=SurveyStatistics)
