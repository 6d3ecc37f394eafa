"""All that is wrong with how one target is set up."""

from collections.abc import Callable, Iterable

from holdfast.misconfig.image import content, environment, execution, history, modes, origin, program, settings
from holdfast.misconfig.scene import Scene
from holdfast.model.finding import Finding

Check = Callable[[Scene], Iterable[Finding]]
CHECKS: tuple[Check, ...] = (
    *program.CHECKS,
    *origin.CHECKS,
    *execution.CHECKS,
    *environment.CHECKS,
    *history.CHECKS,
    *modes.CHECKS,
    *content.CHECKS,
    *settings.CHECKS,
)


# What the history tells of has left its trace in the files: one cause, and the files are the surer witness.
_SAME_CAUSE = {
    "image.history-package-cache": "image.package-cache",
    "image.history-wide-mode": "image.world-writable",
    "image.history-sudo": "image.sudo",
}


def assess(scene: Scene) -> tuple[Finding, ...]:
    """What every check finds, the gravest first."""
    found = [finding for check in CHECKS for finding in check(scene)]
    broken = {finding.rule for finding in found}
    found = [finding for finding in found if _SAME_CAUSE.get(finding.rule) not in broken]
    return tuple(sorted(found, key=lambda one: (-one.severity.rank, one.rule, one.location.path, one.subject.name)))
