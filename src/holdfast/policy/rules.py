"""What a policy itself can object to: the rules behind reasons that are not one finding's own."""

from holdfast.model.finding import Rule, Severity

_CONTROLS = ("nist-800-190:4.1.1", "nist-800-190:4.1.5")


def _rule(name: str, title: str, why: str, fix: str, *controls: str, severity: Severity = Severity.MEDIUM) -> Rule:
    return Rule(f"policy.{name}", title, why, fix, severity, controls or _CONTROLS)


VULNERABILITY = _rule(
    "vulnerability", "Vulnerabilities at or above the policy's threshold",
    "The policy says from which severity on a vulnerability must not reach a running container.",
    "Upgrade the packages that the reason names, or move to a newer base image. Where a person accepts the risk, put "
    "the waiver beside it into the policy, with a reason, an owner and an end.",
    "nist-800-190:4.1.1", severity=Severity.HIGH,
)  # fmt: skip
KNOWN_EXPLOITED = _rule(
    "known-exploited", "Vulnerabilities that attackers are known to use",
    "CISA's catalogue lists only what was seen in real attacks. Such a vulnerability is tried against everything that "
    "can be reached, so that no period of grace applies.",
    "Upgrade first what the reason names. Where there is no fix, remove the package or keep the container away from "
    "the network until there is one.",
    "nist-800-190:4.1.1", severity=Severity.CRITICAL,
)  # fmt: skip
LIKELY_EXPLOITED = _rule(
    "likely-exploited", "Vulnerabilities that are likely to be attacked soon",
    "The Exploit Prediction Scoring System (EPSS) ranks these above the policy's percentile.",
    "Upgrade the packages that the reason names before the rest.",
    "nist-800-190:4.1.1", severity=Severity.HIGH,
)  # fmt: skip
GRACE = _rule(
    "grace", "New vulnerabilities within the period of grace",
    "These were published a few days ago. The policy gives time to rebuild before it denies them.",
    "Plan the upgrade now: the reason says on which day the vulnerabilities will be denied.",
    "nist-800-190:4.1.1",
)  # fmt: skip
INCOMPLETE = _rule(
    "incomplete",
    "The scan did not see everything",
    "Something could not be read, or was not looked for. What was not seen cannot be vouched for.",
    "Mend what the reason names (a missing database, a damaged layer, an engine that was off) and scan again.",
)
BASE = _rule(
    "base", "A base image that the policy does not allow",
    "Whoever chooses the base chooses most of what is inside. Only bases that somebody looks after are to be used.",
    "Build from one of the bases that the policy allows, or ask its owner to allow this one.",
    "nist-800-190:4.1.5", "nist-800-190:4.2.2",
)  # fmt: skip
REGISTRY = _rule(
    "registry", "A registry that the policy does not allow",
    "An image from a place that nobody looks after can be replaced without anybody's notice.",
    "Push or mirror the image to a registry that the policy allows, and name it there.",
    "nist-800-190:4.1.5", "nist-800-190:4.2.2",
)  # fmt: skip
PACKAGE = _rule(
    "package",
    "A package that the policy forbids",
    "The policy names this package, or these versions of it, as not to be used.",
    "Remove the package or move to a version outside the range.",
)
LICENCE = _rule(
    "licence",
    "A licence that the policy forbids",
    "What is shipped in an image is distributed, with all duties that its licence brings.",
    "Replace the package by one under another licence, or have the use of it cleared and waived.",
)
LABEL = _rule(
    "label",
    "A required label is missing",
    "Labels say who owns an image and what it was built from: without them nobody knows whom to call.",
    "Set the label when building: LABEL name=value in the Dockerfile, or --label name=value.",
)
USER = _rule(
    "user", "Containers would run as the wrong user",
    "A process that runs as root in a container is root for every weakness of the kernel and of what is mounted.",
    "Create a user in the Dockerfile and end with USER name (or its number).",
    "nist-800-190:4.1.2", severity=Severity.HIGH,
)  # fmt: skip
ATTACHMENTS = _rule(
    "attachments",
    "A required attachment is missing",
    "A bill of materials and a provenance let others find out what is inside and who built it.",
    "Build with attestations (docker buildx build --sbom=true --provenance=true), or attach them to the digest.",
)
PINNED = _rule(
    "pinned", "An image that is not named by its digest",
    "A tag can lead to another image tomorrow. Only a digest says that what runs is what was vetted.",
    "Name the image, or the base in FROM, with its digest: name:tag@sha256:…",
    "nist-800-190:4.2.2", "nist-800-190:4.1.5",
)  # fmt: skip
AGE = _rule(
    "age", "The image is older than the policy allows",
    "An image that nobody rebuilt has missed the fixes of that time, known and unknown ones.",
    "Rebuild it from a fresh base: docker build --pull --no-cache.",
    "nist-800-190:4.2.2", "nist-800-190:4.1.1",
)  # fmt: skip
CHECK = _rule(
    "check",
    "A check of the policy's own failed",
    "The policy holds a condition in CEL that is not true of this target.",
    "Do what the check's message says; `name`, `expression` and line stand in the policy.",
)
UNTOLD = _rule(
    "cannot-tell",
    "A demand that cannot be checked on this target",
    "A folder, bill of materials or Dockerfile has no configuration or attachments that could be looked at.",
    "Vet the built image as well.",
)

RULES = (
    VULNERABILITY, KNOWN_EXPLOITED, LIKELY_EXPLOITED, GRACE, INCOMPLETE, BASE, REGISTRY, PACKAGE, LICENCE, LABEL, USER,
    ATTACHMENTS, PINNED, AGE, CHECK, UNTOLD,
)  # fmt: skip
"""Every rule of this room. A check's own reasons carry `check.<name>` and mean `policy.check`."""
