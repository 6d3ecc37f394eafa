"""Packages whose version is left to the day of the build."""

from collections.abc import Iterator

from holdfast.misconfig.dockerfile.breach import Breach
from holdfast.misconfig.dockerfile.packages import request, unpinned
from holdfast.misconfig.dockerfile.view import Run, View

_SHOWN = 8
# Rule by family, and how a pinned package is written.
_RULES = {
    "apt": ("apt-unpinned", "{}=<version>"),
    "apk": ("apk-unpinned", "{}=<version>"),
    "yum": ("yum-unpinned", "{}-<version>"),
    "dnf": ("dnf-unpinned", "{}-<version>"),
    "zypper": ("zypper-unpinned", "{}=<version>"),
    "pip": ("pip-unpinned", "{}==<version>"),
    "npm": ("npm-unpinned", "{}@<version>"),
    "pnpm": ("npm-unpinned", "{}@<version>"),
    "yarn": ("npm-unpinned", "{}@<version>"),
    "gem": ("gem-unpinned", "{}:<version>"),
    "go": ("go-unpinned", "{}@<version>"),
}
_OF_THE_SYSTEM = ("apt", "apk", "yum", "dnf", "zypper")


def check(view: View) -> Iterator[Breach]:
    """One finding for each RUN and manager. A distribution's packages count only where they end in the image."""
    for run in view.runs:
        yield from _unpinned(run)


def _unpinned(run: Run) -> Iterator[Breach]:
    names: dict[str, list[str]] = {}
    lines: dict[str, int] = {}
    programs: dict[str, str] = {}
    for call in run.calls:
        asked = request(call)
        if asked is None or (asked.family in _OF_THE_SYSTEM and not run.stage.shipped):
            continue
        if found := unpinned(asked):
            names.setdefault(asked.family, []).extend(found)
            lines.setdefault(asked.family, call.line)
            programs.setdefault(asked.family, f"{asked.program} {asked.action}")
    for family, found_names in names.items():
        rule, pinned = _RULES[family]
        distinct = list(dict.fromkeys(found_names))
        shown = ", ".join(distinct[:_SHOWN]) + (f" and {len(distinct) - _SHOWN} more" if len(distinct) > _SHOWN else "")
        first = distinct[0].partition("@")[0] or distinct[0]
        yield Breach(
            rule,
            lines[family],
            run.stage.label,
            "packages",
            f"no version: {shown}",
            "a version for each",
            f"{programs[family]} {pinned.format(first)}",
            count=len(distinct),
        )
