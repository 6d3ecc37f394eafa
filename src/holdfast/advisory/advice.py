"""What to do about a vulnerability, in words that a person can follow."""

from collections.abc import Sequence

from holdfast.model.advisory import FixState
from holdfast.model.artifact import Side
from holdfast.model.finding import Fix
from holdfast.model.package import Package

_WITHOUT_FIX = {
    FixState.AFFECTED: "no fix is known yet",
    FixState.WILL_NOT_FIX: "the distribution will not fix it",
    FixState.DEFERRED: "the distribution has put the fix off",
    FixState.END_OF_LIFE: "the package is no longer supported in this release",
    FixState.UNDER_INVESTIGATION: "the distribution has not decided yet whether it is affected",
    FixState.NOT_AFFECTED: "",
    FixState.FIXED: "",
}
_UPGRADE = {
    "deb": "apt-get update && apt-get install --only-upgrade {}",
    "apk": "apk upgrade {}",
    "rpm": "dnf upgrade {}",
}
_SHOWN = 6


def fix_for(state: FixState, version: str, packages: Sequence[Package], *, subscription: bool = False) -> Fix:
    """The fix of a finding about these packages (binaries of one source, or copies of one library), all of one side.

    `subscription` says that the fixed version is only given to subscribers (Ubuntu Pro).
    """
    side = packages[0].side
    if state is not FixState.FIXED:
        return Fix(state, "", side, _WITHOUT_FIX[state])
    first = packages[0]
    if first.type == "golang" and first.name != "stdlib" and not version.startswith("v"):
        version = f"v{version}"  # advisories leave out what `go get` wants
    names = sorted({package.name for package in packages})
    if subscription:
        advice = f"fixed in {version} for subscribers of Ubuntu Pro only (`pro attach`), or move to a newer release"
    elif side is Side.BASE:
        advice = f"move to a base image with {_listed(names)} {version} or later"
    elif first.type == "golang" and first.name == "stdlib":
        advice = f"build again with Go {version} or later"
    elif first.type in _UPGRADE:
        advice = f"upgrade to {version}: {_UPGRADE[first.type].format(' '.join(names[:_SHOWN]))}"
    else:
        advice = f"upgrade {names[0]} to {version}"
    return Fix(state, version, side, advice)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")
